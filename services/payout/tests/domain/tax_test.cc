#include "domain/tax.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <vector>

#include "tests/seeded.h"

namespace kessai::payout::domain {
namespace {

BusinessDate Day(std::int32_t yyyymmdd) {
    return BusinessDate::FromNumber(yyyymmdd).value();
}

const TaxRate& Standard10() {
    return TaxTable::Japan().RateOf(TaxClass::kStandard10);
}

TEST(TaxTest, RateIsThatOfTheDay) {
    const TaxTable& japan = TaxTable::Japan();
    EXPECT_EQ(japan.ClassOn(Day(20190930)), TaxClass::kStandard8);
    EXPECT_EQ(japan.ClassOn(Day(20191001)), TaxClass::kStandard10);
    EXPECT_EQ(japan.ClassOn(Day(20261122)), TaxClass::kStandard10);
    EXPECT_EQ(Standard10().name, "standard_10");
    EXPECT_EQ(japan.FromNumber(2).value(), TaxClass::kStandard10);
    EXPECT_EQ(japan.FromNumber(0).status().reason(), "FIELD_INVALID");
    EXPECT_EQ(japan.FromNumber(258).status().reason(), "FIELD_INVALID");
}

// Goal: a rate that the law changes on a day is a row, not a change of the rules.
// Method: a table with a rate to come.
TEST(TaxTest, NewRateTakesEffectOnItsDay) {
    constexpr auto kStandard12 = static_cast<TaxClass>(3);
    const std::array rates{
        TaxRate{TaxClass::kStandard10, "standard_10", 10, 100, Day(20191001)},
        TaxRate{kStandard12, "standard_12", 12, 100, Day(20300401)},
    };
    const TaxTable table(rates);
    EXPECT_EQ(table.ClassOn(Day(20300331)), TaxClass::kStandard10);
    EXPECT_EQ(table.ClassOn(Day(20300401)), kStandard12);
    EXPECT_EQ(InvoiceTax(table.RateOf(kStandard12), 1'000), 120);
}

TEST(TaxTest, InvoiceIsRoundedTowardZeroOnce) {
    EXPECT_EQ(InvoiceTax(Standard10(), 0), 0);
    EXPECT_EQ(InvoiceTax(Standard10(), 9), 0);
    EXPECT_EQ(InvoiceTax(Standard10(), 19), 1);
    EXPECT_EQ(InvoiceTax(Standard10(), -9), 0);
    EXPECT_EQ(InvoiceTax(Standard10(), -19), -1);
}

TEST(TaxTest, DayTaxIsWhatTheCycleGrowsBy) {
    // 5 + 5 of two days: neither has a yen of tax alone, together they have one.
    EXPECT_EQ(DayTax(Standard10(), 0, 5), 0);
    EXPECT_EQ(DayTax(Standard10(), 5, 5), 1);
    // A day of returns gives back what the cycle falls by.
    EXPECT_EQ(DayTax(Standard10(), 10, -1), -1);
}

TEST(TaxTest, CycleIsTheCalendarMonth) {
    EXPECT_EQ(CycleStart(Day(20261101)), Day(20261101));
    EXPECT_EQ(CycleStart(Day(20261130)), Day(20261101));
    EXPECT_EQ(CycleStart(Day(20280229)), Day(20280201));
    EXPECT_EQ(CycleEnd(Day(20261201)), Day(20261231));
    EXPECT_EQ(CycleEnd(Day(20280201)), Day(20280229));
}

/// The rounding rule in the simplest way: whole tens, hundreds, … dropped from the magnitude.
std::int64_t ReferenceTax(std::int64_t fees, std::int64_t percent) {
    return fees * percent / 100;  // C++ division truncates toward zero.
}

// Goal: the days of a cycle sum to the invoice's tax, to the yen, with returns and in any order.
// Method: a million days in random cycles; the invoice computed once from the sum, by a reference;
// the same days released in another order give the same sum.
TEST(TaxProperty, DaysOfACycleSumToTheInvoice) {
    Seeded random;
    for (int days = 0; days < 1'000'000;) {
        const bool is_8 = random.OneIn(4);
        const TaxRate& rate =
            TaxTable::Japan().RateOf(is_8 ? TaxClass::kStandard8 : TaxClass::kStandard10);
        std::vector<std::int64_t> fees(static_cast<std::size_t>(random.Between(1, 31)));
        for (std::int64_t& fee : fees) {
            fee = random.UpTo(1'000'000'000);
            if (random.OneIn(3)) fee = -fee;
        }
        const std::int64_t invoice =
            ReferenceTax(std::accumulate(fees.begin(), fees.end(), std::int64_t{0}), is_8 ? 8 : 10);
        for (int order = 0; order < 2; ++order) {
            std::int64_t before = 0;
            std::int64_t tax = 0;
            for (const std::int64_t fee : fees) {
                const std::int64_t day = DayTax(rate, before, fee);
                // Off by one minor unit from rounding the day alone, at the most.
                ASSERT_LE(std::abs(day - ReferenceTax(fee, is_8 ? 8 : 10)), 1);
                tax += day;
                before += fee;
            }
            ASSERT_EQ(tax, invoice);
            std::shuffle(fees.begin(), fees.end(), random.engine());
        }
        days += static_cast<int>(fees.size());
    }
}

}  // namespace
}  // namespace kessai::payout::domain
