// Goal: merchants are drawn as often as Zipf's law says, and a hot one takes its share.
// Method: draws with a fixed seed, compared with the probabilities by Pearson's chi-squared.

#include "load/zipf.h"

#include <gtest/gtest.h>

#include <cmath>

namespace kessai::load {
namespace {

constexpr int kDraws = 1'000'000;

std::vector<int> Counts(const WeightedChoice& choice) {
    Random random(7);
    std::vector<int> counts(choice.size());
    for (int i = 0; i < kDraws; ++i) ++counts[choice.Draw(random)];
    return counts;
}

/// How unlikely the counts are, in standard deviations of chi-squared (mean k-1, variance 2(k-1)).
double Surprise(const WeightedChoice& choice) {
    const auto counts = Counts(choice);
    double chi_squared = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const double expected = choice.ProbabilityOf(i) * kDraws;
        chi_squared += (counts[i] - expected) * (counts[i] - expected) / expected;
    }
    const auto freedom = static_cast<double>(counts.size() - 1);
    return (chi_squared - freedom) / std::sqrt(2 * freedom);
}

TEST(Zipf, DrawsByTheLaw) {
    const auto choice = WeightedChoice::Zipf(1'000, 1.0);
    EXPECT_NEAR(choice.ProbabilityOf(0) / choice.ProbabilityOf(9), 10.0, 1e-9);
    EXPECT_NEAR(choice.ProbabilityOf(0), 0.1336, 0.0001);  // one over the 1000th harmonic number
    EXPECT_LT(std::abs(Surprise(choice)), 4);
}

TEST(Zipf, IsUniformWithExponentZero) {
    const auto choice = WeightedChoice::Zipf(64, 0);
    EXPECT_NEAR(choice.ProbabilityOf(0), choice.ProbabilityOf(63), 1e-12);
    EXPECT_LT(std::abs(Surprise(choice)), 4);
}

TEST(Zipf, GivesTheHotOneItsShareAndLeavesTheOthersTheirOrder) {
    const auto choice = WeightedChoice::ZipfWithHotFirst(1'000, 1.0, 0.5);
    EXPECT_NEAR(choice.ProbabilityOf(0), 0.5, 1e-9);
    EXPECT_NEAR(choice.ProbabilityOf(1) / choice.ProbabilityOf(4), 4.0, 1e-9);
    EXPECT_LT(std::abs(Surprise(choice)), 4);
    EXPECT_NEAR(Counts(choice)[0], kDraws / 2, 3'000);
}

TEST(Zipf, DrawsTheOnlyOne) {
    const auto choice = WeightedChoice::Zipf(1, 1.0);
    Random random(1);
    EXPECT_EQ(choice.Draw(random), 0u);
}

TEST(Random, RepeatsItselfBySeedAndStaysInItsBounds) {
    Random one(42);
    Random same(42);
    Random other(43);
    int equal = 0;
    for (int i = 0; i < 1'000; ++i) {
        const auto drawn = one.Next();
        EXPECT_EQ(drawn, same.Next());
        equal += drawn == other.Next() ? 1 : 0;
        EXPECT_LT(one.Below(10), 10u);
        const double unit = one.Unit();
        EXPECT_TRUE(unit >= 0 && unit < 1);
        same.Below(10);
        same.Unit();
        other.Below(10);
        other.Unit();
    }
    EXPECT_EQ(equal, 0);
}

}  // namespace
}  // namespace kessai::load
