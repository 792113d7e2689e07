#include "domain/statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "domain/statement_reason.h"
#include "tests/random_books.h"

namespace kessai::payout::domain {
namespace {

BusinessDate Day(int number) {
    return BusinessDate::FromNumber(number).value();
}

/// Sums over accruals of some days, from the rows themselves.
struct TradeSums {
    std::int64_t sale_count = 0;
    std::int64_t return_count = 0;
    std::int64_t sales = 0;
    std::int64_t returns = 0;
    std::int64_t benefits = 0;
    std::map<TaxClass, std::int64_t> charged;
    std::map<TaxClass, std::int64_t> given_back;
};

TradeSums SumTrade(const RandomBooks& books, BusinessDate cycle_start) {
    TradeSums sums;
    for (const Accrual& accrual : books.accruals()) {
        if (CycleStart(accrual.business_date) != cycle_start) continue;
        const bool sale =
            accrual.kind == ChangeKind::kCompleted || accrual.kind == ChangeKind::kCaptured;
        const bool back = accrual.gross < 0 && (accrual.kind == ChangeKind::kRefunded ||
                                                accrual.kind == ChangeKind::kCanceled);
        if (sale) {
            ++sums.sale_count;
            sums.sales += accrual.gross;
            sums.charged[accrual.tax_class] += accrual.fee;
        } else if (back) {
            ++sums.return_count;
            sums.returns += accrual.gross;
            sums.given_back[accrual.tax_class] += accrual.fee;
        } else {
            sums.benefits += accrual.gross;
        }
    }
    return sums;
}

// Goal: whatever happened, a statement sums to the ledger, to the yen, and to the trade itself; one
// opens with what the one before closed with; the tax is rounded once for each rate.
// Method: random histories over the months in which the rate changed, against the ledger's postings
// and against the accruals.
TEST(StatementTest, SumsToTheLedger) {
    Seeded random;
    const BusinessDate months[] = {Day(20190901), Day(20191001), Day(20191101), Day(20191201)};
    int with_two_rates = 0;
    for (int history = 0; history < 500; ++history) {
        const RandomBooks books(random, MerchantId(1'000 + history), months[0],
                                static_cast<int>(random.Between(1, 90)));
        std::int64_t closing = 0;
        std::int64_t in_transit = 0;
        for (const BusinessDate month : months) {
            const auto statement = MakeStatement(books.RowsOf(month), TaxTable::Japan());
            ASSERT_TRUE(statement.ok()) << statement.status().ToString();
            EXPECT_EQ(statement->opening, closing);
            EXPECT_EQ(statement->opening_in_transit, in_transit);
            closing = statement->closing;
            in_transit = statement->closing_in_transit;
            const auto accounts = books.AccountsThrough(statement->cycle_end);
            ASSERT_EQ(closing, accounts[static_cast<std::size_t>(Account::kAvailable)]);
            ASSERT_EQ(in_transit, accounts[static_cast<std::size_t>(Account::kInTransit)]);

            const TradeSums trade = SumTrade(books, month);
            const StatementSums& sums = statement->sums;
            EXPECT_EQ(sums.days.sale_count, trade.sale_count);
            EXPECT_EQ(sums.days.return_count, trade.return_count);
            EXPECT_EQ(sums.days.sales, trade.sales);
            EXPECT_EQ(sums.days.returns, trade.returns);
            EXPECT_EQ(sums.days.benefits, trade.benefits);
            EXPECT_EQ(statement->opening + sums.days.net + sums.sent + sums.prices +
                          sums.came_back + sums.adjusted,
                      closing);
            std::int64_t tax = 0;
            for (const RateLine& rate : statement->rates) {
                const auto of = [&](const std::map<TaxClass, std::int64_t>& fees) {
                    const auto at = fees.find(rate.tax_class);
                    return at == fees.end() ? 0 : at->second;
                };
                EXPECT_EQ(rate.charged, of(trade.charged));
                EXPECT_EQ(rate.given_back, of(trade.given_back));
                EXPECT_EQ(rate.supplied, rate.charged + rate.given_back);
                EXPECT_EQ(rate.tax,
                          InvoiceTax(TaxTable::Japan().RateOf(rate.tax_class), rate.supplied));
                tax += rate.tax;
            }
            EXPECT_EQ(sums.days.tax, -tax);
            with_two_rates += statement->rates.size() == 2 ? 1 : 0;
            std::int64_t prices = 0;
            for (const PriceLine& price : statement->prices) prices += price.price;
            EXPECT_EQ(sums.prices, -prices);
            if (::testing::Test::HasFailure()) return;
        }
    }
    EXPECT_GT(with_two_rates, 0);
}

/// Two days of one merchant: a sale of the month, and the return of one under the old rate.
StatementRows TwoRates() {
    StatementRows rows;
    rows.merchant = MerchantId(1'001);
    rows.cycle_start = Day(20191001);
    rows.opening = {.merchant = rows.merchant, .released = 500, .moved = -100, .in_transit = 100};
    rows.releases = {
        {Day(20191001), {rows.merchant, TaxClass::kStandard8, {-1'080, -27, 1}, -2, -1'051}},
        {Day(20191001), {rows.merchant, TaxClass::kStandard10, {10'000, 255, 3}, 25, 9'720}},
        {Day(20191002), {rows.merchant, TaxClass::kStandard10, {5'000, 125, 2}, 13, 4'862}}};
    rows.parts = {{Day(20191001),
                   DayPartKind::kReturns,
                   {rows.merchant, TaxClass::kStandard8, {-1'080, -27, 1}},
                   Day(20190928),
                   Day(20190929)},
                  {Day(20191001),
                   DayPartKind::kBenefits,
                   {rows.merchant, TaxClass::kStandard10, {-200, 0, 1}},
                   Day(20191001),
                   Day(20191001)}};
    rows.moves = {{.journal = JournalId(1),
                   .business_date = Day(20191003),
                   .row = {.kind = JournalKind::kTransferCreated,
                           .merchant = rows.merchant,
                           .object = 7,
                           .amount = 10'000,
                           .fee = 200,
                           .tax = 20},
                   .payout = PayoutId(6),
                   .attempt = 1,
                   .transfer_date = Day(20191003)}};
    return rows;
}

// Goal: a fee that was given back is a return at its payment's rate, and says of when.
TEST(StatementTest, ReturnsKeepTheRateOfTheirPayment) {
    const auto statement = MakeStatement(TwoRates(), TaxTable::Japan());
    ASSERT_TRUE(statement.ok()) << statement.status().ToString();
    ASSERT_EQ(statement->rates.size(), 2u);
    const RateLine& old = statement->rates[0];
    EXPECT_EQ(old.tax_class, TaxClass::kStandard8);
    EXPECT_EQ(old.charged, 0);
    EXPECT_EQ(old.given_back, -27);
    EXPECT_EQ(old.tax, -2);
    EXPECT_EQ(old.payment_first, Day(20190928));
    EXPECT_EQ(old.payment_last, Day(20190929));
    const RateLine& now = statement->rates[1];
    EXPECT_EQ(now.charged, 380);
    EXPECT_EQ(now.given_back, 0);
    EXPECT_EQ(now.tax, 38);
    EXPECT_EQ(now.payment_first, std::nullopt);
    EXPECT_EQ(statement->days[1].sales, 10'200);
    EXPECT_EQ(statement->days[1].benefits, -200);
    EXPECT_EQ(statement->days[1].sale_count, 2);
    EXPECT_EQ(
        statement->prices,
        (std::vector<PriceLine>{{PayoutId(6), Day(20191003), TaxClass::kStandard10, 220, 20}}));
    EXPECT_EQ(statement->closing, 400 + 9'720 + 4'862 - 1'051 - 10'220);
    EXPECT_EQ(statement->closing_in_transit, 10'100);
}

// Goal: of a month without anything there is a statement too.
TEST(StatementTest, AnEmptyMonthCarriesItsBalance) {
    StatementRows rows;
    rows.merchant = MerchantId(1'001);
    rows.cycle_start = Day(20240201);
    rows.opening = {.merchant = rows.merchant, .released = 700, .moved = -200, .in_transit = 30};
    const auto statement = MakeStatement(rows, TaxTable::Japan());
    ASSERT_TRUE(statement.ok());
    EXPECT_EQ(statement->cycle_end, Day(20240229));
    EXPECT_EQ(statement->opening, 500);
    EXPECT_EQ(statement->closing, 500);
    EXPECT_EQ(statement->closing_in_transit, 30);
    EXPECT_TRUE(statement->days.empty());
    EXPECT_TRUE(statement->rates.empty());
}

// Goal: rows that do not fit each other make no statement.
TEST(StatementTest, DamagedRowsAreRefused) {
    const std::function<void(StatementRows&)> damages[] = {
        [](StatementRows& rows) { ++rows.releases[1].line.net; },
        [](StatementRows& rows) { ++rows.releases[1].line.sums.gross; },
        [](StatementRows& rows) {
            // The day fits itself, but not the invoice.
            ++rows.releases[2].line.tax;
            --rows.releases[2].line.net;
        },
        [](StatementRows& rows) { rows.releases[1].line.merchant = MerchantId(2); },
        [](StatementRows& rows) { rows.releases[2].business_date = Day(20191101); },
        [](StatementRows& rows) { rows.moves[0].row.merchant = MerchantId(2); },
        [](StatementRows& rows) { rows.moves[0].business_date = Day(20190930); },
        [](StatementRows& rows) { rows.parts[0].part.sums.item_count = 2; },
        [](StatementRows& rows) { rows.parts[0].part.sums.gross = 2'000'000'000; },
    };
    int number = 0;
    for (const auto& damage : damages) {
        StatementRows rows = TwoRates();
        damage(rows);
        const auto statement = MakeStatement(rows, TaxTable::Japan());
        ASSERT_FALSE(statement.ok()) << number;
        EXPECT_EQ(statement.status().reason(), reason::kStatementDiffers) << number;
        ++number;
    }
}

TEST(StatementTest, NumbersAreOfCycleAndMerchant) {
    EXPECT_EQ(StatementNumber(MerchantId(1'001), Day(20261101)), "202611-1001");
}

}  // namespace
}  // namespace kessai::payout::domain
