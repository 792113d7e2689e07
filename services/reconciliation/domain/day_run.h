#pragma once

#include <cstdint>
#include <string>

#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::domain {

/// Numbers are stored and sent (kessai.reconciliation.v1.DayRun): they never change.
enum class DayRunState : std::uint8_t {
    kRunning = 1,
    /// The books agree, and with what was matched.
    kEqual = 2,
    kDifferent = 3,
    /// It could not be finished; what it found until then is recorded. Another run may follow.
    kFailed = 4,
};

/// One comparison of a closed day.
struct DayRun {
    BusinessDate business_date{};
    /// 1, 2, 3, … per day.
    std::uint32_t number = 0;
    /// The digests were computed from the rows instead of taken as they are kept.
    bool deep = false;
    DayRunState state = DayRunState::kRunning;
    std::uint32_t buckets_compared = 0;
    std::uint32_t buckets_different = 0;
    /// Rows that payment and payout listed for buckets that differ.
    std::uint64_t rows_listed = 0;
    /// Discrepancies that this run saw, whether new or known.
    std::uint32_t discrepancies_found = 0;
    Instant started_at{};
    /// The epoch while it runs.
    Instant finished_at{};
    /// Why it failed; empty otherwise.
    std::string failure{};

    bool operator==(const DayRun&) const = default;
};

}  // namespace kessai::reconciliation::domain
