#pragma once

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "report.h"

namespace kessai::audit {

/// M2: what is kept of days that cannot change any more is what their accruals, releases and
/// journals sum to, account by account. Sums are the server's: a row a day.
Status PassOverLedgerDays(mysql::Session& session, Report& report);

}  // namespace kessai::audit
