// Goal: a transfer is traced to the payments in it, and a payment to the transfers it is in, over
// what the service really stores: to the yen, also when a day was held back, money came back, or
// the balance was in debt. Method: events through the real ingestion, releases and transfers, on a
// real MariaDB.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "app/trace_funds.h"
#include "domain/funds_trace.h"
#include "tests/payout_fixture.h"
#include "tests/seeded.h"
#include "tests/transfer_fixture.h"

namespace kessai::payout {
namespace {

using domain::FundsKind;
using domain::FundsPart;
using domain::FundsSource;
using domain::MerchantId;
using domain::TransferId;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Refuses;

const BusinessDate kDay = Day(20261122);
const BusinessDate kDue = Day(20261130);
constexpr MerchantId kMerchant{7};

FundsSource OfDay(BusinessDate day) {
    return {.kind = FundsKind::kRelease, .day = day};
}
/// Of an amount under the default plan: the fee, and its tax as the first of the month.
std::int64_t NetOf(std::int64_t amount) {
    const std::int64_t fee = amount * 198 / 10'000;
    return amount - fee - fee / 10;
}

class TraceTest : public PayoutTest {
 protected:
    TraceTest() : clock_(kDue.At(std::chrono::hours(10))), transfers_(payout_->pool, clock_) {}

    void OpenAccount(MerchantId merchant) {
        ASSERT_OK_AND_ASSIGN(const auto account,
                             transfers_.bank_accounts.Put({.merchant = merchant,
                                                           .bank_code = "0001",
                                                           .branch_code = "004",
                                                           .type = 1,
                                                           .number = "1234567",
                                                           .holder = "カ）ミセ"},
                                                          "aiko"));
        ASSERT_OK(transfers_.bank_accounts.Confirm(merchant, account.version, "ken").status());
    }
    void Release(BusinessDate day, std::vector<domain::PaymentChange> changes) {
        ASSERT_TRUE(payout_->Deliver(std::move(changes)).empty());
        payout_->Close(day);
        ASSERT_OK(payout_->release_day.Run(day, false).status());
    }
    std::int64_t NetOfDay(BusinessDate day) {
        const auto found = payout_->reader.FindMerchantDay(kMerchant, day);
        EXPECT_OK(found.status());
        return found.ok() ? found->net : 0;
    }
    domain::Transfer Pay(const std::string& key) {
        const auto paid = transfers_.request.OnDemand(kMerchant, key, "aiko");
        EXPECT_OK(paid.status());
        return paid.ok() ? paid->transfers.at(0) : domain::Transfer();
    }
    std::vector<FundsPart> PartsOf(TransferId transfer) {
        const auto trace = transfers_.trace.OfTransfer(transfer);
        EXPECT_OK(trace.status());
        if (!trace.ok()) return {};
        std::int64_t sum = 0;
        for (const FundsPart& part : trace->parts) sum += part.amount;
        EXPECT_EQ(sum, trace->transfer.amount);
        return trace->parts;
    }
    /// All pages.
    std::vector<domain::EffectKey> AccrualsOf(MerchantId merchant, BusinessDate day, int limit) {
        std::vector<domain::EffectKey> keys;
        std::optional<app::AccrualPosition> from = app::AccrualPosition();
        while (from) {
            const auto page = transfers_.trace.AccrualsOf(merchant, day, *from, limit);
            EXPECT_OK(page.status());
            if (!page.ok()) return keys;
            EXPECT_LE(page->accruals.size(), static_cast<std::size_t>(limit));
            for (const app::RecordedAccrual& one : page->accruals) keys.push_back(one.accrual.key);
            from = page->next;
        }
        return keys;
    }

