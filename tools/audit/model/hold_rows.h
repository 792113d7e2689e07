#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

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

/// A row of reconciliation's `noted_hold`: a step that it was told of.
struct NotedHoldRow {
    std::int64_t object_id = 0;
    std::uint32_t version = 0;
};

/// One row of reconciliation's `discrepancy` of a merchant held back (kind 12).
struct HeldDiscrepancyRow {
    DayNumber business_date = 0;
    std::int64_t merchant_id = 0;
    int state = 0;
    std::int64_t discrepancy_id = 0;

    auto place() const { return std::tuple(business_date, merchant_id); }
};

/// What reconciliation must know of a hold.
struct KnownHold {
    enum class State : std::uint8_t {
        kHeld,
        kReleased,
        /// It was told less, or more, than is looked at: its news is under way.
        kUnderWay,
    };
    DayNumber business_date = 0;
    std::int64_t merchant_id = 0;
    State state = State::kHeld;

    auto place() const { return std::tuple(business_date, merchant_id); }
    bool operator<(const KnownHold& other) const { return place() < other.place(); }
};

}  // namespace kessai::audit
