#pragma once

#include "checks/transfer_events_check.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "report.h"
#include "spill/spill_space.h"

namespace kessai::audit {

/// What follows a merchant's release, in one snapshot of the payout schema: M1, each transfer and
/// adjustment has exactly its journals, and none is lost; M2, stored balances are the sums of
/// journals; M3, nothing is negative in transit; M4, no payout is paid twice, and no adjustment
/// approved by who asked for it. `events` is told of each transfer; null when payout's topic was
/// not read.
Status PassOverMerchantLedger(mysql::Session& session, const SpillSpace& space,
                              TransferEventsCheck* events, Report& report);

}  // namespace kessai::audit
