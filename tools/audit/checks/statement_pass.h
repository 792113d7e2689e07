#pragma once

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "model/statement_rows.h"
#include "report.h"
#include "spill/aggregator.h"
#include "spill/spill_space.h"

namespace kessai::audit {

/// Statements that were issued, in one snapshot of the payout schema: M2, their balances are what
/// months of the ledger sum to; M4, versions, what corrects what, files and numbers; M9, what was
/// issued is kept byte by byte. `months` are of all releases and journals; null when they were not
/// read: then without balances.
Status PassOverStatements(mysql::Session& session, const SpillSpace& space,
                          Aggregator<MerchantMonth>* months, Report& report);

}  // namespace kessai::audit
