#pragma once

#include <optional>
#include <span>

#include "domain/fee_plan.h"
#include "domain/plan_assignment.h"
#include "kessai/result/result.h"

namespace kessai::payout::domain {

/// What a new assignment is judged by.
struct AssignmentContext {
    /// Every version of the plan that it names.
    std::span<const FeePlan> plan;
    /// Every version of the merchant's own plans.
    std::span<const FeePlan> own_plans;
    /// Every assignment of the merchant, in order of revision.
    std::span<const PlanAssignment> assignments;
    BusinessDate first_free_day;
    /// Whether anything was accrued for the merchant.
    bool has_accruals = false;
};

/// Judges `candidate`, whose revision is not set yet. Gives the assignment that it repeats, if the
/// merchant's newest one says the same; nothing when it is to be added.
/// Refuses with INVALID_ARGUMENT PLAN_INVALID (it ends before it begins, or the plan is not
/// shared); NOT_FOUND PLAN_UNKNOWN; FAILED_PRECONDITION PLAN_MISSING (the plan is not in force yet
/// on the first day), PLAN_IN_PAST (as of plans) or PLAN_OVERLAPS (a plan of the merchant's own has
/// some of its days).
Result<std::optional<PlanAssignment>> Admit(const PlanAssignment& candidate,
                                            const AssignmentContext& context);

}  // namespace kessai::payout::domain
