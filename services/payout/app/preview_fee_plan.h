#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "app/plan_cache.h"
#include "app/plan_store.h"
#include "app/release_store.h"

namespace kessai::payout::app {

/// What accruals sum to, under the plans they were accrued by and under another. Fees are
/// tax-exclusive.
struct PreviewSums {
    std::int64_t accrual_count = 0;
    std::int64_t gross = 0;
    std::int64_t fee_then = 0;
    std::int64_t fee_now = 0;

    bool operator==(const PreviewSums&) const = default;
};

struct FeePlanPreview {
    BusinessDate from;
    BusinessDate to;
    PreviewSums total;
    std::int64_t merchant_count = 0;
    /// Accruals that the plan would have charged by their store, if it were known.
    std::int64_t without_store_count = 0;
    /// Those with the largest difference, whichever way.
    std::vector<std::pair<domain::MerchantId, PreviewSums>> merchants;
};

/// Computes what the fees of closed days would have been under another plan, from their accrual
/// rows, which have all that a fee needs but for stores under plans without terms of stores. Tiers
/// follow the volumes that were fixed; where none was, because the merchant was under no plan with
/// tiers, the gross of the month before the payment's. Reads every row of the days, and changes
/// nothing. Thread safe.
class PreviewFeePlan {
 public:
    struct Options {
        /// Where a preview ends refused.
        std::int64_t rows_max = 50'000'000;
        /// Merchants that an answer names.
        std::size_t merchants_max = 1'000;
    };
    static constexpr int kDaysMax = 31;

    PreviewFeePlan(Options options, ReleaseStore& store, PlanStore& volumes, PlanCache& plans,
                   const Clock& clock)
        : options_(options), store_(store), volumes_(volumes), plans_(plans), clock_(clock) {}

    struct Wish {
        /// Its days do not count. With an id: instead of that plan; else of its merchant, or of the
        /// default plan.
        domain::FeePlan plan;
        /// Both or none; none: the calendar month before today's in Japan.
        std::optional<BusinessDate> from;
        std::optional<BusinessDate> to;
        /// When there are any: as if these had been under the plan.
        std::set<domain::MerchantId> merchants;
    };
    /// Asked again and again while it works: what this refuses with ends the preview.
    using GoOn = std::function<Status()>;
    /// Refusals: those of domain::Validate(plan) and of `go_on`; INVALID_ARGUMENT FIELD_INVALID
    /// (too many days, or a new shared plan without merchants); NOT_FOUND PLAN_UNKNOWN (none with
    /// that id is of that merchant); FAILED_PRECONDITION DAY_OPEN; RESOURCE_EXHAUSTED
    /// PREVIEW_TOO_LARGE; the database's. Days without rows count as empty.
    Result<FeePlanPreview> Run(const Wish& wish, const GoOn& go_on = OkStatus);

 private:
    class Previewer;
    bool IsKnown(const domain::FeePlan& plan) const;
    Status AddSegment(BusinessDate day, int segment, const GoOn& go_on, Previewer& previewer);

    const Options options_;
    ReleaseStore& store_;
    PlanStore& volumes_;
    PlanCache& plans_;
    const Clock& clock_;
};

}  // namespace kessai::payout::app
