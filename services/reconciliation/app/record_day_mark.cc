#include "app/record_day_mark.h"

namespace kessai::reconciliation::app {

Status RecordDayMark(Books& books, const DayMark& mark) {
    KESSAI_RETURN_IF_ERROR(books.days.LockDay(mark.business_date));
    KESSAI_RETURN_IF_ERROR(
        books.days.AddMark(mark.business_date, mark.source, mark.partition, mark.partition_count));
    KESSAI_ASSIGN_OR_RETURN(const bool closed, IsDayClosed(books, mark.business_date));
    if (!closed) return OkStatus();
    return books.days.MarkDue(mark.business_date);
}

Result<bool> IsDayClosed(Books& books, BusinessDate business_date) {
    for (const auto source : {domain::Source::kPayment, domain::Source::kPayout}) {
        KESSAI_ASSIGN_OR_RETURN(const domain::DayMarks marks,
                                books.days.Marks(business_date, source));
        if (!marks.Complete()) return false;
    }
    return true;
}

}  // namespace kessai::reconciliation::app
