#pragma once

#include <map>
#include <utility>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "model/values.h"
#include "model/wide.h"
#include "report.h"
#include "source/payment_tables.h"

namespace kessai::audit {

/// What postings moved, over all owners, by day and kind of account.
using MovedByDay = std::map<std::pair<DayNumber, int>, Wide>;

/// M2: what payment keeps of days that have ended is what their postings sum to, account by
/// account, and it keeps no other days.
Status CheckKeptDays(mysql::Session& session, const MovedByDay& moved, const PaymentDays& days,
                     Report& report);

}  // namespace kessai::audit
