#pragma once

#include <cstdint>

#include "checks/held_discrepancies.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "report.h"
#include "source/inbox_tables.h"
#include "source/topic_contents.h"

namespace kessai::audit {

/// What others were told of merchants held back: M8, the steps of each hold are 1, 2, …, and its
/// last one says what the hold says; M6, every step has its event, which says what the row says,
/// and no event tells of a step that was not made. `contents` may be null: then without M6. What
/// was stored before `began_at_us` must have been published, unless it waits in `unsent`.
/// `discrepancies` is told of the last step of each hold; null when reconciliation was not read.
Status PassOverHolds(mysql::Session& session, TopicContents* contents, const UnsentRows& unsent,
                     std::int64_t began_at_us, HeldDiscrepanciesCheck* discrepancies,
                     Report& report);

}  // namespace kessai::audit
