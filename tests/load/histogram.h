#pragma once

#include <array>
#include <cstdint>

#include "kessai/time/clock.h"

namespace kessai::load {

/// Counts durations, to the microsecond below 256 µs and to better than 0.8 % above, up to some 19
/// hours (longer ones count as that). Fixed size; recording is a few instructions. One thread at a
/// time.
class Histogram {
 public:
    void Record(Duration value);
    void Merge(const Histogram& other);

    std::uint64_t count() const { return count_; }
    /// Exact; zero when empty.
    Duration max() const { return Duration(max_us_); }
    Duration mean() const;
    /// The smallest value that at least `percent` of all do not exceed, rounded up to its bucket's
    /// end and never above max(). Zero when empty. Precondition: 0 < percent ≤ 100.
    Duration Percentile(double percent) const;

 private:
    static constexpr int kSubBits = 7;
    static constexpr std::size_t kBuckets = (28 + 2) << kSubBits;

    std::array<std::uint64_t, kBuckets> counts_{};
    std::uint64_t count_ = 0;
    std::int64_t sum_us_ = 0;
    std::int64_t max_us_ = 0;
};

}  // namespace kessai::load
