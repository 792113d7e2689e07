#include "app/put_fee_plan.h"

#include "kessai/faults/fault_point.h"

namespace kessai::payout::app {

Result<domain::FeePlan> PutFeePlan::Run(const domain::FeePlan& plan, std::string_view put_by) {
    domain::FeePlan stored;
    KESSAI_RETURN_IF_ERROR(store_.InPlanTransaction([&](PlanTransaction& transaction) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto versions, transaction.Versions(plan.merchant));
        KESSAI_ASSIGN_OR_RETURN(const auto assignments, transaction.Assignments(plan.merchant));
        const Instant now = clock_.Now();
        KESSAI_ASSIGN_OR_RETURN(const BusinessDate first_free, FirstFreeDay(transaction, now));
        KESSAI_ASSIGN_OR_RETURN(
            const bool has_accruals,
            MayHaveAccruals(transaction, plan.merchant, plan.effective_from, first_free));
        KESSAI_ASSIGN_OR_RETURN(
            const auto repeated,
            domain::Admit(plan, {versions, assignments, first_free, has_accruals}));
        if (repeated) {
            stored = *repeated;
            return OkStatus();
        }
        KESSAI_ASSIGN_OR_RETURN(stored, transaction.Insert(plan, put_by, now));
        return OkStatus();
    }));
    KESSAI_FAULT_POINT("payout.plan.after_commit");
    return stored;
}

}  // namespace kessai::payout::app
