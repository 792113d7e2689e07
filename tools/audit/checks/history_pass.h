#pragma once

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "report.h"
#include "rules/history_chain.h"
#include "source/trail_ends_file.h"
#include "spill/spill_space.h"

namespace kessai::audit {

/// M9 of reconciliation's history: every step, and every repair that it tells of, is as it was
/// stored; none is gone, was put in or put elsewhere; and each discrepancy is what its last step
/// says. What an `earlier` audit saw at the ends of the trail's slots is there still. Gives the
/// ends as they are now, with the earlier one of a slot where something is wrong. `session` is a
/// snapshot.
Result<TrailEnds> CheckHistory(mysql::Session& session, const HistoryChain& chain,
                               const SpillSpace& space, const TrailEnds& earlier, Report& report);

}  // namespace kessai::audit
