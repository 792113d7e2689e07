#include "domain/merchant_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "domain/adjustment.h"
#include "domain/ledger.h"
#include "domain/payout_terms.h"
#include "domain/transfer.h"
#include "domain/trial_balance.h"
#include "tests/seeded.h"

namespace kessai::payout::domain {
namespace {

const TaxRate& Rate() {
    return TaxTable::Japan().RateOf(TaxClass::kStandard10);
}

/// One merchant's history as a service would make it: every journal is kept.
class History {
 public:
    explicit History(Seeded& random) : random_(random) {
        terms_.transfer_fee = random.OneIn(2) ? 0 : random.Between(1, 500);
        terms_.minimum_amount = random.Between(1, 2'000);
    }

    void Step() {
        switch (random_.Between(1, 6)) {
            case 1:
                funds_.released += random_.UpTo(1'000'000) * (random_.OneIn(4) ? -1 : 1);
                return;
            case 2:
                return Pay();
            case 3:
                return Reissue();
            case 4:
                return TakeResult();
            case 5:
                return CancelOne();
            default:
                return Adjust();
        }
    }

    const MerchantFunds& funds() const { return funds_; }
    const std::vector<MerchantJournal>& journals() const { return journals_; }
    const std::vector<std::vector<Transfer>>& payouts() const { return payouts_; }
    int cancelled() const { return cancelled_; }

 private:
    void PostIt(const MerchantJournal& journal) {
        ASSERT_TRUE(Post(journal, funds_).ok());
        journals_.push_back(journal);
    }
    void Add(std::vector<Transfer>& payout, const PayoutAmounts& amounts) {
        made_.push_back({.amounts = payout.empty() ? amounts : PayoutAmounts{}});
        Transfer transfer;
        transfer.id = TransferId(++last_);
        transfer.payout = PayoutId(static_cast<std::int64_t>(made_.size()));
        transfer.attempt = static_cast<int>(payout.size()) + 1;
        transfer.merchant = funds_.merchant;
        transfer.amount = amounts.amount;
        if (!random_.OneIn(5)) transfer.batch = BatchId(1);
        payout.push_back(transfer);
        PostIt({.kind = JournalKind::kTransferCreated,
                .merchant = funds_.merchant,
                .object = transfer.id.value(),
                .amount = amounts.amount,
                .fee = amounts.fee,
                .tax = amounts.tax});
    }
    void Pay() {
        const std::int64_t available = AvailableOf(funds_).value();
        const auto amounts = AmountsToPay(available, terms_, false, Rate());
        if (!amounts) return;
        // Only a positive remainder is taken.
        ASSERT_GE(available, amounts->amount + amounts->fee + amounts->tax);
        payouts_.emplace_back();
        Add(payouts_.back(), *amounts);
    }
    std::vector<Transfer>* Any() {
        if (payouts_.empty()) return nullptr;
        return &payouts_[static_cast<std::size_t>(
            random_.Between(0, static_cast<std::int64_t>(payouts_.size()) - 1))];
    }
    void Reissue() {
        std::vector<Transfer>* payout = Any();
        if (payout == nullptr || !CameBack(payout->back())) return;
        if (IsCancelled(payout->back())) return;
        if (AvailableOf(funds_).value() < payout->back().amount) return;
        Add(*payout, {payout->back().amount, 0, 0});
    }
    void TakeResult() {
        std::vector<Transfer>* payout = Any();
        if (payout == nullptr) return;
        Transfer& transfer = (*payout)[static_cast<std::size_t>(
            random_.Between(0, static_cast<std::int64_t>(payout->size()) - 1))];
        BankResult result{.transfer = transfer.id,
                          .outcome = static_cast<TransferState>(random_.Between(2, 4)),
                          .amount = transfer.amount + (random_.OneIn(10) ? 1 : 0),
                          .reason = {}};
        if (result.outcome != TransferState::kSettled) result.reason = "E1";
        const Transfer before = transfer;
        const auto journal = Take(result, transfer);
        if (!journal.ok() || !*journal) {
            ASSERT_EQ(transfer.state, before.state);
            ASSERT_EQ(transfer.reason, before.reason);
            return;
        }
        PostIt(**journal);
    }
    void CancelOne() {
        std::vector<Transfer>* payout = Any();
        if (payout == nullptr) return;
        Transfer& transfer = payout->back();
        const Transfer before = transfer;
        const Payout& made = made_[static_cast<std::size_t>(transfer.payout.value()) - 1];
        const auto journal = Cancel(made, "test", "ken", transfer);
        if (!journal.ok() || !*journal) {
            ASSERT_EQ(transfer.state, before.state);
            ASSERT_EQ(journal.ok(), before.state == TransferState::kCancelled);
            return;
        }
        ASSERT_TRUE(before.batch.is_none());
        ++cancelled_;
        PostIt(**journal);
    }
    void Adjust() {
        Adjustment adjustment;
        adjustment.id = AdjustmentId(++last_);
        adjustment.merchant = funds_.merchant;
        adjustment.amount = random_.Between(-5'000, 5'000);
        adjustment.reason = "test";
        adjustment.requested_by = "a";
        if (!CheckAdjustment(adjustment).ok()) return;
        const auto journal = Decide(adjustment, !random_.OneIn(4), "b");
        ASSERT_TRUE(journal.ok());
        if (*journal) PostIt(**journal);
    }

    Seeded& random_;
    PayoutTerms terms_;
    MerchantFunds funds_{.merchant = MerchantId(7)};
    std::vector<MerchantJournal> journals_;
    std::vector<std::vector<Transfer>> payouts_;
    /// By the number of the attempt's payout row.
    std::vector<Payout> made_;
    std::int64_t last_ = 0;
    int cancelled_ = 0;
};

// Goal: whatever happens to a merchant's money, in whatever order, its books balance and nothing is
// paid twice.
// Method: random histories of releases, payouts, results (right, wrong, repeated), re-issues,
// cancellations and adjustments; after each step the balances against sums over all journals so
// far, and each payout against its journals.
TEST(MerchantJournalProperty, BalancesAreTheSumsOfPostings) {
    Seeded random;
    int cancelled = 0;
    for (int run = 0; run < 300; ++run) {
        History history(random);
        for (int step = 0; step < 40; ++step) {
            history.Step();
            TrialBalance sums;
            std::map<std::int64_t, std::int64_t> paid;  // by transfer
            std::map<std::int64_t, std::int64_t> prices;
            for (const MerchantJournal& journal : history.journals()) {
                TrialBalance one;
                ASSERT_TRUE(one.Add(PostingsOf(journal)).ok());
                ASSERT_EQ(one.Total().value(), 0);
                ASSERT_TRUE(sums.Add(PostingsOf(journal)).ok());
                if (journal.kind == JournalKind::kTransferSettled) {
                    paid[journal.object] += journal.amount;
                } else if (journal.kind == JournalKind::kTransferReturned) {
                    paid[journal.object] -= journal.amount;
                }
                const std::int64_t price = journal.fee + journal.tax;
                prices[journal.object] +=
                    journal.kind == JournalKind::kTransferCancelled ? -price : price;
            }
            const MerchantFunds& funds = history.funds();
            ASSERT_EQ(funds.moved, sums.Of(Account::kAvailable));
            ASSERT_EQ(funds.in_transit, sums.Of(Account::kInTransit));
            ASSERT_GE(funds.in_transit, 0);
            std::int64_t in_transit = 0;
            std::int64_t settled = 0;
            for (const auto& payout : history.payouts()) {
                std::int64_t paid_of_payout = 0;
                int alive = 0;
                for (const Transfer& transfer : payout) {
                    paid_of_payout += paid[transfer.id.value()];
                    alive += CameBack(transfer) ? 0 : 1;
                    // Nothing is charged for what the bank was never told of.
                    if (transfer.state == TransferState::kCancelled) {
                        ASSERT_EQ(prices[transfer.id.value()], 0);
                        ASSERT_TRUE(transfer.batch.is_none());
                        ASSERT_TRUE(transfer.attempt > 1 || payout.size() == 1);
                    }
                    if (transfer.state == TransferState::kInTransit) in_transit += transfer.amount;
                }
                ASSERT_LE(alive, 1);
                ASSERT_TRUE(paid_of_payout == 0 || paid_of_payout == payout[0].amount);
                settled += paid_of_payout;
            }
            ASSERT_EQ(funds.in_transit, in_transit);
            ASSERT_EQ(sums.Of(Account::kBankSettlement), settled);
        }
        cancelled += history.cancelled();
    }
    EXPECT_GT(cancelled, 50);
}

TEST(MerchantJournalTest, WhatNoJournalCanBeIsRefused) {
    MerchantFunds funds{.merchant = MerchantId(7)};
    const MerchantJournal fine{.kind = JournalKind::kTransferCreated,
                               .merchant = MerchantId(7),
                               .object = 1,
                               .amount = 100,
                               .fee = 10,
                               .tax = 1};
    const auto refused = [&](auto damage) {
        MerchantJournal journal = fine;
        damage(journal);
        return std::string(Post(journal, funds).reason());
    };
    EXPECT_EQ(refused([](auto& j) { j.amount = 0; }), "JOURNAL_INVALID");
    EXPECT_EQ(refused([](auto& j) { j.amount = -1; }), "JOURNAL_INVALID");
    EXPECT_EQ(refused([](auto& j) { j.amount = kJournalAmountMax + 1; }), "JOURNAL_INVALID");
    EXPECT_EQ(refused([](auto& j) { j.fee = -1; }), "JOURNAL_INVALID");
    EXPECT_EQ(refused([](auto& j) { j.object = 0; }), "JOURNAL_INVALID");
    EXPECT_EQ(refused([](auto& j) { j.merchant = {}; }), "JOURNAL_INVALID");
    EXPECT_EQ(refused([](auto& j) { j.kind = JournalKind::kTransferSettled; }), "JOURNAL_INVALID");
    EXPECT_EQ(refused([](auto& j) {
                  j.kind = JournalKind::kAdjustment;
                  j.fee = j.tax = j.amount = 0;
              }),
              "JOURNAL_INVALID");
    // Nothing is in transit.
    EXPECT_EQ(refused([](auto& j) {
                  j.kind = JournalKind::kTransferFailed;
                  j.fee = j.tax = 0;
              }),
              "IN_TRANSIT_NEGATIVE");
    EXPECT_EQ(funds, MerchantFunds{.merchant = MerchantId(7)});
    funds.moved = INT64_MIN + 5;
    EXPECT_EQ(Post(fine, funds).reason(), "AMOUNT_OVERFLOW");
    funds.released = INT64_MIN;
    EXPECT_EQ(AvailableOf(funds).status().reason(), "AMOUNT_OVERFLOW");
}

}  // namespace
}  // namespace kessai::payout::domain
