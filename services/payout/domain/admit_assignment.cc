#include "domain/admit_assignment.h"

#include <algorithm>
#include <string>

#include "domain/plan_book.h"
#include "domain/reason.h"
#include "domain/timeline.h"

namespace kessai::payout::domain {
namespace {

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, reason::kPlanInvalid, std::move(message));
}

bool SameContent(const PlanAssignment& a, const PlanAssignment& b) {
    return a.merchant == b.merchant && a.plan == b.plan && a.effective_from == b.effective_from &&
           a.effective_to == b.effective_to;
}

Status CheckPlan(const PlanAssignment& candidate, std::span<const FeePlan> versions) {
    if (candidate.plan.is_none()) return OkStatus();
    if (versions.empty()) {
        return Status(Code::kNotFound, reason::kPlanUnknown,
                      "there is no plan " + candidate.plan.ToString());
    }
    if (versions.front().merchant != kSharedPlan) {
        return Invalid("plan " + candidate.plan.ToString() + " is not shared");
    }
    BusinessDate begins = versions.front().effective_from;
    for (const FeePlan& plan : versions) begins = std::min(begins, plan.effective_from);
    if (candidate.effective_from < begins) {
        return Status(
            Code::kFailedPrecondition, reason::kPlanMissing,
            "plan " + candidate.plan.ToString() + " is in force from " + begins.ToString() + " on");
    }
    return OkStatus();
}

}  // namespace

Result<std::optional<PlanAssignment>> Admit(const PlanAssignment& candidate,
                                            const AssignmentContext& context) {
    if (candidate.merchant.value() <= 0) return Invalid("only a merchant is assigned to a plan");
    if (candidate.effective_to && *candidate.effective_to < candidate.effective_from) {
        return Invalid("the assignment ends before it begins");
    }
    KESSAI_RETURN_IF_ERROR(CheckPlan(candidate, context.plan));
    if (!context.assignments.empty() && SameContent(context.assignments.back(), candidate)) {
        return std::optional<PlanAssignment>(context.assignments.back());
    }
    const bool first =
        context.own_plans.empty() && context.assignments.empty() && !context.has_accruals;
    if (candidate.effective_from < context.first_free_day && !first) {
        return Status(Code::kFailedPrecondition, reason::kPlanInPast,
                      "merchant " + candidate.merchant.ToString() + " can be assigned from " +
                          context.first_free_day.ToString() + " on at the earliest");
    }
    if (candidate.plan.is_none()) return std::optional<PlanAssignment>();
    const BusinessDate last = candidate.effective_to.value_or(kForever);
    for (const Span<FeePlan>& span : SpansOfPlans(context.own_plans)) {
        if (span.from <= last && candidate.effective_from <= span.to) {
            return Status(Code::kFailedPrecondition, reason::kPlanOverlaps,
                          "merchant " + candidate.merchant.ToString() + " has plan " +
                              span.of->id.ToString() + " of its own from " + span.from.ToString() +
                              " on");
        }
    }
    return std::optional<PlanAssignment>();
}

}  // namespace kessai::payout::domain
