#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "domain/fee_rule.h"
#include "domain/fee_terms.h"
#include "domain/ids.h"
#include "domain/plan_assignment.h"
#include "kessai/money/money.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payout::domain {

/// Whose a plan is that merchants are assigned to. The number is stored.
inline constexpr MerchantId kSharedPlan{-1};

/// One version of a fee plan. Versions are never changed or deleted: a later version of the same
/// plan takes its place from its own first day on.
struct FeePlan {
    PlanId id;
    std::uint32_t version = 0;
    /// None: the plan of every merchant without one of its own. kSharedPlan: of those assigned to
    /// it.
    MerchantId merchant;
    Currency currency;
    /// Where no rule applies and no tier is reached.
    FeeTerms terms;
    /// By rising volume, each above zero.
    std::vector<FeeTier> tiers;
    std::vector<FeeRule> rules;
    /// Inclusive both; no `to` means no end.
    BusinessDate effective_from;
    std::optional<BusinessDate> effective_to;
    /// Rises with every version put, over all plans: readers fetch what is above what they have.
    std::int64_t revision = 0;

    bool operator==(const FeePlan&) const = default;
};

/// Whether fees follow the merchant's volume of the month before.
bool HasTiers(const FeePlan& plan);
/// Whether fees follow the store.
bool HasStores(const FeePlan& plan);

/// The fee of a captured amount that splits so over methods. What falls under the same rule (and of
/// what falls under none, all) is charged together: of each such sum FeeOf(terms), with its floor,
/// its fixed part and its bounds, and the fee is the sum of these.
/// Preconditions: a valid plan, a valid split of `amount`, 0 ≤ amount ≤ kMaxAmount.
std::int64_t FeeOf(const FeePlan& plan, const FeeCase& fee_case, std::int64_t amount,
                   const MethodSplit& split);

/// What a new plan version is judged by.
struct PlanContext {
    /// Every version of the candidate's merchant.
    std::span<const FeePlan> versions;
    /// Every assignment of the candidate's merchant to shared plans.
    std::span<const PlanAssignment> assignments;
    /// The first day that no change can belong to yet: plans normally begin here or later.
    BusinessDate first_free_day;
    /// Whether anything was accrued for the merchant (for the default plan: for anyone).
    bool has_accruals = false;
};

/// Whether a plan's terms, tiers, rules and days fit each other, whatever else there is.
/// Refuses with INVALID_ARGUMENT what Validate of its parts refuses; CAMPAIGN_INVALID a campaign
/// that lies outside of the plan's days; PLAN_INVALID tiers and first days of the default plan
/// (whose merchants nobody names) and an end of it (only a later version takes its place), an end
/// of a shared one (its assignments end), and one that ends before it begins.
Status Validate(const FeePlan& plan);

/// Judges `candidate` (whose version and revision are not set yet, and whose id is none for a new
/// plan). Gives the version that it repeats exactly, if there is one, so that a retry is harmless;
/// nothing when the candidate is to be added.
/// Refuses with INVALID_ARGUMENT what Validate refuses, and PLAN_INVALID; FAILED_PRECONDITION
/// PLAN_IN_PAST (it would begin on a day that may have changes already, and is not the first plan
/// of a merchant without accruals) or PLAN_OVERLAPS (another plan of the merchant, or one that it
/// is assigned to, has some of its days; shared plans have no days of anyone, so they never
/// overlap).
Result<std::optional<FeePlan>> Admit(const FeePlan& candidate, const PlanContext& context);

}  // namespace kessai::payout::domain
