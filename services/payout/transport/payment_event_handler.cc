#include "transport/payment_event_handler.h"

#include <set>
#include <utility>
#include <vector>

#include "domain/reason.h"
#include "kessai/event/envelope.h"
#include "kessai/faults/fault_point.h"
#include "transport/payment_event_decoder.h"

namespace kessai::payout::transport {
namespace {

std::vector<std::string> RefusalReasons() {
    using namespace domain::reason;  // NOLINT
    std::vector<std::string> reasons;
    for (const std::string_view reason :
         {kFieldInvalid, kPlanMissing, kRefundExceedsPayment, kAmountOverflow, kDayClosed,
          std::string_view("CURRENCY_UNKNOWN"), event::kEventMalformed}) {
        reasons.emplace_back(reason);
    }
    return reasons;
}

}  // namespace

AccrualMetrics::AccrualMetrics(metrics::Registry& registry)
    : accruals(registry.AddCounter(
          {.name = "kessai_payout_accruals_total", .help = "Changes of payments accrued"})),
      skipped(registry.AddCounter({.name = "kessai_payout_events_skipped_total",
                                   .help = "Events that are of no merchant"})),
      refused(registry.AddCounters({.name = "kessai_payout_events_refused_total",
                                    .help = "Events that could not be accrued, by reason"},
                                   {{"reason", RefusalReasons()}})) {}

PaymentEventHandler::PaymentEventHandler(Ports ports, app::AccruePayments& accrue_payments,
                                         int partition_count, AccrualMetrics metrics,
                                         const Clock& clock)
    : ports_(std::move(ports)),
      accrue_payments_(accrue_payments),
      partition_count_(partition_count),
      metrics_(metrics),
      clock_(clock) {}

Status PaymentEventHandler::FindEffects(mysql::Session& session,
                                        std::span<const inbox::EffectKey> keys,
                                        inbox::Effects& effects) {
    std::vector<domain::EffectKey> sought;
    sought.reserve(keys.size());
    for (const inbox::EffectKey& key : keys) {
        sought.push_back({domain::PaymentId(key.object_id), key.version});
    }
    // Looking for effects asks nothing of the partition.
    const auto transaction = ports_.join(session, 0);
    KESSAI_ASSIGN_OR_RETURN(const auto stored, transaction->FindEffects(sought));
    for (const app::StoredEffect& effect : stored) {
        effects.found.push_back(
            {{effect.key.payment.value(), effect.key.version}, effect.content_hash});
    }
    return OkStatus();
}

Status PaymentEventHandler::Apply(mysql::Session& session, const inbox::Batch& batch,
                                  inbox::Rejections& rejections) {
    std::vector<app::IncomingChange> changes;
    std::vector<std::size_t> positions;
    changes.reserve(batch.deliveries.size());
    positions.reserve(batch.deliveries.size());
    for (std::size_t i = 0; i < batch.deliveries.size(); ++i) {
        const inbox::Delivery& delivery = batch.deliveries[i];
        auto change = DecodePaymentEvent(delivery.event);
        if (!change.ok()) {
            Reject(batch, i, change.status(), rejections);
        } else if (change->has_value()) {
            changes.push_back({std::move(**change), delivery.traceparent});
            positions.push_back(i);
        }
    }
    // The batch comes again without what was refused.
    if (changes.empty() || !rejections.empty()) return OkStatus();

    const auto transaction = ports_.join(session, batch.partition);
    KESSAI_ASSIGN_OR_RETURN(const auto refused,
                            accrue_payments_.Run(*transaction, changes, clock_.Now()));
    for (const auto& [i, why] : refused) {
        Reject(batch, positions[i], why, rejections);
    }
    KESSAI_FAULT_POINT("payout.accrue.before_commit");
    return OkStatus();
}

void PaymentEventHandler::Reject(const inbox::Batch& batch, std::size_t index, const Status& why,
                                 inbox::Rejections& rejections) const {
    // While events are taken for new it says nothing of them: they come again.
    if (!batch.assumed_new) metrics_.refused.With(why.reason()).Add();
    rejections.Reject(index, why);
}

Status PaymentEventHandler::ApplyMark(mysql::Session& session, const inbox::Mark& mark) {
    if (mark.day.service != "payment" || mark.day.partition_count != partition_count_) {
        return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid,
                      "a mark of " + mark.day.service + " over " +
                          std::to_string(mark.day.partition_count) + " partitions");
    }
    const auto transaction = ports_.join(session, mark.partition);
    KESSAI_RETURN_IF_ERROR(transaction->NoteDayClosed(mark.day.business_date));
    if (ports_.on_mark) ports_.on_mark();
    return OkStatus();
}

Status PaymentEventHandler::PublishDeadLetters(mysql::Session& session,
                                               std::span<const outbox::Entry> entries) {
    return ports_.store_dead_letters(session, entries);
}

void PaymentEventHandler::OnCommitted(const inbox::Batch& batch) {
    KESSAI_FAULT_POINT("payout.accrue.after_commit");
    std::set<BusinessDate> days;
    std::uint64_t accrued = 0;
    for (const inbox::Delivery& delivery : batch.deliveries) {
        if (delivery.event.type != "kessai.payment.v1.PaymentChanged") continue;
        days.insert(delivery.event.business_date);
        ++accrued;
    }
    accrue_payments_.OnCommitted(days);
    metrics_.accruals.Add(accrued);
    metrics_.skipped.Add(batch.deliveries.size() - accrued);
    if (ports_.on_events) ports_.on_events();
}

}  // namespace kessai::payout::transport
