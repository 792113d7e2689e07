#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "domain/fee_terms.h"
#include "domain/ids.h"
#include "kessai/money/money.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payout::domain {

/// One version of a fee plan. Versions are never changed or deleted: a later version of the same
/// plan takes its place from its own first day on.
struct FeePlan {
    PlanId id;
    std::uint32_t version = 0;
    /// None: the plan of every merchant without one of its own.
    MerchantId merchant;
    Currency currency;
    FeeTerms terms;
    /// Inclusive both; no `to` means no end.
    BusinessDate effective_from;
    std::optional<BusinessDate> effective_to;
    /// Rises with every version put, over all plans: readers fetch what is above what they have.
    std::int64_t revision = 0;

    bool operator==(const FeePlan&) const = default;
};

/// All plan versions, and which is in force for a merchant on a day. Not thread safe.
class PlanBook {
 public:
    /// Versions may come in any order; one that is already there changes nothing.
    void Add(const FeePlan& plan);

    /// The merchant's own plan in force on `day`, else the default plan, else null. The pointer
    /// lives until the next Add.
    const FeePlan* InForce(MerchantId merchant, BusinessDate day) const;
    /// Null when there is no such version.
    const FeePlan* Version(PlanId id, std::uint32_t version) const;

    /// The highest revision added; 0 when empty.
    std::int64_t revision() const { return revision_; }

 private:
    struct Period {
        BusinessDate from;
        BusinessDate to;
        std::size_t plan;
    };
    struct OfMerchant {
        std::vector<std::size_t> versions;
        /// Which version each day belongs to: in order of days, without overlap.
        std::vector<Period> timeline;
    };
    const FeePlan* InForceOf(MerchantId merchant, BusinessDate day) const;

    std::vector<FeePlan> plans_;
    std::map<std::pair<PlanId, std::uint32_t>, std::size_t> by_version_;
    std::unordered_map<MerchantId, OfMerchant> merchants_;
    std::int64_t revision_ = 0;
};

/// What a new plan version is judged by.
struct PlanContext {
    /// Every version of the candidate's merchant.
    std::span<const FeePlan> versions;
    /// The first day that no change can belong to yet: plans normally begin here or later.
    BusinessDate first_free_day;
    /// Whether anything was accrued for the merchant (for the default plan: for anyone).
    bool has_accruals = false;
};

/// Judges `candidate` (whose version and revision are not set yet, and whose id is none for a new
/// plan). Gives the version that it repeats exactly, if there is one, so that a retry is harmless;
/// nothing when the candidate is to be added.
/// Refuses with INVALID_ARGUMENT PLAN_INVALID; FAILED_PRECONDITION PLAN_IN_PAST (it would begin on
/// a day that may have changes already, and is not the first plan of a merchant without accruals)
/// or PLAN_OVERLAPS (another plan of the merchant has some of its days).
Result<std::optional<FeePlan>> Admit(const FeePlan& candidate, const PlanContext& context);

}  // namespace kessai::payout::domain
