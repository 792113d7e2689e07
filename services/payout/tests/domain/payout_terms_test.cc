#include "domain/payout_terms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/seeded.h"

namespace kessai::payout::domain {
namespace {

BusinessDate Day(int yyyymmdd) {
    return BusinessDate::FromNumber(yyyymmdd).value();
}

PayoutTerms Terms(PayoutCycle cycle, int weekday = 0) {
    PayoutTerms terms;
    terms.cycle = cycle;
    terms.weekday = weekday;
    return terms;
}

const TaxRate& Rate() {
    return TaxTable::Japan().RateOf(TaxClass::kStandard10);
}

TEST(PayoutTermsTest, CycleDaysMoveToTheNextBusinessDay) {
    // 2026-11-27 is a Friday, -30 the Monday after it and the last of its month.
    EXPECT_TRUE(IsDue(Terms(PayoutCycle::kMonthEnd), Day(20261127), Day(20261130)));
    EXPECT_FALSE(IsDue(Terms(PayoutCycle::kMonthEnd), Day(20261126), Day(20261127)));
    EXPECT_TRUE(IsDue(Terms(PayoutCycle::kDaily), Day(20261126), Day(20261127)));
    EXPECT_FALSE(IsDue(Terms(PayoutCycle::kOnDemand), Day(20261127), Day(20261130)));
    EXPECT_TRUE(IsDue(Terms(PayoutCycle::kWeekly, 5), Day(20261126), Day(20261127)));
    EXPECT_FALSE(IsDue(Terms(PayoutCycle::kWeekly, 5), Day(20261127), Day(20261130)));
    // A Saturday's moves to Monday.
    EXPECT_TRUE(IsDue(Terms(PayoutCycle::kWeekly, 6), Day(20261127), Day(20261130)));
    // 2026-11-15 is a Sunday.
    EXPECT_TRUE(IsDue(Terms(PayoutCycle::kTwiceAMonth), Day(20261113), Day(20261116)));
    EXPECT_FALSE(IsDue(Terms(PayoutCycle::kTwiceAMonth), Day(20261116), Day(20261117)));
    // The year's end: 2026-12-31 is paid on 2027-01-04.
    EXPECT_TRUE(IsDue(Terms(PayoutCycle::kMonthEnd), Day(20261230), Day(20270104)));
    EXPECT_FALSE(IsDue(Terms(PayoutCycle::kMonthEnd), Day(20261229), Day(20261230)));
    EXPECT_TRUE(IsDue(Terms(PayoutCycle::kMonthEnd), Day(20280228), Day(20280229)));
}

// Goal: each day of a cycle is paid on exactly one due date, whatever days are business days.
// Method: random business days over a year; the days of a weekly cycle counted once by IsDue and
// once by walking to the next business day.
TEST(PayoutTermsProperty, EveryCycleDayHasItsDueDate) {
    Seeded random;
    for (int run = 0; run < 200; ++run) {
        const int weekday = static_cast<int>(random.Between(1, 7));
        const PayoutTerms terms = Terms(PayoutCycle::kWeekly, weekday);
        std::set<BusinessDate> business;
        const BusinessDate first = Day(20260101);
        for (int i = 0; i < 365; ++i) {
            if (!random.OneIn(3)) business.insert(first.PlusDays(i));
        }
        business.insert(first);
        business.insert(first.PlusDays(365));
        std::set<BusinessDate> expected;
        for (BusinessDate day = first.Next(); day <= first.PlusDays(365); day = day.Next()) {
            if (static_cast<int>(std::chrono::weekday(day.day()).iso_encoding()) != weekday) {
                continue;
            }
            expected.insert(*business.lower_bound(day));
        }
        std::set<BusinessDate> due;
        for (auto it = std::next(business.begin()); it != business.end(); ++it) {
            if (IsDue(terms, *std::prev(it), *it)) due.insert(*it);
        }
        ASSERT_EQ(due, expected);
    }
}

TEST(PayoutTermsTest, ThePriceIsTakenFirst) {
    PayoutTerms terms;
    terms.transfer_fee = 110;
    terms.on_demand_fee = 220;
    terms.minimum_amount = 1'000;
    EXPECT_EQ(AmountsToPay(10'000, terms, false, Rate()), (PayoutAmounts{9'890, 100, 10}));
    EXPECT_EQ(AmountsToPay(10'000, terms, true, Rate()), (PayoutAmounts{9'670, 300, 30}));
    EXPECT_EQ(AmountsToPay(1'110, terms, false, Rate()), (PayoutAmounts{1'000, 100, 10}));
    EXPECT_EQ(AmountsToPay(1'109, terms, false, Rate()), std::nullopt);
    EXPECT_EQ(AmountsToPay(0, terms, false, Rate()), std::nullopt);
    EXPECT_EQ(AmountsToPay(-5'000, terms, false, Rate()), std::nullopt);
    // More than a transfer carries stays for the next one.
    EXPECT_EQ(AmountsToPay(INT64_MAX, terms, false, Rate())->amount, kTransferAmountMax);
    // The tax in a price drops its part of a yen.
    terms.transfer_fee = 109;
    EXPECT_EQ(AmountsToPay(10'000, terms, false, Rate()), (PayoutAmounts{9'891, 100, 9}));
}

TEST(PayoutTermsTest, BadTermsAreRefused) {
    const auto reason = [](auto damage) {
        PayoutTerms terms = Terms(PayoutCycle::kWeekly, 1);
        damage(terms);
        return std::string(CheckTerms(terms).reason());
    };
    EXPECT_EQ(reason([](auto&) {}), "");
    EXPECT_EQ(reason([](auto& t) { t.cycle = PayoutCycle{0}; }), "TERMS_INVALID");
    EXPECT_EQ(reason([](auto& t) { t.cycle = PayoutCycle{6}; }), "TERMS_INVALID");
    EXPECT_EQ(reason([](auto& t) { t.weekday = 0; }), "TERMS_INVALID");
    EXPECT_EQ(reason([](auto& t) { t.weekday = 8; }), "TERMS_INVALID");
    EXPECT_EQ(reason([](auto& t) { t.cycle = PayoutCycle::kDaily; }), "TERMS_INVALID");
    EXPECT_EQ(reason([](auto& t) { t.minimum_amount = 0; }), "TERMS_INVALID");
    EXPECT_EQ(reason([](auto& t) { t.minimum_amount = kTransferAmountMax + 1; }), "TERMS_INVALID");
    EXPECT_EQ(reason([](auto& t) { t.transfer_fee = -1; }), "TERMS_INVALID");
    EXPECT_EQ(reason([](auto& t) { t.on_demand_fee = kTransferFeeMax + 1; }), "TERMS_INVALID");
}

}  // namespace
}  // namespace kessai::payout::domain
