#pragma once

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "report.h"
#include "rules/history_chain.h"
#include "spill/spill_space.h"

namespace kessai::audit {

/// M9 of reconciliation's history: every step, and every repair that it tells of, is as it was
/// stored; none is gone, was put in or put elsewhere; and each discrepancy is what its last step
/// says. `session` is a snapshot.
Status CheckHistory(mysql::Session& session, const HistoryChain& chain, const SpillSpace& space,
                    Report& report);

}  // namespace kessai::audit
