// Goal: the oracle finds every kind of damage that the kill test looks for, and accuses nobody when
// all is well. Method: journals written by hand and records changed in one way each.

#include "load/oracle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "kessai/testing/temp_dir.h"
#include "load/journal.h"

namespace kessai::load {
namespace {

using journal::Answered;
using journal::Operation;
using journal::Sent;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Builds a journal step by step; a step takes 10 ms.
class Tale {
 public:
    Tale() { journal_.run = {"r1", 1'000, 10, 42}; }

    Tale& Ask(Operation operation, const std::string& key, int attempt = 1) {
        journal_.records.push_back(Sent{Step(), operation, key, attempt, 1'001, 7, 500});
        return *this;
    }
    Tale& Tell(Operation operation, const std::string& key, Verdict verdict, int attempt = 1,
               std::int64_t payment_id = 0, std::string reason = {}) {
        journal_.records.push_back(Answered{Step(), operation, key, attempt, verdict,
                                            std::move(reason), "04-x", payment_id});
        return *this;
    }
    Tale& Create(const std::string& key) {
        return Ask(Operation::kCreate, key).Tell(Operation::kCreate, key, Verdict::kAcknowledged);
    }
    Tale& Pay(const std::string& key, std::int64_t payment_id) {
        return Ask(Operation::kPay, key)
            .Tell(Operation::kPay, key, Verdict::kAcknowledged, 1, payment_id);
    }
    std::int64_t now_us() const { return now_us_; }
    const Journal& journal() const { return journal_; }

 private:
    std::int64_t Step() { return now_us_ += 10'000; }
    std::int64_t now_us_ = 1'000'000;
    Journal journal_;
};

StoredPayment Paid(const std::string& key, std::int64_t payment_id) {
    StoredPayment stored;
    stored.payment_id = payment_id;
    stored.key = key;
    stored.merchant_id = 1'001;
    stored.user_id = 7;
    stored.amount = 500;
    stored.paid = true;
    stored.created_at_us = 1'011'000;
    stored.accepted_at_us = 1'031'000;
    stored.completions = stored.accruals = stored.matches = 1;
    stored.accrued_gross = 500;
    return stored;
}

StoredPayment Unpaid(const std::string& key, std::int64_t payment_id) {
    StoredPayment stored = Paid(key, payment_id);
    stored.paid = false;
    stored.user_id = 0;
    stored.accepted_at_us = 0;
    stored.completions = stored.accruals = stored.matches = 0;
    stored.accrued_gross = 0;
    return stored;
}

std::vector<std::string> KindsOf(const Tale& tale, const std::vector<StoredPayment>& stored,
                                 const std::vector<StoredTopUp>& top_ups = {}) {
    std::vector<std::string> kinds;
    for (const auto& offence : Oracle(tale.journal()).Judge(stored, top_ups).offences) {
        kinds.push_back(offence.kind);
    }
    return kinds;
}

TEST(Oracle, IsContentWhenAllIsWell) {
    Tale tale;
    tale.Create("a").Pay("a", 11).Create("b").Pay("b", 12).Create("c");
    tale.Ask(Operation::kPay, "c")
        .Tell(Operation::kPay, "c", Verdict::kRefused, 1, 0, "INSUFFICIENT_FUNDS");
    const auto report =
        Oracle(tale.journal()).Judge({Paid("a", 11), Paid("b", 12), Unpaid("c", 13)});
    EXPECT_TRUE(report.clean());
    EXPECT_EQ(report.codes_acknowledged, 3u);
    EXPECT_EQ(report.payments_asked_for, 3u);
    EXPECT_EQ(report.payments_acknowledged, 2u);
    EXPECT_EQ(report.payments_refused, 1u);
    EXPECT_EQ(report.refusals.at("INSUFFICIENT_FUNDS"), 1u);
    EXPECT_EQ(report.unknown_outcomes, 0u);
    EXPECT_EQ(report.payments_stored, 2u);
}

TEST(Oracle, CountsRetriesThatFoundWhatWasDone) {
    // Asked, done, the answer lost; asked again and told what was done the first time.
    Tale lost_answer;
    lost_answer.Create("a").Ask(Operation::kPay, "a");
    lost_answer.Tell(Operation::kPay, "a", Verdict::kUnknown, 1, 0, "CONNECTION_LOST");
    lost_answer.Ask(Operation::kPay, "a", 2);
    lost_answer.Tell(Operation::kPay, "a", Verdict::kAcknowledged, 2, 11);
    auto report = Oracle(lost_answer.journal()).Judge({Paid("a", 11)});
    EXPECT_TRUE(report.clean());
    EXPECT_EQ(report.unknown_outcomes, 1u);
    EXPECT_EQ(report.retries, 1u);
    EXPECT_EQ(report.retries_that_found_an_outcome, 1u);

    // The same, but the first request never arrived: the retry did it.
    StoredPayment later = Paid("a", 11);
    later.accepted_at_us = lost_answer.now_us() - 1'000;
    report = Oracle(lost_answer.journal()).Judge({later});
    EXPECT_TRUE(report.clean());
    EXPECT_EQ(report.retries_that_found_an_outcome, 0u);
}

TEST(Oracle, FindsWhatWasAcknowledgedAndIsGone) {
    Tale tale;
    tale.Create("a").Pay("a", 11);
    EXPECT_THAT(KindsOf(tale, {Unpaid("a", 11)}), ElementsAre("ACKNOWLEDGED_BUT_MISSING"));
    EXPECT_THAT(KindsOf(tale, {}),
                ElementsAre("ACKNOWLEDGED_BUT_MISSING", "ACKNOWLEDGED_BUT_MISSING"));
    Tale code_only;
    code_only.Create("a");
    EXPECT_THAT(KindsOf(code_only, {}), ElementsAre("ACKNOWLEDGED_BUT_MISSING"));
}

TEST(Oracle, FindsWhatIsStoredOtherwise) {
    Tale tale;
    tale.Create("a").Pay("a", 11);
    auto other = Paid("a", 12);
    EXPECT_THAT(KindsOf(tale, {other}), ElementsAre("ACKNOWLEDGED_BUT_OTHER"));
    other = Paid("a", 11);
    other.user_id = 8;
    EXPECT_THAT(KindsOf(tale, {other}), ElementsAre("ACKNOWLEDGED_BUT_OTHER"));
    other = Paid("a", 11);
    other.amount = other.accrued_gross = 501;
    EXPECT_THAT(KindsOf(tale, {other}), ElementsAre("ACKNOWLEDGED_BUT_OTHER"));
    other = Paid("a", 11);
    other.merchant_id = 1'002;
    EXPECT_THAT(KindsOf(tale, {other}), ElementsAre("ACKNOWLEDGED_BUT_OTHER"));
}

TEST(Oracle, FindsWhatWasDoneTwice) {
    Tale tale;
    tale.Create("a").Pay("a", 11);
    auto twice = Paid("a", 11);
    twice.completions = 2;
    EXPECT_THAT(KindsOf(tale, {twice}), ElementsAre("PAID_TWICE"));
    EXPECT_THAT(KindsOf(tale, {Paid("a", 11), Paid("a", 12)}), ElementsAre("CODE_TWICE"));
    twice = Paid("a", 11);
    twice.accruals = 2;
    EXPECT_THAT(KindsOf(tale, {twice}), ElementsAre("ACCRUED_TWICE"));
    twice = Paid("a", 11);
    twice.matches = 2;
    EXPECT_THAT(KindsOf(tale, {twice}), ElementsAre("MATCHED_TWICE"));
}

TEST(Oracle, FindsWhatDidNotReachPayoutOrReconciliation) {
    Tale tale;
    tale.Create("a").Pay("a", 11);
    auto lost = Paid("a", 11);
    lost.accruals = 0;
    lost.accrued_gross = 0;
    EXPECT_THAT(KindsOf(tale, {lost}), ElementsAre("NOT_ACCRUED"));
    lost = Paid("a", 11);
    lost.accrued_gross = 499;
    EXPECT_THAT(KindsOf(tale, {lost}), ElementsAre("ACCRUED_OTHERWISE"));
    lost = Paid("a", 11);
    lost.matches = 0;
    EXPECT_THAT(KindsOf(tale, {lost}), ElementsAre("NOT_MATCHED"));
}

TEST(Oracle, FindsWhatWasRefusedAndDone) {
    Tale refused;
    refused.Create("a").Ask(Operation::kPay, "a");
    refused.Tell(Operation::kPay, "a", Verdict::kRefused, 1, 0, "CODE_EXPIRED");
    EXPECT_THAT(KindsOf(refused, {Paid("a", 11)}), ElementsAre("REFUSED_BUT_DONE"));

    // "It was not done" is a promise too.
    Tale not_done;
    not_done.Create("a").Ask(Operation::kPay, "a");
    not_done.Tell(Operation::kPay, "a", Verdict::kNotDone, 1, 0, "UNAVAILABLE");
    EXPECT_THAT(KindsOf(not_done, {Paid("a", 11)}), ElementsAre("REFUSED_BUT_DONE"));
    EXPECT_THAT(KindsOf(not_done, {Unpaid("a", 11)}), IsEmpty());

    // After an attempt of unknown fate a refusal says nothing of that attempt.
    Tale unknown_first;
    unknown_first.Create("a").Ask(Operation::kPay, "a");
    unknown_first.Tell(Operation::kPay, "a", Verdict::kUnknown);
    unknown_first.Ask(Operation::kPay, "a", 2);
    unknown_first.Tell(Operation::kPay, "a", Verdict::kRefused, 2, 0, "CODE_EXPIRED");
    EXPECT_THAT(KindsOf(unknown_first, {Paid("a", 11)}), IsEmpty());
    EXPECT_THAT(KindsOf(unknown_first, {Unpaid("a", 11)}), IsEmpty());

    Tale code;
    code.Ask(Operation::kCreate, "a").Tell(Operation::kCreate, "a", Verdict::kRefused);
    EXPECT_THAT(KindsOf(code, {Unpaid("a", 11)}), ElementsAre("REFUSED_BUT_DONE"));
    EXPECT_THAT(KindsOf(code, {}), IsEmpty());
}

TEST(Oracle, FindsWhatNobodyAskedFor) {
    Tale tale;
    tale.Create("a");
    EXPECT_THAT(KindsOf(tale, {Paid("a", 11)}), ElementsAre("NEVER_ASKED_FOR"));
    EXPECT_THAT(KindsOf(tale, {Unpaid("a", 11), Unpaid("z", 12)}), ElementsAre("NEVER_ASKED_FOR"));
}

TEST(Oracle, FindsWhatWasLeftOpen) {
    Tale tale;
    tale.Create("a").Ask(Operation::kPay, "a");
    EXPECT_THAT(KindsOf(tale, {Paid("a", 11)}), ElementsAre("NOT_SETTLED"));
    tale.Tell(Operation::kPay, "a", Verdict::kUnknown);
    EXPECT_THAT(KindsOf(tale, {Unpaid("a", 11)}), ElementsAre("NOT_SETTLED"));
    // Another attempt that did nothing settles nothing.
    tale.Ask(Operation::kPay, "a", 2).Tell(Operation::kPay, "a", Verdict::kNotDone, 2);
    EXPECT_THAT(KindsOf(tale, {Unpaid("a", 11)}), ElementsAre("NOT_SETTLED"));
    tale.Ask(Operation::kPay, "a", 3);
    tale.Tell(Operation::kPay, "a", Verdict::kAcknowledged, 3, 11);
    EXPECT_THAT(KindsOf(tale, {Paid("a", 11)}), IsEmpty());

    Tale code;
    code.Ask(Operation::kCreate, "a");
    EXPECT_THAT(KindsOf(code, {}), ElementsAre("NOT_SETTLED"));
}

TEST(Oracle, FindsAnswersThatContradictEachOther) {
    Tale tale;
    tale.Create("a").Pay("a", 11);
    tale.Ask(Operation::kPay, "a", 2);
    tale.Tell(Operation::kPay, "a", Verdict::kAcknowledged, 2, 12);
    EXPECT_THAT(KindsOf(tale, {Paid("a", 11)}), ElementsAre("TOLD_DIFFERENTLY"));
}

/// Paid, and refunded as the tales ask for it: 500 yen at the sixth step.
StoredPayment Refunded(const std::string& key, std::int64_t payment_id) {
    StoredPayment stored = Paid(key, payment_id);
    stored.refund = {1, 500, 1'051'000, 1, -500, 1};
    return stored;
}

TEST(Oracle, JudgesRefundsAndCancellationsLikePayments) {
    Tale tale;
    tale.Create("a").Pay("a", 11).Ask(Operation::kRefund, "a");
    tale.Tell(Operation::kRefund, "a", Verdict::kAcknowledged, 1, 11);
    const Oracle oracle(tale.journal());
    const auto report = oracle.Judge({Refunded("a", 11)});
    EXPECT_TRUE(report.clean());
    EXPECT_EQ(report.refunds_acknowledged, 1u);
    EXPECT_EQ(report.cancellations_acknowledged, 0u);
    EXPECT_STREQ(oracle.AcknowledgedPayments().front().status, "REFUNDED");

    EXPECT_THAT(KindsOf(tale, {Paid("a", 11)}), ElementsAre("ACKNOWLEDGED_BUT_MISSING"));
    auto wrong = Refunded("a", 11);
    wrong.refund.changes = wrong.refund.accruals = wrong.refund.matches = 2;
    EXPECT_THAT(KindsOf(tale, {wrong}),
                ElementsAre("DONE_TWICE", "ACCRUED_TWICE", "MATCHED_TWICE"));
    wrong = Refunded("a", 11);
    wrong.refund.amount = 499;
    wrong.refund.accrued_gross = -499;
    EXPECT_THAT(KindsOf(tale, {wrong}), ElementsAre("ACKNOWLEDGED_BUT_OTHER"));
    wrong = Refunded("a", 11);
    wrong.refund.accruals = 0;
    EXPECT_THAT(KindsOf(tale, {wrong}), ElementsAre("NOT_ACCRUED"));
    wrong = Refunded("a", 11);
    wrong.refund.accrued_gross = 500;
    EXPECT_THAT(KindsOf(tale, {wrong}), ElementsAre("ACCRUED_OTHERWISE"));
    wrong = Refunded("a", 11);
    wrong.refund.matches = 0;
    EXPECT_THAT(KindsOf(tale, {wrong}), ElementsAre("NOT_MATCHED"));
    wrong = Refunded("a", 11);
    wrong.cancellation = wrong.refund;
    EXPECT_THAT(KindsOf(tale, {wrong}), ElementsAre("NEVER_ASKED_FOR"));

    Tale canceled;
    canceled.Create("a").Pay("a", 11).Ask(Operation::kCancel, "a");
    auto back = Paid("a", 11);
    back.cancellation = Refunded("a", 11).refund;
    EXPECT_THAT(KindsOf(canceled, {back}), ElementsAre("NOT_SETTLED"));
    canceled.Tell(Operation::kCancel, "a", Verdict::kUnknown).Ask(Operation::kCancel, "a", 2);
    canceled.Tell(Operation::kCancel, "a", Verdict::kAcknowledged, 2);
    const auto settled = Oracle(canceled.journal()).Judge({back});
    EXPECT_TRUE(settled.clean());
    EXPECT_EQ(settled.cancellations_acknowledged, 1u);
    EXPECT_EQ(settled.retries_that_found_an_outcome, 1u);

    Tale refused;
    refused.Create("a").Pay("a", 11).Ask(Operation::kRefund, "a");
    refused.Tell(Operation::kRefund, "a", Verdict::kRefused, 1, 0, "UNACCEPTABLE_OP");
    EXPECT_THAT(KindsOf(refused, {Refunded("a", 11)}), ElementsAre("REFUSED_BUT_DONE"));
    EXPECT_EQ(Oracle(refused.journal()).Judge({Paid("a", 11)}).others_refused, 1u);
}

TEST(Oracle, JudgesTopUpsLikePayments) {
    Tale tale;
    tale.Ask(Operation::kTopUp, "t");
    tale.Tell(Operation::kTopUp, "t", Verdict::kAcknowledged, 1, 31);
    const StoredTopUp stored{31, "t", 7, 500, 1'015'000, 1};
    const auto report = Oracle(tale.journal()).Judge({}, {stored});
    EXPECT_TRUE(report.clean());
    EXPECT_EQ(report.top_ups_acknowledged, 1u);
    EXPECT_EQ(report.codes_asked_for, 0u);

    EXPECT_THAT(KindsOf(tale, {}), ElementsAre("ACKNOWLEDGED_BUT_MISSING"));
    EXPECT_THAT(KindsOf(tale, {}, {stored, stored}), ElementsAre("DONE_TWICE"));
    auto other = stored;
    other.changes = 2;
    EXPECT_THAT(KindsOf(tale, {}, {other}), ElementsAre("DONE_TWICE"));
    other = stored;
    other.amount = 501;
    EXPECT_THAT(KindsOf(tale, {}, {other}), ElementsAre("ACKNOWLEDGED_BUT_OTHER"));
    other = stored;
    other.top_up_id = 32;
    EXPECT_THAT(KindsOf(tale, {}, {other}), ElementsAre("ACKNOWLEDGED_BUT_OTHER"));
    other = stored;
    other.key = "z";
    EXPECT_THAT(KindsOf(tale, {}, {stored, other}), ElementsAre("NEVER_ASKED_FOR"));
}

TEST(Oracle, KnowsWhatWasInFlight) {
    Tale tale;
    tale.Create("a");                   // sent at 1.01 s, answered at 1.02 s
    tale.Ask(Operation::kPay, "a");     // sent at 1.03 s
    tale.Ask(Operation::kCreate, "b");  // sent at 1.04 s
    tale.Tell(Operation::kPay, "a", Verdict::kAcknowledged, 1, 11);  // 1.05 s
    const Oracle oracle(tale.journal());
    EXPECT_EQ(oracle.InFlightAt(1'005'000), 0u);
    EXPECT_EQ(oracle.InFlightAt(1'015'000), 1u);
    EXPECT_EQ(oracle.InFlightAt(1'025'000), 0u);
    EXPECT_EQ(oracle.InFlightAt(1'045'000), 2u);
    EXPECT_EQ(oracle.InFlightAt(1'060'000), 1u);
    EXPECT_EQ(oracle.AcknowledgedPayments().size(), 1u);
}

class JournalTest : public ::testing::Test {
 protected:
    std::string path() const { return directory_.Path("journal"); }
    void Append(const std::string& text) const { std::ofstream(path(), std::ios::app) << text; }

    kessai::testing::TempDir directory_{"load"};
};

TEST_F(JournalTest, KeepsEverything) {
    {
        auto writer = JournalWriter::Create(path(), {"r-7", 5'000, 20, 99});
        ASSERT_TRUE(writer.ok()) << writer.status().ToString();
        (*writer)->Add(Sent{1, Operation::kCreate, "k-1", 1, 5'003, 8, 120});
        (*writer)->Add(
            Answered{2, Operation::kCreate, "k-1", 1, Verdict::kAcknowledged, "", "04-c", 0});
        (*writer)->Add(Sent{3, Operation::kPay, "k-1", 2, 5'003, 8, 120});
        (*writer)->Add(
            Answered{4, Operation::kPay, "k-1", 2, Verdict::kUnknown, "TIMED_OUT", "04-c", 0});
        (*writer)->Add(
            Answered{5, Operation::kPay, "k-1", 3, Verdict::kAcknowledged, "", "04-c", 77});
        EXPECT_TRUE((*writer)->status().ok());
        struct stat found {};
        ASSERT_EQ(::stat(path().c_str(), &found), 0);
        EXPECT_EQ(found.st_mode & 0777, 0600u);
    }
    const auto journal = ReadJournal(path());
    ASSERT_TRUE(journal.ok()) << journal.status().ToString();
    EXPECT_EQ(journal->run.id, "r-7");
    EXPECT_EQ(journal->run.first_merchant_id, 5'000);
    EXPECT_EQ(journal->run.merchants, 20);
    EXPECT_EQ(journal->run.seed, 99u);
    ASSERT_EQ(journal->records.size(), 5u);
    const auto& sent = std::get<Sent>(journal->records[0]);
    EXPECT_EQ(sent.key, "k-1");
    EXPECT_EQ(sent.merchant_id, 5'003);
    EXPECT_EQ(sent.amount, 120);
    const auto& unknown = std::get<Answered>(journal->records[3]);
    EXPECT_EQ(unknown.verdict, Verdict::kUnknown);
    EXPECT_EQ(unknown.reason, "TIMED_OUT");
    EXPECT_EQ(unknown.attempt, 2);
    EXPECT_EQ(std::get<Answered>(journal->records[4]).payment_id, 77);
    EXPECT_EQ(std::get<Answered>(journal->records[4]).reason, "");
}

TEST_F(JournalTest, PassesOverALineThatACrashCutOff) {
    { ASSERT_TRUE(JournalWriter::Create(path(), {"r", 1, 1, 1}).ok()); }
    Append(">\t1\tcreate\tk\t1\t1\t1\t1\n>\t2\tcreate\tk2\t1");
    const auto journal = ReadJournal(path());
    ASSERT_TRUE(journal.ok()) << journal.status().ToString();
    EXPECT_EQ(journal->records.size(), 1u);
}

TEST_F(JournalTest, RefusesWhatItCannotRead) {
    EXPECT_EQ(ReadJournal(path()).status().reason(), "JOURNAL_UNUSABLE");
    Append("something else\n");
    EXPECT_EQ(ReadJournal(path()).status().reason(), "JOURNAL_MALFORMED");
    { ASSERT_TRUE(JournalWriter::Create(path(), {"r", 1, 1, 1}).ok()); }
    Append("<\t1\tpay\tk\t1\tperhaps\t-\t-\t0\n>\t1\tcreate\tk\t1\t1\t1\t1\n");
    EXPECT_EQ(ReadJournal(path()).status().reason(), "JOURNAL_MALFORMED");
    EXPECT_EQ(JournalWriter::Create("/nowhere/journal", {}).status().reason(), "JOURNAL_UNUSABLE");
}

}  // namespace
}  // namespace kessai::load
