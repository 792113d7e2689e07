#include "app/assign_fee_plan.h"

#include <algorithm>
#include <set>

#include "domain/admit_assignment.h"
#include "domain/reason.h"
#include "kessai/faults/fault_point.h"

namespace kessai::payout::app {
namespace {

Status Invalid(const char* message) {
    return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid, message);
}

}  // namespace

Result<std::vector<domain::PlanAssignment>> AssignFeePlan::Run(
    std::span<const domain::MerchantId> merchants, const Wish& wish, std::string_view put_by) {
    const std::set<domain::MerchantId> in_order(merchants.begin(), merchants.end());
    if (in_order.empty()) return Invalid("no merchant is named");
    if (in_order.size() != merchants.size()) return Invalid("a merchant is named twice");
    if (in_order.size() > kMerchantsMax) return Invalid("more than 500 merchants are named");

    std::vector<domain::PlanAssignment> outcome;
    KESSAI_RETURN_IF_ERROR(store_.InPlanTransaction([&](PlanTransaction& transaction) -> Status {
        outcome.clear();
        std::vector<domain::PlanAssignment> added;
        const Instant now = clock_.Now();
        KESSAI_ASSIGN_OR_RETURN(const BusinessDate first_free, FirstFreeDay(transaction, now));
        KESSAI_ASSIGN_OR_RETURN(const auto plan, transaction.VersionsOf(wish.plan));
        for (const domain::MerchantId merchant : in_order) {
            KESSAI_ASSIGN_OR_RETURN(const auto own, transaction.Versions(merchant));
            KESSAI_ASSIGN_OR_RETURN(const auto assignments, transaction.Assignments(merchant));
            KESSAI_ASSIGN_OR_RETURN(
                const bool has_accruals,
                MayHaveAccruals(transaction, merchant, wish.effective_from, first_free));
            const domain::PlanAssignment candidate{merchant, wish.plan, wish.effective_from,
                                                   wish.effective_to, 0};
            KESSAI_ASSIGN_OR_RETURN(
                const auto repeated,
                domain::Admit(candidate, {plan, own, assignments, first_free, has_accruals}));
            (repeated ? outcome : added).push_back(repeated.value_or(candidate));
        }
        if (added.empty()) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const auto stored, transaction.Insert(added, put_by, now));
        outcome.insert(outcome.end(), stored.begin(), stored.end());
        std::sort(outcome.begin(), outcome.end(),
                  [](const auto& a, const auto& b) { return a.merchant < b.merchant; });
        return OkStatus();
    }));
    KESSAI_FAULT_POINT("payout.plan.after_commit");
    return outcome;
}

}  // namespace kessai::payout::app
