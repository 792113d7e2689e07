#include "domain/merchant_day.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "domain/kind_guide.h"
#include "tests/claims.h"

namespace kessai::reconciliation::domain {
namespace {

using testing::Day;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum DiscrepancyKind;

MerchantDayLine LineOf(std::int64_t gross, std::int64_t fee, std::int64_t count) {
    const std::int64_t tax = fee / 10;
    const LineSums sums{gross, fee, count};
    return {.tax_class = TaxClass::kStandard10,
            .matched = sums,
            .accrued = sums,
            .released = ReleasedLine{sums, tax, gross - fee - tax}};
}

std::set<DiscrepancyKind> KindsOf(const std::vector<Finding>& findings) {
    std::set<DiscrepancyKind> kinds;
    for (const Finding& finding : findings) kinds.insert(finding.subject.kind);
    return kinds;
}

// Goal: exactly what is wrong is found, whatever it is.
// Method: days of several classes that agree, with random numbers; one number of one line changed,
// and for each the kinds by hand.
TEST(MerchantDayTest, EveryChangedNumberIsFound) {
    const auto seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto upto = [&](std::int64_t max) {
        return std::uniform_int_distribution<std::int64_t>(0, max)(random);
    };
    for (int round = 0; round < 20'000; ++round) {
        MerchantDay merchant{.merchant = MerchantId(7)};
        merchant.lines.push_back(LineOf(upto(1'000'000) - 1'000, upto(30'000) - 500, 1 + upto(99)));
        if (upto(1) == 0) {
            merchant.lines.push_back(LineOf(-upto(5'000), -upto(90), 1 + upto(9)));
            merchant.lines.back().tax_class = TaxClass::kStandard8;
            ReleasedLine& released = *merchant.lines.back().released;
            released.tax = released.sums.fee * 8 / 100;
            released.net = released.sums.gross - released.sums.fee - released.tax;
        }
        ASSERT_THAT(CheckMerchantDay(Day(), merchant, true), IsEmpty());
        MerchantDayLine& line = merchant.lines[static_cast<std::size_t>(
            upto(static_cast<std::int64_t>(merchant.lines.size()) - 1))];
        const std::int64_t by = (upto(1) == 0 ? 1 : -1) * (1 + upto(1'000));
        std::set<DiscrepancyKind> expected;
        switch (upto(7)) {
            case 0:
                line.matched.gross += by;
                expected = {kAccruedDiffers};
                break;
            case 1:
                line.matched.fee += by;
                expected = {kAccruedDiffers};
                break;
            case 2:
                line.matched.item_count += by;
                expected = {kAccruedDiffers};
                break;
            case 3:
                line.accrued.fee += by;
                expected = {kAccruedDiffers, kReleasedDiffers};
                break;
            case 4:
                line.released->sums.gross += by;
                line.released->net += by;
                expected = {kReleasedDiffers};
                break;
            case 5:
                line.released->net += by;
                expected = {kReleasedDiffers};
                break;
            case 6: {
                // Beyond what another order of the month's days could round it to.
                const std::int64_t shift = by > 0 ? by + 3 : by - 3;
                line.released->tax += shift;
                line.released->net -= shift;
                expected = {kReleasedDiffers};
                break;
            }
            default:
                line.released.reset();
                expected = {kReleasedDiffers};
                break;
        }
        ASSERT_EQ(KindsOf(CheckMerchantDay(Day(), merchant, true)), expected) << round;
        expected.erase(kReleasedDiffers);
        ASSERT_EQ(KindsOf(CheckMerchantDay(Day(), merchant, false)), expected) << round;
        merchant.held_back = true;
        ASSERT_EQ(KindsOf(CheckMerchantDay(Day(), merchant, true)), expected) << round;
    }
}

TEST(MerchantDayTest, AFindingHasBothSums) {
    MerchantDay merchant{.merchant = MerchantId(7), .lines = {LineOf(1'000, 20, 3)}};
    merchant.lines[0].matched.gross = 900;
    const auto findings = CheckMerchantDay(Day(), merchant, true);
    ASSERT_THAT(findings, SizeIs(1));
    EXPECT_EQ(findings[0].subject.held_merchant, MerchantId(7));
    EXPECT_EQ(findings[0].payment_gross, 880);
    EXPECT_EQ(findings[0].payout_gross, 980);
    EXPECT_THAT(findings[0].evidence, HasSubstr("standard_10: matched was gross 900, fee 20"));
}

// Goal: a tax that differs from the day's own by the month's rounding is no fault.
TEST(MerchantDayTest, TaxMayBeRoundedWithTheMonth) {
    MerchantDay merchant{.merchant = MerchantId(7), .lines = {LineOf(1'000, 25, 3)}};
    for (const auto& [tax, found] : std::vector<std::pair<std::int64_t, bool>>{
             {1, false}, {2, false}, {3, false}, {4, false}, {5, true}, {0, true}}) {
        merchant.lines[0].released->tax = tax;
        merchant.lines[0].released->net = 975 - tax;
        EXPECT_EQ(!CheckMerchantDay(Day(), merchant, true).empty(), found) << tax;
    }
}

// Goal: what an older version matched, without classes and fees, is held against gross and number.
TEST(MerchantDayTest, MatchesWithoutFeesAreComparedByGross) {
    MerchantDay merchant{.merchant = MerchantId(7), .lines = {LineOf(1'000, 20, 3)}};
    merchant.lines[0].matched = {400, 8, 1};
    merchant.lines.push_back({.tax_class = TaxClass::kNotNoted, .matched = {600, 0, 2}});
    EXPECT_THAT(CheckMerchantDay(Day(), merchant, true), IsEmpty());
    merchant.lines[1].matched.gross = 599;
    const auto findings = CheckMerchantDay(Day(), merchant, true);
    ASSERT_EQ(KindsOf(findings), std::set{kAccruedDiffers});
    EXPECT_EQ(findings[0].payment_gross, 999);
    EXPECT_EQ(findings[0].payout_gross, 1'000);
}

TEST(MerchantDayTest, DamagedNumbersEndNothing) {
    MerchantDay merchant{.merchant = MerchantId(7), .lines = {LineOf(1'000, 20, 3)}};
    const LineSums damaged{INT64_MAX, INT64_MIN, INT64_MAX};
    merchant.lines.push_back({.tax_class = TaxClass::kStandard8,
                              .matched = damaged,
                              .accrued = damaged,
                              .released = ReleasedLine{damaged, INT64_MIN / 10, INT64_MIN}});
    EXPECT_EQ(KindsOf(CheckMerchantDay(Day(), merchant, true)), std::set{kReleasedDiffers});
}

TEST(MerchantDayTest, ReleaseTotalsAreOne) {
    const ReleaseTotals totals{.merchant_count = 3, .gross = 100, .fee = 5, .tax = 0, .net = 95};
    EXPECT_THAT(CheckReleaseTotals(Day(), totals, totals, totals), IsEmpty());
    ReleaseTotals told = totals;
    told.gross = 101;
    const auto findings = CheckReleaseTotals(Day(), told, totals, totals);
    ASSERT_EQ(KindsOf(findings), std::set{kReleaseToldDiffers});
    EXPECT_EQ(findings[0].payment_gross, 100);
    EXPECT_EQ(findings[0].payout_gross, 101);
}

TEST(MerchantDayTest, BalancesAreWhatMovedThem) {
    MerchantFunds funds{.merchant = MerchantId(7),
                        .released = 1'000,
                        .adjusted = -50,
                        .paid = 700,
                        .prices = 20,
                        .came_back = 300,
                        .open_transfers = 100,
                        .available = 530,
                        .in_transit = 100};
    EXPECT_THAT(CheckFunds(Day(), funds), IsEmpty());
    funds.available = 531;
    const auto findings = CheckFunds(Day(), funds);
    ASSERT_EQ(KindsOf(findings), std::set{kBalanceDiffers});
    EXPECT_EQ(*findings[0].payout_gross - *findings[0].payment_gross, 1);
    funds.available = 530;
    funds.in_transit = 99;
    EXPECT_EQ(KindsOf(CheckFunds(Day(), funds)), std::set{kBalanceDiffers});
}

// Goal: whoever sees a discrepancy is told what it means and what to do, of every kind.
TEST(KindGuideTest, EveryKindHasWords) {
    std::set<std::string_view> meanings;
    for (int number = 1; number <= kDiscrepancyKinds; ++number) {
        const auto kind = static_cast<DiscrepancyKind>(number);
        const KindGuide guide = GuideOf(kind);
        EXPECT_GT(guide.meaning.size(), 20u) << KindName(kind);
        EXPECT_GT(guide.what_to_do.size(), 20u) << KindName(kind);
        EXPECT_TRUE(meanings.insert(guide.meaning).second) << KindName(kind);
        EXPECT_NE(KindName(kind), "UNKNOWN");
    }
}

}  // namespace
}  // namespace kessai::reconciliation::domain
