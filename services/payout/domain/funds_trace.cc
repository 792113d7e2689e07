#include "domain/funds_trace.h"

#include <algorithm>
#include <string>

#include "domain/transfer_reason.h"
#include "kessai/money/money.h"

namespace kessai::payout::domain {
namespace {

Status Differs(std::string why) {
    return Status(Code::kDataLoss, reason::kTraceDiffers, std::move(why));
}

std::string Named(const MerchantJournal& journal) {
    return std::string(JournalKindName(journal.kind)) + " of " + std::to_string(journal.object);
}

}  // namespace

void FundsTrace::Add(const FundsSource& source, std::int64_t amount) {
    left_[sources_.size()] = amount;
    sources_.push_back(source);
}

void FundsTrace::Release(BusinessDate day, std::int64_t net) {
    Add({.kind = FundsKind::kRelease, .day = day}, net);
}

Status FundsTrace::Post(const MerchantJournal& journal) {
    switch (journal.kind) {
        case JournalKind::kAdjustment:
            Add({.kind = FundsKind::kAdjustment, .object = journal.object}, journal.amount);
            return OkStatus();
        case JournalKind::kTransferSettled:
            return OkStatus();
        case JournalKind::kTransferCreated: {
            KESSAI_ASSIGN_OR_RETURN(const std::int64_t price, CheckedAdd(journal.fee, journal.tax));
            if (price != 0) Add({.kind = FundsKind::kPrice, .object = journal.object}, -price);
            auto taken = Take(journal.amount);
            if (!taken.ok()) return Differs(Named(journal) + ": there was no money for it");
            transfers_[TransferId(journal.object)] = *std::move(taken);
            return OkStatus();
        }
        case JournalKind::kTransferFailed:
        case JournalKind::kTransferReturned: {
            const auto found = transfers_.find(TransferId(journal.object));
            if (found == transfers_.end()) return Differs(Named(journal) + ": it was never made");
            for (const auto& [order, amount] : found->second) left_[order] += amount;
            return OkStatus();
        }
        case JournalKind::kTransferCancelled: {
            const auto found = transfers_.find(TransferId(journal.object));
            if (found == transfers_.end()) return Differs(Named(journal) + ": it was never made");
            const FundsSource price{.kind = FundsKind::kPrice, .object = journal.object};
            for (const auto& [order, amount] : found->second) {
                // Whole in the transfer, as all that takes money.
                if (sources_[order] != price) left_[order] += amount;
            }
            return OkStatus();
        }
    }
    return Differs("a journal of no known kind");
}

/// All that is not above zero, and then the oldest of what is.
Result<FundsTrace::Amounts> FundsTrace::Take(std::int64_t amount) {
    Amounts taken;
    std::int64_t missing = amount;
    for (const auto& [order, of_it] : left_) {
        if (of_it > 0) continue;
        taken[order] = of_it;
        KESSAI_ASSIGN_OR_RETURN(missing, CheckedSubtract(missing, of_it));
    }
    for (const auto& [order, of_it] : left_) {
        if (of_it <= 0) continue;
        if (missing == 0) break;
        taken[order] = std::min(of_it, missing);
        missing -= taken[order];
    }
    if (missing != 0) return Differs("too little is left");
    for (const auto& [order, of_it] : taken) {
        const auto found = left_.find(order);
        found->second -= of_it;
        if (found->second == 0) left_.erase(found);
    }
    return taken;
}

std::vector<FundsPart> FundsTrace::ToParts(const Amounts& amounts) const {
    std::vector<FundsPart> parts;
    for (const auto& [order, amount] : amounts) parts.push_back({sources_[order], amount});
    return parts;
}

std::vector<FundsPart> FundsTrace::PartsOf(TransferId transfer) const {
    const auto found = transfers_.find(transfer);
    return found == transfers_.end() ? std::vector<FundsPart>() : ToParts(found->second);
}

std::vector<std::pair<TransferId, std::int64_t>> FundsTrace::TransfersWith(
    const FundsSource& source) const {
    std::vector<std::pair<TransferId, std::int64_t>> found;
    const auto place = std::ranges::find(sources_, source);
    if (place == sources_.end()) return found;
    const auto order = static_cast<std::size_t>(place - sources_.begin());
    for (const auto& [transfer, amounts] : transfers_) {
        const auto part = amounts.find(order);
        if (part != amounts.end()) found.emplace_back(transfer, part->second);
    }
    return found;
}

std::vector<FundsPart> FundsTrace::Left() const {
    return ToParts(left_);
}

Result<FundsTrace> TraceFunds(std::span<const ReleasedDay> releases,
                              std::span<const SeenJournal> journals) {
    FundsTrace trace;
    std::int64_t released = 0;
    std::size_t next = 0;
    for (const SeenJournal& seen : journals) {
        if (!seen.released) {
            return Status(Code::kFailedPrecondition, reason::kTraceUnknown,
                          Named(seen.journal) + " is older than the noting of what was released");
        }
        while (released != *seen.released) {
            if (next == releases.size()) {
                return Differs(Named(seen.journal) + ": no days released sum to what it saw");
            }
            KESSAI_ASSIGN_OR_RETURN(released, CheckedAdd(released, releases[next].net));
            trace.Release(releases[next].day, releases[next].net);
            ++next;
        }
        KESSAI_RETURN_IF_ERROR(trace.Post(seen.journal));
    }
    for (const ReleasedDay& day : releases.subspan(next)) {
        trace.Release(day.day, day.net);
    }
    return trace;
}

}  // namespace kessai::payout::domain
