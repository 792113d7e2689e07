#include "domain/transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/adjustment.h"
#include "domain/bank_account.h"

namespace kessai::payout::domain {
namespace {

Transfer Sent(TransferState state = TransferState::kInTransit, std::string reason = {}) {
    Transfer transfer;
    transfer.id = TransferId(12);
    transfer.merchant = MerchantId(7);
    transfer.amount = 500;
    transfer.state = state;
    transfer.reason = std::move(reason);
    transfer.batch = BatchId(3);
    return transfer;
}

BankResult Says(TransferState outcome, std::string reason = {}) {
    return {.transfer = TransferId(12), .outcome = outcome, .amount = 500, .reason = reason};
}

constexpr auto kSettled = TransferState::kSettled;
constexpr auto kFailed = TransferState::kFailed;
constexpr auto kReturned = TransferState::kReturned;

// Goal: every result in every state is taken, known already, or refused by name.
TEST(TransferTest, EveryResultInEveryState) {
    const auto outcome = [](Transfer transfer, const BankResult& result) -> std::string {
        const auto journal = Take(result, transfer);
        if (!journal.ok()) return std::string(journal.status().reason());
        return *journal ? std::string(JournalKindName((*journal)->kind)) : "known";
    };
    EXPECT_EQ(outcome(Sent(), Says(kSettled)), "TRANSFER_SETTLED");
    EXPECT_EQ(outcome(Sent(), Says(kFailed, "E")), "TRANSFER_FAILED");
    EXPECT_EQ(outcome(Sent(), Says(kReturned, "E")), "TRANSFER_NOT_SETTLED");
    // An account's statement says only that the money is back.
    BankResult back = Says(kReturned, "E");
    back.settled_before = false;
    EXPECT_EQ(outcome(Sent(), back), "TRANSFER_FAILED");
    EXPECT_EQ(outcome(Sent(kSettled), back), "TRANSFER_RETURNED");
    EXPECT_EQ(outcome(Sent(kFailed, "OTHER"), back), "known");
    EXPECT_EQ(outcome(Sent(kReturned, "OTHER"), back), "known");
    back.amount += 1;
    EXPECT_EQ(outcome(Sent(kFailed, "OTHER"), back), "RESULT_AMOUNT_DIFFERS");
    EXPECT_EQ(outcome(Sent(kSettled), Says(kSettled)), "known");
    EXPECT_EQ(outcome(Sent(kSettled), Says(kFailed, "E")), "RESULT_CONFLICT");
    EXPECT_EQ(outcome(Sent(kSettled), Says(kReturned, "E")), "TRANSFER_RETURNED");
    EXPECT_EQ(outcome(Sent(kFailed, "E"), Says(kSettled)), "RESULT_CONFLICT");
    Transfer failed = Sent(kFailed, "E");
    EXPECT_EQ(Take(Says(kSettled), failed).status().message(),
              "transfer 12 is FAILED E, its result says SETTLED");
    EXPECT_EQ(outcome(Sent(kFailed, "E"), Says(kFailed, "E")), "known");
    EXPECT_EQ(outcome(Sent(kFailed, "E"), Says(kFailed, "F")), "RESULT_CONFLICT");
    EXPECT_EQ(outcome(Sent(kFailed, "E"), Says(kReturned, "E")), "RESULT_CONFLICT");
    // It was so, before it came back.
    EXPECT_EQ(outcome(Sent(kReturned, "E"), Says(kSettled)), "known");
    EXPECT_EQ(outcome(Sent(kReturned, "E"), Says(kFailed, "E")), "RESULT_CONFLICT");
    EXPECT_EQ(outcome(Sent(kReturned, "E"), Says(kReturned, "E")), "known");
    Transfer unsent = Sent();
    unsent.batch = {};
    EXPECT_EQ(outcome(unsent, Says(kSettled)), "TRANSFER_NOT_SENT");
    unsent.state = TransferState::kCancelled;
    EXPECT_EQ(outcome(unsent, Says(kSettled)), "TRANSFER_NOT_SENT");
    BankResult other = Says(kSettled);
    other.amount = 501;
    EXPECT_EQ(outcome(Sent(), other), "RESULT_AMOUNT_DIFFERS");
}

TEST(TransferTest, OnlyWhatIsInNoFileIsCancelled) {
    const Payout payout{.id = PayoutId(5), .amounts = {500, 100, 10}};
    Transfer transfer = Sent();
    EXPECT_EQ(Cancel(payout, "why", "ken", transfer).status().reason(), "TRANSFER_IN_FILE");
    EXPECT_EQ(transfer.state, TransferState::kInTransit);
    for (const TransferState state : {kSettled, kFailed, kReturned}) {
        Transfer told = Sent(state, "E");
        EXPECT_EQ(Cancel(payout, "why", "ken", told).status().reason(), "TRANSFER_IN_FILE");
        EXPECT_EQ(told.state, state);
        EXPECT_EQ(told.reason, "E");
    }
    transfer.batch = {};
    const auto journal = Cancel(payout, "why", "ken", transfer);
    ASSERT_TRUE(journal.ok() && *journal);
    EXPECT_EQ(**journal, (MerchantJournal{.kind = JournalKind::kTransferCancelled,
                                          .merchant = MerchantId(7),
                                          .object = 12,
                                          .amount = 500,
                                          .fee = 100,
                                          .tax = 10}));
    EXPECT_EQ(transfer.reason, "why");
    EXPECT_EQ(transfer.cancelled_by, "ken");
    EXPECT_TRUE(CameBack(transfer));
    EXPECT_TRUE(IsCancelled(transfer));
    // Again, by whomever: known.
    EXPECT_EQ(Cancel(payout, "other", "mio", transfer).value(), std::nullopt);
    EXPECT_EQ(transfer.cancelled_by, "ken");
    // A later attempt charged nothing, and its payout is not over.
    Transfer second = Sent();
    second.batch = {};
    second.attempt = 2;
    const auto undone = Cancel(payout, "why", "ken", second);
    ASSERT_TRUE(undone.ok() && *undone);
    EXPECT_EQ((*undone)->fee + (*undone)->tax, 0);
    EXPECT_TRUE(CameBack(second));
    EXPECT_FALSE(IsCancelled(second));
}

TEST(BankAccountTest, TwoOperatorsAreNeeded) {
    BankAccount account;
    account.version = 2;
    account.put_by = "aiko";
    const auto confirm = [&](int latest, std::string_view by) {
        return Confirm(account, latest, by, /*must_be_verified=*/false);
    };
    EXPECT_EQ(confirm(2, "aiko").status().reason(), "SAME_OPERATOR");
    EXPECT_EQ(confirm(3, "ken").status().reason(), "BANK_ACCOUNT_SUPERSEDED");
    EXPECT_EQ(account.confirmed_by, std::nullopt);
    EXPECT_TRUE(confirm(2, "ken").value());
    EXPECT_FALSE(confirm(2, "ken").value());
    EXPECT_EQ(confirm(2, "mio").status().reason(), "BANK_ACCOUNT_SUPERSEDED");
}

TEST(BankAccountTest, WhereItMustBeVerifiedNothingElseWillDo) {
    using enum VerificationState;
    BankAccount account;
    account.version = 1;
    account.put_by = "aiko";
    const auto confirm = [&] { return Confirm(account, 1, "ken", /*must_be_verified=*/true); };
    EXPECT_EQ(confirm().status().reason(), "BANK_ACCOUNT_UNVERIFIED");
    for (const VerificationState state : {kUnavailable, kRefused, kRefused}) {
        EXPECT_TRUE(TakeVerification({.state = state, .reason = "R", .asked_by = "aiko"}, account));
        EXPECT_EQ(account.verification.state, state);
        EXPECT_EQ(confirm().status().reason(), "BANK_ACCOUNT_UNVERIFIED");
        EXPECT_EQ(account.confirmed_by, std::nullopt);
    }
    // A bank that is silent takes back nothing that it said.
    EXPECT_FALSE(TakeVerification({.state = kUnavailable, .asked_by = "aiko"}, account));
    EXPECT_EQ(account.verification.state, kRefused);
    EXPECT_TRUE(TakeVerification({.state = kVerified, .asked_by = "mio"}, account));
    // A later answer takes nothing back: the account is what it was.
    EXPECT_FALSE(TakeVerification({.state = kUnavailable, .asked_by = "aiko"}, account));
    EXPECT_EQ(account.verification, (Verification{.state = kVerified, .asked_by = "mio"}));
    EXPECT_TRUE(confirm().value());
    EXPECT_FALSE(confirm().value());
}

TEST(AdjustmentTest, TwoOperatorsAreNeeded) {
    Adjustment adjustment;
    adjustment.id = AdjustmentId(4);
    adjustment.merchant = MerchantId(7);
    adjustment.amount = -300;
    adjustment.reason = "chargeback";
    adjustment.requested_by = "aiko";
    EXPECT_EQ(Decide(adjustment, true, "aiko").status().reason(), "SAME_OPERATOR");
    EXPECT_EQ(adjustment.state, AdjustmentState::kRequested);
    Adjustment declined = adjustment;
    // Who asked may take it back.
    EXPECT_EQ(Decide(declined, false, "aiko").value(), std::nullopt);
    EXPECT_EQ(Decide(declined, true, "ken").status().reason(), "ADJUSTMENT_DECIDED");
    const auto journal = Decide(adjustment, true, "ken");
    ASSERT_TRUE(journal.ok() && journal.value());
    EXPECT_EQ((*journal)->amount, -300);
    EXPECT_EQ(Decide(adjustment, true, "ken").value(), std::nullopt);
    EXPECT_EQ(Decide(adjustment, true, "mio").status().reason(), "ADJUSTMENT_DECIDED");
    EXPECT_EQ(Decide(adjustment, false, "ken").status().reason(), "ADJUSTMENT_DECIDED");
    adjustment.amount = 0;
    EXPECT_EQ(CheckAdjustment(adjustment).reason(), "ADJUSTMENT_INVALID");
    adjustment.amount = kJournalAmountMax + 1;
    EXPECT_EQ(CheckAdjustment(adjustment).reason(), "ADJUSTMENT_INVALID");
    adjustment.amount = 1;
    adjustment.reason.clear();
    EXPECT_EQ(CheckAdjustment(adjustment).reason(), "ADJUSTMENT_INVALID");
}

}  // namespace
}  // namespace kessai::payout::domain
