#include "app/change_discrepancy.h"

#include "app/discrepancy_changes.h"

namespace kessai::reconciliation::app {

Status ChangeDiscrepancy::Run(domain::DiscrepancyId id, const domain::Order& order) {
    return transactions_.Run([&](Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(domain::Discrepancy discrepancy, books.discrepancies.LockOne(id));
        const Instant now = clock_.Now();
        KESSAI_ASSIGN_OR_RETURN(const auto step, domain::Carry(discrepancy, order, now));
        if (!step) return OkStatus();
        discrepancy.latest = *step;
        DiscrepancyChanges changes(now);
        changes.Add({discrepancy, step});
        return changes.Store(books);
    });
}

}  // namespace kessai::reconciliation::app
