#pragma once

#include <cstdint>
#include <optional>

#include "domain/ids.h"
#include "kessai/time/business_date.h"

namespace kessai::payout::domain {

/// A merchant under a shared plan for some days. Never changed or deleted: a later one of the same
/// merchant takes its place from its own first day on, so one without a plan ends what was before.
struct PlanAssignment {
    MerchantId merchant;
    /// None: no shared plan.
    PlanId plan;
    /// Inclusive both; no `to` means no end.
    BusinessDate effective_from;
    std::optional<BusinessDate> effective_to;
    /// As of plans. Assignments of several merchants that were put together have the same one.
    std::int64_t revision = 0;

    bool operator==(const PlanAssignment&) const = default;
};

}  // namespace kessai::payout::domain
