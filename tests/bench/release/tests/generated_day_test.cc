#include "bench/release/generated_day.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace kessai::bench {
namespace {

using payout::domain::ChangeKind;
using payout::domain::PaymentChange;

DayRecipe Recipe(std::int64_t accruals, std::int64_t merchants, Skew skew) {
    return {BusinessDate::FromNumber(20261102).value(), accruals, merchants, skew, 7};
}

std::vector<PaymentChange> All(const GeneratedDay& day) {
    std::vector<PaymentChange> all;
    std::vector<PaymentChange> block;
    for (std::int64_t i = 0; i < day.block_count(); ++i) {
        day.Make(i, block);
        all.insert(all.end(), block.begin(), block.end());
    }
    return all;
}

std::map<std::int64_t, std::int64_t> CountByMerchant(const std::vector<PaymentChange>& changes) {
    std::map<std::int64_t, std::int64_t> counts;
    for (const PaymentChange& change : changes) ++counts[change.merchant.value()];
    return counts;
}

// Goal: the day is of the asked size, every merchant takes part, and payout would take each change:
// valid, with a key and an event of its own, refunds behind their sale and within it.
TEST(GeneratedDayTest, DayIsWhatItsRecipeSays) {
    for (const Skew skew : {Skew::kZipf, Skew::kUniform, Skew::kHalf}) {
        for (const auto& [accruals, merchants] : std::vector<std::pair<std::int64_t, std::int64_t>>{
                 {1, 1}, {9, 9}, {20'000, 3'000}, {8'192, 2}, {8'193, 1}}) {
            const GeneratedDay day(Recipe(accruals, merchants, skew));
            const auto changes = All(day);
            ASSERT_EQ(static_cast<std::int64_t>(changes.size()), accruals);
            const auto counts = CountByMerchant(changes);
            ASSERT_EQ(static_cast<std::int64_t>(counts.size()), merchants);
            EXPECT_EQ(counts.begin()->first, day.first_merchant().value());
            EXPECT_EQ(counts.rbegin()->first, day.last_merchant().value());
            std::set<payout::domain::EffectKey> keys;
            std::map<payout::domain::PaymentId, PaymentChange> sales;
            std::int64_t last_event = 0;
            for (const PaymentChange& change : changes) {
                ASSERT_TRUE(payout::domain::Validate(change).ok());
                ASSERT_TRUE(keys.insert(change.key).second);
                ASSERT_GT(change.event.value(), last_event);
                last_event = change.event.value();
                if (change.kind == ChangeKind::kCompleted) {
                    sales[change.key.payment] = change;
                    continue;
                }
                ASSERT_EQ(change.kind, ChangeKind::kRefunded);
                const PaymentChange& sale = sales.at(change.key.payment);
                ASSERT_EQ(sale.merchant, change.merchant);
                ASSERT_LE(change.amount, sale.amount);
            }
        }
    }
}

TEST(GeneratedDayTest, SameRecipeGivesTheSameDayBlockByBlock) {
    const GeneratedDay day(Recipe(30'000, 500, Skew::kZipf));
    const GeneratedDay again(Recipe(30'000, 500, Skew::kZipf));
    DayRecipe other_recipe = Recipe(30'000, 500, Skew::kZipf);
    other_recipe.seed = 8;
    const GeneratedDay other(other_recipe);
    std::vector<PaymentChange> a;
    std::vector<PaymentChange> b;
    std::vector<PaymentChange> c;
    const auto same = [](const PaymentChange& x, const PaymentChange& y) {
        return x.key == y.key && x.merchant == y.merchant && x.amount == y.amount &&
               x.kind == y.kind;
    };
    // In another order: blocks do not depend on each other.
    for (std::int64_t block = day.block_count() - 1; block >= 0; --block) {
        day.Make(block, a);
        again.Make(block, b);
        other.Make(block, c);
        EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end(), same));
        EXPECT_FALSE(std::equal(a.begin(), a.end(), c.begin(), c.end(), same));
    }
}

// Goal: skews differ as their names say.
TEST(GeneratedDayTest, SkewsShapeTheDay) {
    const auto largest = [](Skew skew) {
        const GeneratedDay day(Recipe(100'000, 1'000, skew));
        const auto counts = CountByMerchant(All(day));
        const auto most =
            std::max_element(counts.begin(), counts.end(),
                             [](const auto& a, const auto& b) { return a.second < b.second; });
        EXPECT_TRUE(skew == Skew::kUniform || most->first == day.MerchantAt(0).value());
        return most->second;
    };
    EXPECT_LT(largest(Skew::kUniform), 200);
    const std::int64_t zipf = largest(Skew::kZipf);
    EXPECT_GT(zipf, 10'000);
    EXPECT_LT(zipf, 20'000);
    EXPECT_NEAR(static_cast<double>(largest(Skew::kHalf)), 50'000, 2'500);
}

TEST(GeneratedDayTest, SomeSalesAreRefunded) {
    const auto changes = All(GeneratedDay(Recipe(100'000, 1'000, Skew::kZipf)));
    const auto refunds = std::count_if(changes.begin(), changes.end(), [](const auto& change) {
        return change.kind == ChangeKind::kRefunded;
    });
    EXPECT_GT(refunds, 2'000);
    EXPECT_LT(refunds, 5'000);
}

TEST(GeneratedDayTest, SkewsHaveNames) {
    for (const Skew skew : {Skew::kZipf, Skew::kUniform, Skew::kHalf}) {
        EXPECT_EQ(SkewOf(NameOf(skew)), skew);
    }
    EXPECT_EQ(SkewOf("steep"), std::nullopt);
}

}  // namespace
}  // namespace kessai::bench
