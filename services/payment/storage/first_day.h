#pragma once

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payment::storage {

/// Gives books that nothing was written to yet the day that they begin with; books that have begun
/// keep theirs. The migration begins them on the day on which it runs.
Status SetFirstDay(mysql::Session& session, BusinessDate day);

}  // namespace kessai::payment::storage