    ManualClock clock_;
    Transfers transfers_;
};

TEST_F(TraceTest, FromATransferToItsPaymentsAndBack) {
    OpenAccount(kMerchant);
    const auto sale = Sale(1, 7, kDay, 100'000);
    Release(kDay, {sale, Sale(2, 7, kDay, 5'000), Sale(3, 8, kDay, 9'000)});
    const domain::Transfer first = Pay("a");
    EXPECT_EQ(first.amount, NetOf(105'000));
    EXPECT_THAT(PartsOf(first.id), ElementsAre(FundsPart{OfDay(kDay), NetOf(105'000)}));
    ASSERT_OK_AND_ASSIGN(const auto trace, transfers_.trace.OfTransfer(first.id));
    const domain::ReleasedDay& day = trace.days.at(kDay);
    EXPECT_EQ(day.gross, 105'000);
    EXPECT_EQ(day.net, day.gross - day.fee - day.tax);
    EXPECT_EQ(day.item_count, 2);
    EXPECT_THAT(AccrualsOf(kMerchant, kDay, 1'000), ::testing::SizeIs(2));

    // A refund puts the merchant into debt; the next sales pay it.
    Release(kDay.Next(), {Refund(sale, 2, kDay.Next(), 40'000, 0)});
    EXPECT_LT(NetOfDay(kDay.Next()), 0);
    ASSERT_OK_AND_ASSIGN(const auto debt, transfers_.trace.OfPayment(domain::PaymentId(1)));
    ASSERT_EQ(debt.days.size(), 2u);
    EXPECT_THAT(debt.days[1].paid, IsEmpty());
    EXPECT_EQ(debt.days[1].left, NetOfDay(kDay.Next()));
    Release(kDay.PlusDays(2), {Sale(4, 7, kDay.PlusDays(2), 70'000)});
    const domain::Transfer second = Pay("b");
    EXPECT_THAT(PartsOf(second.id),
                ElementsAre(FundsPart{OfDay(kDay.Next()), NetOfDay(kDay.Next())},
                            FundsPart{OfDay(kDay.PlusDays(2)), NetOfDay(kDay.PlusDays(2))}));

    ASSERT_OK_AND_ASSIGN(const auto back, transfers_.trace.OfPayment(domain::PaymentId(1)));
    EXPECT_EQ(back.merchant, kMerchant);
    ASSERT_EQ(back.accruals.size(), 2u);
    ASSERT_EQ(back.days.size(), 2u);
    ASSERT_EQ(back.days[0].paid.size(), 1u);
    EXPECT_EQ(back.days[0].paid[0].first.id, first.id);
    EXPECT_EQ(back.days[0].paid[0].second, NetOf(105'000));
    ASSERT_EQ(back.days[1].paid.size(), 1u);
    EXPECT_EQ(back.days[1].paid[0].first.id, second.id);
    EXPECT_EQ(back.days[1].left, 0);

    // Not released yet.
    ASSERT_TRUE(payout_->Deliver({Sale(9, 7, kDay.PlusDays(3), 10)}).empty());
    ASSERT_OK_AND_ASSIGN(const auto open, transfers_.trace.OfPayment(domain::PaymentId(9)));
    ASSERT_EQ(open.days.size(), 1u);
    EXPECT_FALSE(open.days[0].net.has_value());

    EXPECT_THAT(transfers_.trace.OfTransfer(TransferId(99'999)),
                Refuses(Code::kNotFound, "TRANSFER_UNKNOWN"));
    EXPECT_THAT(transfers_.trace.OfPayment(domain::PaymentId(99'999)),
                Refuses(Code::kNotFound, "ACCRUAL_UNKNOWN"));
}

// Goal: a day that was held back is of the transfer that took it when it was released after all,
// and not of an earlier one.
TEST_F(TraceTest, AHeldBackDayIsOfTheTransferThatTookIt) {
    OpenAccount(kMerchant);
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kDay, 1'000)}).empty());
    payout_->Close(kDay);
    payout_->Run("UPDATE accrual SET gross = gross + 1 WHERE payment_id = 1");
    ASSERT_OK(payout_->release_day.Run(kDay, false).status());
    Release(kDay.Next(), {Sale(2, 7, kDay.Next(), 2'000)});
    const domain::Transfer first = Pay("a");
    EXPECT_THAT(PartsOf(first.id),
                ElementsAre(FundsPart{OfDay(kDay.Next()), NetOfDay(kDay.Next())}));

    payout_->Run("UPDATE accrual SET gross = gross - 1 WHERE payment_id = 1");
    ASSERT_OK(payout_->release_day.Run(kDay, false).status());
    const domain::Transfer second = Pay("b");
    EXPECT_THAT(PartsOf(second.id), ElementsAre(FundsPart{OfDay(kDay), NetOfDay(kDay)}));
    EXPECT_THAT(PartsOf(first.id),
                ElementsAre(FundsPart{OfDay(kDay.Next()), NetOfDay(kDay.Next())}));
}

// Goal: money that came back, its price and adjustments are in the trace of the next attempt.
TEST_F(TraceTest, PricesAdjustmentsAndWhatCameBack) {
    OpenAccount(kMerchant);
    domain::PayoutTerms terms;
    terms.merchant = kMerchant;
    terms.transfer_fee = 110;
    ASSERT_OK(transfers_.terms.Put(terms, "aiko").status());
    Release(kDay, {Sale(1, 7, kDay, 100'000)});
    domain::Adjustment wish;
    wish.merchant = kMerchant;
    wish.request_key = "case-1";
    wish.amount = -500;
    wish.reason = "terminal not given back";
    wish.requested_by = "aiko";
    ASSERT_OK_AND_ASSIGN(const auto asked, transfers_.adjust.Request(wish));
    ASSERT_OK(transfers_.adjust.Decide(asked.id, true, "ken").status());
    const domain::Transfer first = Pay("a");
    const FundsSource adjusted{.kind = FundsKind::kAdjustment, .object = asked.id.value()};
    const FundsSource price{.kind = FundsKind::kPrice, .object = first.id.value()};
    const auto parts = PartsOf(first.id);
    EXPECT_THAT(parts, ElementsAre(FundsPart{OfDay(kDay), NetOf(100'000)},
                                   FundsPart{adjusted, -500}, FundsPart{price, -110}));

    ASSERT_OK(transfers_.send.Gather(kDue, "aiko").status());
    ASSERT_OK(
        transfers_.import
            .Run("csv", ResultFileText().Add(first.id, "FAILED", first.amount, "E1").Text(), "aiko")
            .status());
    Release(kDay.Next(), {Sale(2, 7, kDay.Next(), 2'000)});
    ASSERT_OK_AND_ASSIGN(const auto again, transfers_.request.Reissue(first.payout, 2, "ken"));
    EXPECT_EQ(PartsOf(again.transfers.at(1).id), parts);
    EXPECT_EQ(PartsOf(first.id), parts);
    ASSERT_OK_AND_ASSIGN(const auto back, transfers_.trace.OfPayment(domain::PaymentId(1)));
    ASSERT_EQ(back.days.at(0).paid.size(), 2u);
    EXPECT_EQ(back.days[0].paid[0].first.state, domain::TransferState::kFailed);
    EXPECT_EQ(back.days[0].paid[1].first.state, domain::TransferState::kInTransit);
}

// Goal: what cannot be told is not told.
TEST_F(TraceTest, UnknownAndDamagedHistoriesAreRefused) {
    OpenAccount(kMerchant);
    Release(kDay, {Sale(1, 7, kDay, 1'000)});
    const domain::Transfer transfer = Pay("a");
    payout_->Run("UPDATE merchant_journal SET released = released + 1");
    EXPECT_THAT(transfers_.trace.OfTransfer(transfer.id),
                Refuses(Code::kDataLoss, "TRACE_DIFFERS"));
    // As a version wrote it that did not note it.
    payout_->Run("UPDATE merchant_journal SET released = NULL");
    EXPECT_THAT(transfers_.trace.OfTransfer(transfer.id),
                Refuses(Code::kFailedPrecondition, "TRACE_UNKNOWN"));
    EXPECT_THAT(transfers_.trace.OfPayment(domain::PaymentId(1)),
                Refuses(Code::kFailedPrecondition, "TRACE_UNKNOWN"));
}

// Goal: a merchant's day is listed whole and once, whatever the size of pages, and nobody else's.
TEST_F(TraceTest, ADaysAccrualsAreListedInPages) {
    Seeded random;
    std::vector<domain::PaymentChange> changes;
    std::set<domain::EffectKey> expected;
    for (std::int64_t payment = 1; payment <= 400; ++payment) {
        const std::int64_t merchant = random.OneIn(3) ? 7 : 8;
        const auto sale = Sale(payment, merchant, kDay, random.Between(10, 9'000));
        if (merchant == 7) expected.insert(sale.key);
        changes.push_back(sale);
        if (!random.OneIn(5)) continue;
        changes.push_back(Refund(sale, 2, kDay, 5, 0));
        if (merchant == 7) expected.insert(changes.back().key);
    }
    ASSERT_TRUE(payout_->Deliver(std::move(changes)).empty());
    for (const int limit : {1, 7, 1'000}) {
        const auto found = AccrualsOf(kMerchant, kDay, limit);
        EXPECT_EQ(found.size(), expected.size()) << limit;
        EXPECT_EQ(std::set(found.begin(), found.end()), expected) << limit;
    }
    EXPECT_THAT(AccrualsOf(MerchantId(9), kDay, 10), IsEmpty());
    EXPECT_THAT(AccrualsOf(kMerchant, kDay.Next(), 10), IsEmpty());
}

}  // namespace
}  // namespace kessai::payout
