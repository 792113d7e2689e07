#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/values.h"

// Rows of the payout schema about merchants held back and about kept days, as they are stored.
namespace kessai::audit {

struct HoldSums {
    std::int64_t gross = 0;
    std::int64_t fee = 0;
    std::int64_t count = 0;
    bool operator==(const HoldSums&) const = default;
};

/// One row of `merchant_hold_step`, with its merchant's `merchant_hold` beside it.
struct HoldStepRow {
    std::int64_t hold_number = 0;
    std::uint32_t version = 0;
    DayNumber business_date = 0;
    std::int64_t merchant_id = 0;
    int reason = 0;
    HoldSums totals;
    HoldSums recounted;
    std::string note;
    std::optional<int> released_round;
    std::int64_t at_us = 0;

    bool hold_is_there = false;
    int hold_reason = 0;
    HoldSums hold_totals;
    HoldSums hold_recounted;
    std::optional<int> hold_released_round;
};

}  // namespace kessai::audit
