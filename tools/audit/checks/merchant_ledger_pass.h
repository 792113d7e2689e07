#pragma once

#include "checks/transfer_events_check.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "model/statement_rows.h"
#include "report.h"
#include "spill/aggregator.h"
#include "spill/spill_space.h"

namespace kessai::audit {

/// What follows a merchant's release, in one snapshot of the payout schema: M1, each transfer and
/// adjustment has exactly its journals, none is lost, and results are those of the bank's files;
/// M2, stored balances are the sums of journals, a file's sums those of its transfers, and open
/// holds counted; M3, nothing is negative in transit, nor available after a transfer was made; M4, no payout is paid twice, none to an
/// account that one operator put alone, and no adjustment approved by who asked for it; M9,
/// journals' days rise with their numbers. `events` is told of each transfer; null when payout's
/// topic was not read. `months` gets what each journal moves; null: nobody asks.
Status PassOverMerchantLedger(mysql::Session& session, const SpillSpace& space,
                              TransferEventsCheck* events, Aggregator<MerchantMonth>* months,
                              Report& report);

}  // namespace kessai::audit
