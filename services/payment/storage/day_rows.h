#pragma once

#include <functional>

#include "app/day_store.h"
#include "kessai/digest/accumulator.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payment::storage {

/// Takes a change that reconciliation compares, and the bucket that its row stands in.
using TakeDayRow = std::function<void(const app::DayRow&, int bucket)>;

/// Gives `take` the changes of a day that reconciliation compares, those of payments, in whatever
/// order. Millions of rows are no matter: they are scanned.
Status ReadDayRows(mysql::Session& session, BusinessDate date, digest::BucketRange buckets,
                   const TakeDayRow& take);

}  // namespace kessai::payment::storage
