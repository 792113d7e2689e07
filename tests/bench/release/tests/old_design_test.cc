#include "bench/release/old_design.h"

#include <gtest/gtest.h>

namespace kessai::bench {
namespace {

// Goal: the extrapolation is right where the answer is known.
// Method: a made-up machine on which an accrual costs 2 µs of a worker and a merchant 100 µs of
// all.
TEST(OldDesignTest, ExtrapolatesWhatTheSampleCosts) {
    const OldDesignSample sample{.merchants = 1'000,
                                 .accruals = 5'000,
                                 .seconds = 1'000 * 100e-6 + 5'000 * 2e-6 / 2,
                                 .largest_accruals = 1'000'000,
                                 .largest_seconds = 2.0};
    EXPECT_NEAR(ExtrapolateOldDesign(sample, 15'000'000, 3'000'000, 2), 300 + 15, 0.01);
}

// Goal: a day is never over before its largest merchant is.
TEST(OldDesignTest, LargestMerchantBoundsIt) {
    const OldDesignSample sample{.merchants = 10,
                                 .accruals = 10,
                                 .seconds = 0.001,
                                 .largest_accruals = 9'000'000,
                                 .largest_seconds = 18.0};
    EXPECT_DOUBLE_EQ(ExtrapolateOldDesign(sample, 9'000'010, 11, 8), 18.0);
}

TEST(OldDesignTest, NothingSampledIsNoDivisionByNothing) {
    EXPECT_DOUBLE_EQ(ExtrapolateOldDesign({}, 100, 10, 2), 0.0);
}

}  // namespace
}  // namespace kessai::bench
