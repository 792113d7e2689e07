#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "domain/plan_book.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payout::app {

/// A transaction that holds every partition's gate: no change is accrued while it is open, and all
/// that are accrued after it see what it stored.
class PlanTransaction {
 public:
    virtual ~PlanTransaction() = default;
    /// Every version of the merchant's plans; of kSharedPlan: of the shared ones.
    virtual Result<std::vector<domain::FeePlan>> Versions(domain::MerchantId merchant) = 0;
    /// Every version of one plan.
    virtual Result<std::vector<domain::FeePlan>> VersionsOf(domain::PlanId plan) = 0;
    /// The merchant's, in order of revision.
    virtual Result<std::vector<domain::PlanAssignment>> Assignments(
        domain::MerchantId merchant) = 0;
    /// Whether anything was accrued for the merchant; for none, for anyone.
    virtual Result<bool> HasAccruals(domain::MerchantId merchant) = 0;
    /// The latest day that has accruals or a mark, in any partition.
    virtual Result<std::optional<BusinessDate>> LatestDay() = 0;
    /// Those of `merchants` whose volume of the month was not fixed yet, in their order.
    virtual Result<std::vector<domain::MerchantId>> WithoutVolume(
        BusinessDate month, std::span<const domain::MerchantId> merchants) = 0;

    /// Each stores under one new revision, and gives what it stored completed: with a new id of a
    /// plan that has none. At most one of them in a transaction.
    virtual Result<domain::FeePlan> Insert(const domain::FeePlan& plan, std::string_view put_by,
                                           Instant at) = 0;
    virtual Result<std::vector<domain::PlanAssignment>> Insert(
        std::span<const domain::PlanAssignment> assignments, std::string_view put_by,
        Instant at) = 0;
    virtual Status Insert(std::span<const domain::MonthVolume> volumes, Instant at) = 0;
};

/// Thread safe.
class PlanStore {
 public:
    virtual ~PlanStore() = default;
    /// Runs `work` in such a transaction, again if the database asks for it.
    virtual Status InPlanTransaction(const std::function<Status(PlanTransaction&)>& work) = 0;

    /// The highest revision.
    virtual Result<std::int64_t> Revision() = 0;
    /// The last month (its first day) that is over and has no open day; nothing when there is none.
    virtual Result<std::optional<BusinessDate>> LastMonthClosed() = 0;
    /// Merchants that are or were or will be under a plan with tiers, and have no volume of the
    /// month: at most `limit`, by merchant.
    virtual Result<std::vector<domain::MerchantId>> TieredWithoutVolume(BusinessDate month,
                                                                        int limit) = 0;
    /// The merchant's gross over the month's closed days.
    virtual Result<std::int64_t> GrossOf(domain::MerchantId merchant, BusinessDate month) = 0;
};

/// The first day that no change can belong to yet. The books may be ahead of the calendar (a day
/// closed by hand), never behind it for long.
Result<BusinessDate> FirstFreeDay(PlanTransaction& transaction, Instant now);
/// Whether the merchant has accruals, as far as it matters to what begins on `effective_from`. Of a
/// merchant without any every day is looked at, while all gates are held: so it is asked only for
/// what would begin before `first_free`, and otherwise taken for so.
Result<bool> MayHaveAccruals(PlanTransaction& transaction, domain::MerchantId merchant,
                             BusinessDate effective_from, BusinessDate first_free);

}  // namespace kessai::payout::app
