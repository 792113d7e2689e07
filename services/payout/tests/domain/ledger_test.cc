#include "domain/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/seeded.h"

namespace kessai::payout::domain {
namespace {

template <class Journal>
std::int64_t Post(const Journal& journal, std::map<Account, std::int64_t>& accounts) {
    std::int64_t sum = 0;
    for (const Posting& posting : journal) {
        accounts[posting.account] += posting.amount;
        sum += posting.amount;
    }
    return sum;
}

// Goal: every journal sums to zero; a day's release empties pending and splits gross into net, fee
// and tax, whatever the signs.
// Method: random accruals of one merchant over a cycle, released day by day.
TEST(LedgerProperty, JournalsBalanceAndReleaseEmptiesPending) {
    Seeded random;
    for (int cycle = 0; cycle < 20'000; ++cycle) {
        std::map<Account, std::int64_t> accounts;
        std::int64_t fees_before = 0;
        std::int64_t gross_of_cycle = 0;
        for (int day = 0; day < 5; ++day) {
            MerchantSums sums{MerchantId(7), TaxClass::kStandard10, {}};
            for (int i = 0; i < 5; ++i) {
                Accrual accrual;
                accrual.gross = random.UpTo(1'000'000) * (random.OneIn(3) ? -1 : 1);
                accrual.fee = random.UpTo(1'000) * (accrual.gross < 0 ? -1 : 1);
                ASSERT_EQ(Post(PostingsOf(accrual), accounts), 0);
                sums.sums = sums.sums + Sums{accrual.gross, accrual.fee, 1};
            }
            gross_of_cycle += sums.sums.gross;
            const auto line = MakeReleaseLine(sums, fees_before, TaxTable::Japan());
            ASSERT_TRUE(line.ok());
            ASSERT_EQ(Post(PostingsOf(*line), accounts), 0);
            ASSERT_EQ(accounts[Account::kPending], 0);
            fees_before += sums.sums.fee;
        }
        ASSERT_EQ(accounts[Account::kClearing], -gross_of_cycle);
        ASSERT_EQ(accounts[Account::kFeeRevenue], fees_before);
        ASSERT_EQ(accounts[Account::kConsumptionTax],
                  InvoiceTax(TaxTable::Japan().RateOf(TaxClass::kStandard10), fees_before));
        ASSERT_EQ(accounts[Account::kAvailable],
                  gross_of_cycle - fees_before - accounts[Account::kConsumptionTax]);
    }
}

TEST(ReleaseLineTest, DamagedRowsAreRefused) {
    MerchantSums sums{MerchantId(7), TaxClass::kNone, {1, 0, 1}};
    EXPECT_EQ(MakeReleaseLine(sums, 0, TaxTable::Japan()).status().reason(), "FIELD_INVALID");
    sums.tax_class = TaxClass::kStandard10;
    sums.sums = {INT64_MIN, INT64_MAX, 1};
    EXPECT_EQ(MakeReleaseLine(sums, 0, TaxTable::Japan()).status().reason(), "AMOUNT_OVERFLOW");
    sums.sums = {0, INT64_MIN, 1};
    EXPECT_EQ(MakeReleaseLine(sums, 0, TaxTable::Japan()).status().reason(), "AMOUNT_OVERFLOW");
    sums.sums = {0, INT64_MAX, 1};
    EXPECT_EQ(MakeReleaseLine(sums, 1, TaxTable::Japan()).status().reason(), "AMOUNT_OVERFLOW");
}

}  // namespace
}  // namespace kessai::payout::domain
