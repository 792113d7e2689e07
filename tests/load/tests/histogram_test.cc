// Goal: percentiles can be trusted to a percent, however long the tail, and merging loses nothing.
// Method: values whose percentiles are known, and a comparison with sorted random values.

#include "load/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "load/random.h"

namespace kessai::load {
namespace {

using namespace std::chrono_literals;

TEST(Histogram, IsEmptyAtFirst) {
    const Histogram histogram;
    EXPECT_EQ(histogram.count(), 0u);
    EXPECT_EQ(histogram.Percentile(99).count(), 0);
    EXPECT_EQ(histogram.max().count(), 0);
    EXPECT_EQ(histogram.mean().count(), 0);
}

TEST(Histogram, IsExactBelowAQuarterOfAMillisecond) {
    Histogram histogram;
    for (int us = 1; us <= 200; ++us) histogram.Record(Duration(us));
    EXPECT_EQ(histogram.Percentile(50), 100us);
    EXPECT_EQ(histogram.Percentile(99), 198us);
    EXPECT_EQ(histogram.Percentile(100), 200us);
    EXPECT_EQ(histogram.max(), 200us);
    EXPECT_EQ(histogram.mean(), 100us);  // 100.5, rounded down
}

TEST(Histogram, PutsTheThousandthValueAboveTheNinetyNinePointNinthPercentile) {
    Histogram histogram;
    for (int i = 0; i < 999; ++i) histogram.Record(1ms);
    histogram.Record(5s);
    EXPECT_LE(histogram.Percentile(99.9), 1'008us);
    EXPECT_EQ(histogram.Percentile(100), 5s);
    histogram.Record(5s);
    EXPECT_EQ(histogram.Percentile(99.9), 5s);
}

TEST(Histogram, AgreesWithSortedValuesToAPercent) {
    Random random(20'261'122);
    Histogram histogram;
    std::vector<std::int64_t> values;
    for (int i = 0; i < 200'000; ++i) {
        // From microseconds to minutes, evenly in the logarithm.
        const double us = std::exp(random.Unit() * std::log(3e8));
        values.push_back(static_cast<std::int64_t>(us));
        histogram.Record(Duration(values.back()));
    }
    std::sort(values.begin(), values.end());
    for (const double percent : {1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 99.99}) {
        const auto rank = static_cast<std::size_t>(
            std::ceil(percent / 100 * static_cast<double>(values.size()) - 1e-6));
        const double exact = static_cast<double>(values[rank - 1]);
        const double found = static_cast<double>(histogram.Percentile(percent).count());
        EXPECT_GE(found, exact) << percent;
        EXPECT_LE(found, exact * 1.008 + 1) << percent;
    }
    EXPECT_EQ(histogram.max().count(), values.back());
}

TEST(Histogram, MergesAsIfAllWereRecordedInOne) {
    Histogram one;
    Histogram other;
    Histogram both;
    for (int i = 1; i <= 10'000; ++i) {
        (i % 3 == 0 ? one : other).Record(Duration(i * i));
        both.Record(Duration(i * i));
    }
    one.Merge(other);
    EXPECT_EQ(one.count(), both.count());
    EXPECT_EQ(one.max(), both.max());
    EXPECT_EQ(one.mean(), both.mean());
    for (const double percent : {10.0, 50.0, 99.0}) {
        EXPECT_EQ(one.Percentile(percent), both.Percentile(percent));
    }
}

TEST(Histogram, TakesWhatCannotBe) {
    Histogram histogram;
    histogram.Record(Duration(-5));  // a clock's rounding
    EXPECT_EQ(histogram.Percentile(100).count(), 0);
    histogram.Record(std::chrono::hours(24 * 365));
    EXPECT_EQ(histogram.count(), 2u);
    EXPECT_EQ(histogram.max(), Duration(std::chrono::hours(24 * 365)));
}

}  // namespace
}  // namespace kessai::load
