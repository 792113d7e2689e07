#pragma once

#include <cstdint>

#include "app/books.h"
#include "domain/day_marks.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::app {

/// A mark as it stands in one partition of a source's topic.
struct DayMark {
    BusinessDate business_date;
    domain::Source source = domain::Source::kPayment;
    std::uint32_t partition = 0;
    std::uint32_t partition_count = 0;
};

/// Use case: a side has closed a day in one partition. With the last mark of both sides the day is
/// due to be compared. In the caller's transaction; again changes nothing.
Status RecordDayMark(Books& books, const DayMark& mark);

/// Whether both sides have closed the day in all partitions.
Result<bool> IsDayClosed(Books& books, BusinessDate business_date);

}  // namespace kessai::reconciliation::app
