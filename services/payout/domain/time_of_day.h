#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::payout::domain {

/// "09:00", in Japan, as time since midnight; of an empty text nothing.
/// INVALID_ARGUMENT TIME_OF_DAY_MALFORMED.
Result<std::optional<std::chrono::seconds>> ParseTimeOfDay(std::string_view text);

}  // namespace kessai::payout::domain
