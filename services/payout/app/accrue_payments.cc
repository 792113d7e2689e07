#include "app/accrue_payments.h"

#include <utility>
#include <vector>

#include "domain/reason.h"

namespace kessai::payout::app {
namespace {

// Business dates of the days a process has stored something of; a year of them costs nothing.
constexpr std::size_t kKnownDaysMax = 400;

}  // namespace

Result<AccruePayments::Refused> AccruePayments::Run(AccrualTransaction& transaction,
                                                    std::span<const IncomingChange> changes,
                                                    Instant now) {
    KESSAI_ASSIGN_OR_RETURN(const SlotGate gate, transaction.LockGate());
    if (const std::int64_t known = plans_.revision(); gate.plan_revision > known) {
        KESSAI_ASSIGN_OR_RETURN(const auto plans, transaction.PlansAfter(known));
        plans_.Add(plans);
    }

    Refused refused;
    std::vector<domain::Accrual> accruals;
    std::vector<std::string_view> traceparents;
    accruals.reserve(changes.size());
    traceparents.reserve(changes.size());
    plans_.Read([&](const domain::PlanBook& book) {
        for (std::size_t i = 0; i < changes.size(); ++i) {
            Result<domain::Accrual> accrual = domain::Accrue(changes[i].change, book, taxes_);
            if (!accrual.ok()) {
                refused.emplace(i, std::move(accrual).status());
                continue;
            }
            accruals.push_back(*std::move(accrual));
            traceparents.push_back(changes[i].traceparent);
        }
    });
    for (std::size_t i = 0; i < changes.size(); ++i) {
        Status refusal;
        KESSAI_RETURN_IF_ERROR(CheckStillOpen(transaction, gate, changes[i].change, refusal));
        if (!refusal.ok()) refused.emplace(i, std::move(refusal));
    }
    if (!refused.empty() || accruals.empty()) return refused;

    std::set<BusinessDate> days;
    for (const domain::Accrual& accrual : accruals) days.insert(accrual.business_date);
    std::vector<BusinessDate> new_days;
    {
        const std::lock_guard lock(mutex_);
        for (const BusinessDate day : days) {
            if (!known_days_.contains(day)) new_days.push_back(day);
        }
    }
    KESSAI_RETURN_IF_ERROR(transaction.Store({.accruals = accruals,
                                              .traceparents = traceparents,
                                              .totals = domain::SumByMerchant(accruals),
                                              .parts = domain::SumParts(accruals),
                                              .new_days = new_days,
                                              .recorded_at = now}));
    return refused;
}

// Section 6 makes an event of a closed day impossible, but for one that was parked: its merchant
// was left open. Nearly always the partition has not had the day's mark, and nothing is asked.
Status AccruePayments::CheckStillOpen(AccrualTransaction& transaction, const SlotGate& gate,
                                      const domain::PaymentChange& change, Status& refusal) {
    if (!gate.closed_through || change.business_date > *gate.closed_through) return OkStatus();
    KESSAI_ASSIGN_OR_RETURN(const bool open,
                            transaction.IsStillOpen(change.business_date, change.merchant));
    if (!open) {
        refusal = Status(Code::kFailedPrecondition, domain::reason::kDayClosed,
                         change.business_date.ToString() + " is closed and sealed");
    }
    return OkStatus();
}

void AccruePayments::OnCommitted(const std::set<BusinessDate>& days) {
    const std::lock_guard lock(mutex_);
    known_days_.insert(days.begin(), days.end());
    while (known_days_.size() > kKnownDaysMax) known_days_.erase(known_days_.begin());
}

}  // namespace kessai::payout::app
