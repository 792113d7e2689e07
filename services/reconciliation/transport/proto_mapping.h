#pragma once

#include <string>
#include <string_view>

#include "app/enquiries.h"
#include "domain/day_run.h"
#include "domain/discrepancy.h"
#include "domain/match.h"
#include "domain/payout_check.h"
#include "kessai/reconciliation/v1/reconciliation_service.pb.h"
#include "kessai/result/result.h"

namespace kessai::reconciliation::transport {

v1::Match ToProto(const domain::Match& match);
v1::Discrepancy ToProto(const app::DiscrepancyRecord& record);
v1::DayRun ToProto(const domain::DayRun& run);

v1::PayoutCheck ToProto(const domain::PayoutCheck& check);

/// INVALID_ARGUMENT FIELD_INVALID for what is not a date, or not a state.
Result<BusinessDate> DateFrom(std::int32_t yyyymmdd);
Result<domain::DiscrepancyState> StateFrom(v1::Discrepancy::State state);

/// The place in a list behind a discrepancy, as text that callers give back.
std::string PageTokenAfter(domain::DiscrepancyId id);
/// Empty: the first page (none). INVALID_ARGUMENT PAGE_TOKEN_INVALID.
Result<domain::DiscrepancyId> PageTokenFrom(std::string_view token);

}  // namespace kessai::reconciliation::transport
