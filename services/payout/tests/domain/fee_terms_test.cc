#include "domain/fee_terms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/payment_change.h"
#include "tests/random_plans.h"

namespace kessai::payout::domain {
namespace {

TEST(FeeTermsTest, RateIsFlooredThenFixedThenBounds) {
    EXPECT_EQ(FeeOf({.rate_basis_points = 198}, 999), 19);  // 19.7802
    EXPECT_EQ(FeeOf({.rate_basis_points = 198, .fixed = 10}, 999), 29);
    EXPECT_EQ(FeeOf({.rate_basis_points = 198, .minimum = 30}, 999), 30);
    EXPECT_EQ(FeeOf({.rate_basis_points = 198, .maximum = 5}, 999), 5);
    EXPECT_EQ(FeeOf({.rate_basis_points = 10'000}, 999), 999);
    EXPECT_EQ(FeeOf({}, 999), 0);
}

TEST(FeeTermsTest, NothingCostsNothing) {
    EXPECT_EQ(FeeOf({.rate_basis_points = 198, .fixed = 10, .minimum = 30}, 0), 0);
}

TEST(FeeTermsTest, ImpossibleTermsAreRefused) {
    const auto reason = [](const FeeTerms& terms) { return std::string(Validate(terms).reason()); };
    EXPECT_EQ(reason({}), "");
    EXPECT_EQ(reason({.rate_basis_points = 10'000, .minimum = 5, .maximum = 5}), "");
    EXPECT_EQ(reason({.rate_basis_points = 10'001}), "PLAN_INVALID");
    EXPECT_EQ(reason({.fixed = -1}), "PLAN_INVALID");
    EXPECT_EQ(reason({.minimum = -1}), "PLAN_INVALID");
    EXPECT_EQ(reason({.maximum = -1}), "PLAN_INVALID");
    EXPECT_EQ(reason({.fixed = kMaxAmount + 1}), "PLAN_INVALID");
    EXPECT_EQ(reason({.minimum = INT64_MAX}), "PLAN_INVALID");
    EXPECT_EQ(reason({.maximum = INT64_MAX}), "PLAN_INVALID");
    EXPECT_EQ(reason({.minimum = 6, .maximum = 5}), "PLAN_INVALID");
}

// Goal: the fee is the stated formula for any terms and amount.
// Method: a million random plans and amounts, against the formula in 128 bits.
TEST(FeeTermsProperty, FeeIsTheFormula) {
    Seeded random;
    for (int i = 0; i < 1'000'000; ++i) {
        const FeeTerms terms = RandomFeeTerms(random);
        ASSERT_TRUE(Validate(terms).ok());
        const std::int64_t amount = random.UpTo(kMaxAmount);
        ASSERT_EQ(FeeOf(terms, amount), ReferenceFee(terms, amount))
            << amount << " at " << terms.rate_basis_points << " + " << terms.fixed << " in "
            << terms.minimum << ".." << terms.maximum;
    }
}

// Goal: refunds of the whole give back the whole fee, whatever its split, and never more.
// Method: a million refunds in random splits of random payments; beside the sum, the cumulative
// rule itself in 128 bits.
TEST(FeeTermsProperty, RefundsOfTheWholeGiveBackTheWholeFee) {
    Seeded random;
    for (int refunds = 0; refunds < 1'000'000;) {
        const FeeTerms terms = RandomFeeTerms(random);
        const std::int64_t captured = 1 + random.UpTo(kMaxAmount - 1);
        const std::int64_t fee = FeeOf(terms, captured);
        std::int64_t refunded = 0;
        std::int64_t returned = 0;
        for (int left = 12; refunded < captured; --left, ++refunds) {
            const std::int64_t rest = captured - refunded;
            const std::int64_t amount = left == 0 ? rest : 1 + random.UpTo(rest - 1);
            const std::int64_t part = FeeReturned(fee, captured, refunded, amount);
            ASSERT_GE(part, 0);
            refunded += amount;
            returned += part;
            const Wide exact = static_cast<Wide>(fee) * refunded / captured;
            ASSERT_EQ(returned, static_cast<std::int64_t>(exact))
                << fee << " of " << captured << ", refunded " << refunded;
        }
        ASSERT_EQ(returned, fee);
    }
}

}  // namespace
}  // namespace kessai::payout::domain
