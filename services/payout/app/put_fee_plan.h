#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "domain/fee_plan.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payout::app {

/// A transaction that holds every partition's gate: no change is accrued while it is open, and all
/// that are accrued after it see what it stored.
class PlanTransaction {
 public:
    virtual ~PlanTransaction() = default;
    /// Every version of the merchant's plans.
    virtual Result<std::vector<domain::FeePlan>> Versions(domain::MerchantId merchant) = 0;
    /// Whether anything was accrued for the merchant; for none, for anyone.
    virtual Result<bool> HasAccruals(domain::MerchantId merchant) = 0;
    /// The latest day that has accruals or a mark, in any partition.
    virtual Result<std::optional<BusinessDate>> LatestDay() = 0;
    /// Stores the version under a new revision, and a new id if it has none; gives it completed.
    virtual Result<domain::FeePlan> Insert(const domain::FeePlan& plan, std::string_view put_by,
                                           Instant at) = 0;
};

class PlanStore {
 public:
    virtual ~PlanStore() = default;
    /// Runs `work` in such a transaction, again if the database asks for it.
    virtual Status InPlanTransaction(const std::function<Status(PlanTransaction&)>& work) = 0;
};

/// Puts a new plan, or a new version of one (`plan.id`), see domain::Admit. Putting the same again
/// gives the first outcome. Thread safe.
class PutFeePlan {
 public:
    PutFeePlan(PlanStore& store, const Clock& clock) : store_(store), clock_(clock) {}

    /// Refusals: those of domain::Admit, and of the database.
    Result<domain::FeePlan> Run(const domain::FeePlan& plan, std::string_view put_by);

 private:
    PlanStore& store_;
    const Clock& clock_;
};

}  // namespace kessai::payout::app
