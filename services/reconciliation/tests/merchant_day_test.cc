#include "domain/merchant_day.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "domain/kind_guide.h"
#include "domain/release_events.h"
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
            .released = ReleasedLine{sums, tax, gross - fee - tax, 0}};
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
        // Other days of the month were released before.
        for (MerchantDayLine& line : merchant.lines) {
            const std::int64_t rate = line.tax_class == TaxClass::kStandard8 ? 8 : 10;
            ReleasedLine& released = *line.released;
            released.cycle_fee_before = upto(60'000) - 2'000;
            const std::int64_t after = released.cycle_fee_before + released.sums.fee;
            released.tax = after * rate / 100 - released.cycle_fee_before * rate / 100;
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
            case 6:
                line.released->tax += by;
                line.released->net -= by;
                expected = {kReleasedDiffers};
                break;
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

// Goal: a day's tax is what the month's rounded tax grows by, and nothing else, to the yen.
TEST(MerchantDayTest, TaxIsRoundedWithTheMonth) {
    MerchantDay merchant{.merchant = MerchantId(7), .lines = {LineOf(1'000, 25, 3)}};
    ReleasedLine& released = *merchant.lines[0].released;
    // Toward zero, for returns too: of fees of -5 there is no tax, of 20 there are 2.
    for (const auto& [before, expected] : std::vector<std::pair<std::int64_t, std::int64_t>>{
             {0, 2}, {4, 2}, {5, 3}, {9, 3}, {10, 2}, {-5, 2}, {-25, 2}, {-24, 2}, {-9, 1}}) {
        released.cycle_fee_before = before;
        for (std::int64_t tax = 0; tax < 5; ++tax) {
            released.tax = tax;
            released.net = 975 - tax;
            const auto findings = CheckMerchantDay(Day(), merchant, true);
            ASSERT_EQ(findings.empty(), tax == expected) << before << " " << tax;
            if (tax == expected) continue;
            EXPECT_THAT(findings[0].evidence,
                        HasSubstr("should be " + std::to_string(expected) +
                                  ": that of fee 25, after fees of " + std::to_string(before)));
        }
    }
}

ToldRound RoundOf(std::uint32_t version, std::optional<BusinessDate> told_date,
                  std::int64_t gross) {
    return {.day = Day(),
            .version = version,
            .told_date = told_date,
            .totals = {.merchant_count = 1, .gross = gross, .fee = 2, .tax = 0, .net = gross - 2}};
}

// Goal: an event of a release is missed exactly when it can come no more.
TEST(ReleaseEventsTest, WhatCanComeNoMoreIsMissing) {
    const std::vector<ToldRound> rounds{RoundOf(1, Day(1), 100), RoundOf(3, Day(2), 40)};
    const ReleaseTotals all = Sum(rounds[0].totals, rounds[1].totals);
    const HeardRounds first{{1, rounds[0].totals}};

    auto events =
        HoldRounds(rounds, {{1, rounds[0].totals}, {3, rounds[1].totals}}, {Day(1), Day(2)}, true);
    EXPECT_EQ(events.told, all);
    EXPECT_FALSE(events.on_the_way);
    EXPECT_THAT(events.missing, IsEmpty());
    EXPECT_THAT(MissingReleaseEvents(Day(), events.missing), IsEmpty());

    events = HoldRounds(rounds, first, {Day(1)}, true);
    EXPECT_TRUE(events.on_the_way);
    EXPECT_THAT(events.missing, IsEmpty());

    events = HoldRounds(rounds, first, {Day(1), Day(2)}, true);
    EXPECT_FALSE(events.on_the_way);
    EXPECT_EQ(events.told, all) << "so that this is not found twice";
    ASSERT_THAT(events.missing, SizeIs(1));
    const auto findings = MissingReleaseEvents(Day(), events.missing);
    ASSERT_EQ(KindsOf(findings), std::set{kReleaseEventMissing});
    EXPECT_TRUE(IsAboutMerchantDay(kReleaseEventMissing));
    EXPECT_EQ(findings[0].payment_gross, 40);
    EXPECT_EQ(findings[0].payout_gross, 0);
    EXPECT_THAT(findings[0].evidence, HasSubstr("in event " + std::to_string(Day().ToNumber()) +
                                                "/3 of " + Day(2).ToString() + ": gross 40"));

    // Nobody listened when the first one came; but it should have come all the same.
    events = HoldRounds(rounds, {}, {Day(1), Day(2)}, false);
    EXPECT_THAT(events.missing, SizeIs(2));
    EXPECT_EQ(MissingReleaseEvents(Day(), events.missing)[0].payment_gross, 140);
}

// Goal: of what an older payout told it is not known of which day it is.
TEST(ReleaseEventsTest, AnOlderPayoutsEventsAreWaitedForBySomebodyWhoListened) {
    const std::vector<ToldRound> rounds{RoundOf(1, std::nullopt, 100)};
    EXPECT_TRUE(HoldRounds(rounds, {}, {}, true).on_the_way);
    const auto before_us = HoldRounds(rounds, {}, {}, false);
    EXPECT_FALSE(before_us.on_the_way);
    EXPECT_THAT(before_us.missing, IsEmpty());
    EXPECT_EQ(before_us.told, rounds[0].totals);
    // What payout never made is told too much.
    EXPECT_EQ(HoldRounds({}, {{1, rounds[0].totals}}, {}, true).told, rounds[0].totals);
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
    for (const std::int64_t before : {INT64_MIN, std::int64_t{-1}, INT64_MAX}) {
        merchant.lines[1].released->cycle_fee_before = before;
        EXPECT_EQ(KindsOf(CheckMerchantDay(Day(), merchant, true)), std::set{kReleasedDiffers});
    }
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
    for (const DiscrepancyKind kind : DiscrepancyKinds()) {
        const KindGuide guide = GuideOf(kind);
        EXPECT_GT(guide.meaning.size(), 20u) << KindName(kind);
        EXPECT_GT(guide.what_to_do.size(), 20u) << KindName(kind);
        EXPECT_TRUE(meanings.insert(guide.meaning).second) << KindName(kind);
    }
}

}  // namespace
}  // namespace kessai::reconciliation::domain
