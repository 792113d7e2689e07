#include "kessai/money/money.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <random>

namespace kessai {
namespace {

using namespace kessai::literals;  // NOLINT
using ::testing::ElementsAre;

TEST(MoneyTest, AddsAndSubtractsExactly) {
    EXPECT_EQ((1'000_jpy).Add(234_jpy).value(), 1'234_jpy);
    EXPECT_EQ((1'000_jpy).Subtract(1'001_jpy).value(), Yen(-1));
    EXPECT_EQ((1'000_jpy).ToString(), "1000 JPY");
}

// Goal: no arithmetic wraps around.
// Method: step over both ends of 64 bits.
TEST(MoneyTest, OverflowIsRefused) {
    EXPECT_EQ(Yen(INT64_MAX).Add(1_jpy).status().reason(), "AMOUNT_OVERFLOW");
    EXPECT_EQ(Yen(INT64_MIN).Subtract(1_jpy).status().reason(), "AMOUNT_OVERFLOW");
    EXPECT_EQ(Yen(INT64_MIN).Negate().status().reason(), "AMOUNT_OVERFLOW");
    EXPECT_EQ(CheckedMultiply(INT64_MAX, 2).status().reason(), "AMOUNT_OVERFLOW");
}

TEST(CurrencyTest, OnlyKnownCodesParse) {
    EXPECT_EQ(Currency::Parse("JPY").value(), Currency::Jpy());
    for (const char* code : {"", "jpy", "USD", "XXX", "JPYX", "JP"}) {
        EXPECT_EQ(Currency::Parse(code).status().reason(), "CURRENCY_UNKNOWN") << code;
    }
}

TEST(FloorMulDivTest, FloorsTowardNegativeInfinityWithoutOverflowInBetween) {
    EXPECT_EQ(FloorMulDiv(999, 198, 10'000).value(), 19);
    EXPECT_EQ(FloorMulDiv(-999, 198, 10'000).value(), -20);
    EXPECT_EQ(FloorMulDiv(INT64_MAX, 10'000, 10'000).value(), INT64_MAX);
    EXPECT_EQ(FloorMulDiv(INT64_MAX, 2, 1).status().reason(), "AMOUNT_OVERFLOW");
}

TEST(AllocateTest, GivesTheRemainderToTheLargestShares) {
    const std::int64_t weights[] = {1, 1, 1};
    EXPECT_THAT(Allocate(100, weights), ElementsAre(34, 33, 33));
    const std::int64_t skewed[] = {0, 5, 3};
    EXPECT_THAT(Allocate(7, skewed), ElementsAre(0, 4, 3));
}

// Goal: whatever the weights, no yen appears or disappears, and no part is a yen off its share.
// Method: a hundred thousand random splits under a printed seed.
TEST(AllocateTest, PartsAlwaysSumToTheTotal) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    for (int round = 0; round < 100'000; ++round) {
        std::vector<std::int64_t> weights(1 + random() % 6);
        for (auto& weight : weights) weight = static_cast<std::int64_t>(random() % 1'000);
        weights[0] += 1;
        const auto total = static_cast<std::int64_t>(random() % 1'000'000'000);
        const auto parts = Allocate(total, weights);
        const std::int64_t weight_sum = std::accumulate(weights.begin(), weights.end(), 0LL);
        ASSERT_EQ(std::accumulate(parts.begin(), parts.end(), std::int64_t{0}), total);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const std::int64_t floor = FloorMulDiv(total, weights[i], weight_sum).value();
            ASSERT_GE(parts[i], floor);
            ASSERT_LE(parts[i], floor + 1);
        }
    }
}

}  // namespace
}  // namespace kessai
