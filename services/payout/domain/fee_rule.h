#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "domain/fee_terms.h"
#include "domain/payment_method.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payout::domain {

/// Terms for merchants whose volume of the month before was at least `volume_from`.
struct FeeTier {
    std::int64_t volume_from = 0;
    FeeTerms terms;

    bool operator==(const FeeTier&) const = default;
};

/// Terms that take the place of a plan's own for some payments. It applies when all of its
/// conditions hold.
struct FeeRule {
    /// Of payments in this store only. Empty: in any.
    std::string store = {};
    /// Of what was paid with this method only. None: with any.
    std::optional<Method> method = {};
    /// A campaign: of payments on these days only, both inclusive; no end, or no beginning.
    std::optional<BusinessDate> from = {};
    std::optional<BusinessDate> to = {};
    /// Of payments in so many days from the one on which the merchant came under the plan. 0: no
    /// such condition. With terms of zero: a free period.
    std::uint32_t first_days = 0;
    /// Below the first of `tiers`.
    FeeTerms terms = {};
    /// By rising volume, each above zero.
    std::vector<FeeTier> tiers = {};

    bool operator==(const FeeRule&) const = default;
};

inline constexpr std::size_t kRulesMax = 200;
inline constexpr std::size_t kTiersMax = 20;
inline constexpr std::uint32_t kFirstDaysMax = 3'660;

/// What chooses among the terms of a plan, beside the method.
struct FeeCase {
    std::string_view store;
    /// The payment's.
    BusinessDate day;
    /// When the merchant came under the plan.
    BusinessDate since;
    /// Of the month before.
    std::int64_t volume = 0;
};

/// The rule that applies to what was paid with `method`: of those whose conditions hold the one
/// with the first of these that others lack: a limit of first days, of dates, a store, a method.
/// Null: none, the plan's own terms hold. Precondition: rules that Validate took, so it is the only
/// one.
const FeeRule* ApplyingRule(std::span<const FeeRule> rules, const FeeCase& fee_case, Method method);

/// `terms`, or those of the highest tier that `volume` reaches.
const FeeTerms& TermsFor(const FeeTerms& terms, std::span<const FeeTier> tiers,
                         std::int64_t volume);

/// Refuse with INVALID_ARGUMENT: PLAN_INVALID (terms, and too many rules or tiers),
/// TIERS_NOT_RISING, STORE_INVALID (not IsStoreId), CAMPAIGN_INVALID (ends before it begins, dates
/// together with first days, or too many of them) and RULES_OVERLAP (two rules of the same store
/// and method whose days meet, so that none of them comes before the other).
Status Validate(std::span<const FeeTier> tiers);
Status Validate(std::span<const FeeRule> rules);

}  // namespace kessai::payout::domain
