#pragma once

#include <string>

#include "domain/day_run.h"
#include "domain/discrepancy.h"
#include "kessai/result/result.h"

namespace kessai::reconciliation::storage {

/// The event of a discrepancy's latest step, sealed: a function of the step's row and of what the
/// discrepancy is about. Refusals: those of event::Seal.
Result<std::string> SealStep(const domain::Discrepancy& discrepancy);

/// The event of a run's end. Its object is the date as yyyymmdd, its version the run's number.
Result<std::string> SealRun(const domain::DayRun& run, domain::EventId event);

}  // namespace kessai::reconciliation::storage
