#include "app/record_conflicts.h"

#include "app/discrepancy_changes.h"

namespace kessai::reconciliation::app {

Status RecordConflicts::Apply(Books& books, std::span<const domain::Finding> findings) const {
    DiscrepancyChanges changes(clock_.Now());
    KESSAI_RETURN_IF_ERROR(changes.AddFindings(books, findings, nullptr));
    return changes.Store(books);
}

}  // namespace kessai::reconciliation::app
