#include "app/close_day.h"

#include <utility>

#include "kessai/faults/fault_point.h"

namespace kessai::payout::app {

Result<BlockedMerchants> FindBlockedMerchants(
    std::span<const BlockedEvent> events, const EventEncoder& events_reader,
    const std::function<Result<std::optional<domain::MerchantId>>(domain::PaymentId)>&
        merchant_of_payment) {
    BlockedMerchants blocked;
    for (const BlockedEvent& event : events) {
        std::optional<domain::MerchantId> merchant = events_reader.MerchantOf(event.value);
        if (!merchant && event.object > 0) {
            KESSAI_ASSIGN_OR_RETURN(merchant, merchant_of_payment(domain::PaymentId(event.object)));
        }
        if (!merchant) {
            ++blocked.unattributed;
        } else if (!merchant->is_none()) {
            blocked.merchants.insert(*merchant);
        }
    }
    return blocked;
}

Status CheckBlocked(std::span<const BlockedEvent> events, int max) {
    if (static_cast<int>(events.size()) <= max) return OkStatus();
    return Status(Code::kFailedPrecondition, "TOO_MANY_BLOCKED",
                  "more than " + std::to_string(max) + " events wait");
}

CloseDay::CloseDay(CloseDayOptions options, DayStore& store, const EventEncoder& events,
                   const Clock& clock)
    : options_(options), store_(store), events_(events), clock_(clock) {}

Result<int> CloseDay::RunOnce() {
    KESSAI_ASSIGN_OR_RETURN(const auto days, store_.ClosableDays(options_.payment_partitions));
    int closed = 0;
    for (const BusinessDate day : days) {
        KESSAI_RETURN_IF_ERROR(store_.InClosing(
            day, [&](ClosingTransaction& transaction) { return Close(transaction, day); }));
        ++closed;
        KESSAI_FAULT_POINT("payout.close.after_commit");
    }
    KESSAI_RETURN_IF_ERROR(PublishMarks());
    return closed;
}

Status CloseDay::Close(ClosingTransaction& transaction, BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(const auto events,
                            transaction.Blocked(options_.blocked_events_max + 1));
    KESSAI_RETURN_IF_ERROR(CheckBlocked(events, options_.blocked_events_max));
    KESSAI_ASSIGN_OR_RETURN(const BlockedMerchants blocked,
                            FindBlockedMerchants(events, events_, [&](domain::PaymentId payment) {
                                return transaction.MerchantOfPayment(payment);
                            }));

    ClosedDay closed;
    closed.closed_at = clock_.Now();
    domain::ChunkSealer sealer(day, options_.merchants_per_chunk);
    KESSAI_RETURN_IF_ERROR(transaction.StreamTotals([&](const domain::SlotTotal& total) {
        if (!blocked.merchants.contains(total.part.merchant)) sealer.Add(total);
    }));
    closed.chunks = sealer.Finish();
    for (const domain::SealedChunk& chunk : closed.chunks) {
        closed.merchant_count += chunk.merchant_count;
    }
    closed.seal = domain::SealOfDay(day, closed.chunks);

    for (const domain::MerchantId merchant : blocked.merchants) {
        closed.open_merchants.push_back({merchant,
                                         domain::HoldReason::kEventParked,
                                         {},
                                         {},
                                         "an event waited when the day closed"});
    }
    if (blocked.unattributed > 0) {
        // Merchant 0 comes first.
        closed.open_merchants.insert(
            closed.open_merchants.begin(),
            domain::HeldBack{domain::MerchantId(),
                             domain::HoldReason::kEventParked,
                             {},
                             {},
                             std::to_string(blocked.unattributed) +
                                 " events of nobody knows whom waited when the day closed"});
    }
    KESSAI_RETURN_IF_ERROR(transaction.Store(closed, events_));
    KESSAI_FAULT_POINT("payout.close.before_commit");
    return OkStatus();
}

// Day by day: while an event of a day waits in the outbox, neither its mark nor a later one goes
// out.
Status CloseDay::PublishMarks() {
    KESSAI_ASSIGN_OR_RETURN(const auto days, store_.UnmarkedDays());
    for (const DayStore::UnmarkedDay& day : days) {
        KESSAI_ASSIGN_OR_RETURN(const bool unsent, store_.HasUnsentEvents(day.day));
        if (unsent) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const std::string mark, events_.DayClosed(day.day, day.closed_at));
        KESSAI_RETURN_IF_ERROR(
            store_.StoreMark(day.day, mark, options_.payout_partitions, clock_.Now()));
    }
    return OkStatus();
}

}  // namespace kessai::payout::app
