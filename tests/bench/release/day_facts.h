#pragma once

#include <cstdint>

namespace kessai::bench {

/// What a generated day holds, by what was generated: whatever the database says is held against
/// it.
struct DayFacts {
    std::int64_t accruals = 0;
    std::int64_t merchants = 0;
    std::int64_t gross = 0;
    std::int64_t fee = 0;
    /// Of the merchant that has most.
    std::int64_t largest = 0;

    bool operator==(const DayFacts&) const = default;
};

}  // namespace kessai::bench
