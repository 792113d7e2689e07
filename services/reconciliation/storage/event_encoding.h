#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/day_run.h"
#include "domain/discrepancy.h"
#include "domain/merchant_files.h"
#include "kessai/result/result.h"

namespace kessai::reconciliation::storage {

/// The event of a discrepancy's latest step, sealed: a function of the step's row and of what the
/// discrepancy is about. Refusals: those of event::Seal.
Result<std::string> SealStep(const domain::Discrepancy& discrepancy);

/// The event of a run's end. Its object is the date as yyyymmdd, its version the run's number.
Result<std::string> SealRun(const domain::DayRun& run, domain::EventId event);

/// The event of a file's latest announcement, by whom (empty: it was made) and when. Its object is
/// the file, its version the announcement's number.
Result<std::string> SealFile(const domain::MerchantFile& file, std::string_view by, Instant at);

/// Sums of a file's columns, as a column keeps them.
std::string EncodeTotals(const std::vector<filetemplate::ColumnTotal>& totals);
/// DATA_LOSS FILE_DAMAGED.
Result<std::vector<filetemplate::ColumnTotal>> DecodeTotals(std::string_view bytes);

}  // namespace kessai::reconciliation::storage
