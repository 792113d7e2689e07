#pragma once

#include "bench/release/day_facts.h"
#include "bench/release/generated_day.h"
#include "kessai/mysql/pool.h"
#include "kessai/result/result.h"

namespace kessai::bench {

/// Writes a generated day straight into payout's tables, as its ingestion would leave them: the
/// accrual rows with the fees of the real rules, in the order of time, and the totals by slot. The
/// day is open, and has had all its marks. `pool` is of a migrated schema that knows nothing yet.
Result<DayFacts> LoadDay(mysql::Pool& pool, const GeneratedDay& day, int threads);

}  // namespace kessai::bench
