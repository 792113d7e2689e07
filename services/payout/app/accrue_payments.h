#pragma once

#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string_view>

#include "app/accrual_transaction.h"
#include "app/plan_cache.h"
#include "domain/payment_change.h"

namespace kessai::payout::app {

/// A change to accrue, and the trace it came with.
struct IncomingChange {
    domain::PaymentChange change;
    std::string_view traceparent;
};

/// Accrues the changes of one partition's batch. The plans in force are those that the gate's
/// revision names: who puts a plan holds all gates, so a batch sees all of a plan or nothing of it.
/// Thread safe.
class AccruePayments {
 public:
    /// `plans` and `taxes` must outlive it.
    AccruePayments(PlanCache& plans, const domain::TaxTable& taxes)
        : plans_(plans), taxes_(taxes) {}

    /// By position in `changes`: those that can never be accrued, and why. When there are any,
    /// nothing was stored: the transaction is to be rolled back, and run again without them.
    /// Reasons: those of domain::Accrue, and FAILED_PRECONDITION DAY_CLOSED.
    using Refused = std::map<std::size_t, Status>;
    Result<Refused> Run(AccrualTransaction& transaction, std::span<const IncomingChange> changes,
                        Instant now);

    /// The transaction that stored something of these days was committed.
    void OnCommitted(const std::set<BusinessDate>& days);

 private:
    Status CheckStillOpen(AccrualTransaction& transaction, const SlotGate& gate,
                          const domain::PaymentChange& change, Status& refusal);

    PlanCache& plans_;
    const domain::TaxTable& taxes_;
    std::mutex mutex_;
    std::set<BusinessDate> known_days_;
};

}  // namespace kessai::payout::app
