#include "load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace kessai::load {

// Bucket e·2^7 + (v >> e), with e so that v >> e has 8 bits (or e = 0): 128 buckets an octave.
void Histogram::Record(Duration value) {
    const std::int64_t us = std::max<std::int64_t>(value.count(), 0);
    constexpr std::uint64_t kLargest = (std::uint64_t{1} << (kSubBits + 1 + 28)) - 1;
    const std::uint64_t v = std::min(static_cast<std::uint64_t>(us), kLargest);
    const int exponent = std::max(0, static_cast<int>(std::bit_width(v)) - (kSubBits + 1));
    ++counts_[(static_cast<std::size_t>(exponent) << kSubBits) + (v >> exponent)];
    ++count_;
    sum_us_ += us;
    max_us_ = std::max(max_us_, us);
}

void Histogram::Merge(const Histogram& other) {
    for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_us_ += other.sum_us_;
    max_us_ = std::max(max_us_, other.max_us_);
}

Duration Histogram::mean() const {
    return count_ == 0 ? Duration{} : Duration(sum_us_ / static_cast<std::int64_t>(count_));
}

Duration Histogram::Percentile(double percent) const {
    if (count_ == 0) return Duration{};
    // The tiny subtraction keeps 99.9 % of 1,000 at rank 999 in spite of binary fractions.
    const double exact = percent / 100.0 * static_cast<double>(count_);
    const auto rank = static_cast<std::uint64_t>(std::ceil(std::max(1.0, exact - 1e-6)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
        seen += counts_[i];
        if (seen < rank) continue;
        const std::size_t exponent = i < (2u << kSubBits) ? 0 : (i >> kSubBits) - 1;
        const std::uint64_t mantissa = i - (exponent << kSubBits);
        const auto end = static_cast<std::int64_t>(((mantissa + 1) << exponent) - 1);
        return Duration(std::min(end, max_us_));
    }
    return max();
}

}  // namespace kessai::load
