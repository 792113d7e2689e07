#include "domain/day_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/claims.h"

namespace kessai::reconciliation::domain {
namespace {

using testing::Day;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::PaymentSays;
using testing::PayoutSays;
using ::testing::SizeIs;
using enum DiscrepancyKind;

const Instant kNow = FromMicros(1'800'000'000'000'000);

std::vector<DiscrepancyKind> KindsOf(const Case& change, BusinessDate day = Day()) {
    std::vector<DiscrepancyKind> kinds;
    for (const Finding& finding : Classify(day, change)) kinds.push_back(finding.subject.kind);
    return kinds;
}

/// A case on which all three books agree, for the tests to bend.
class ClassifyTest : public ::testing::Test {
 protected:
    ClassifyTest() {
        agreed_.key = payment_.key;
        agreed_.payment = BookRow{payment_.key, payment_.terms.merchant, 1'000};
        agreed_.payout = agreed_.payment;
        agreed_.match = Join(Begin(payment_), PayoutSays(payment_), kNow).match;
    }

    const PaymentClaim payment_ = PaymentSays(1);
    Case agreed_;
};

// Goal: nothing is found where nothing is wrong.
TEST_F(ClassifyTest, AgreementIsNoFinding) {
    EXPECT_TRUE(Agrees(Day(), agreed_));
    EXPECT_THAT(KindsOf(agreed_), IsEmpty());
}

// Goal: every row of the documented table gives the kind it says, and nothing else.
TEST_F(ClassifyTest, BooksThatDiffer) {
    Case change = agreed_;
    change.payout->gross = 999;
    EXPECT_THAT(KindsOf(change), ElementsAre(kAmountDiffers));
    const Finding finding = Classify(Day(), change)[0];
    EXPECT_EQ(finding.payment_gross, 1'000);
    EXPECT_EQ(finding.payout_gross, 999);

    change.payout->merchant = MerchantId(8);
    EXPECT_THAT(KindsOf(change), ElementsAre(kAmountDiffers, kMerchantDiffers));
    change.payout->gross = 1'000;
    EXPECT_THAT(KindsOf(change), ElementsAre(kMerchantDiffers));
    change.match.reset();
    EXPECT_THAT(KindsOf(change), ElementsAre(kMerchantDiffers));
}

TEST_F(ClassifyTest, BooksThatAgreeButNotWithTheEvents) {
    Case change = agreed_;
    change.payment->gross = change.payout->gross = 5;
    EXPECT_THAT(KindsOf(change), ElementsAre(kChangedInBoth));

    change = agreed_;
    change.match->terms.business_date = Day(1);
    EXPECT_THAT(KindsOf(change), ElementsAre(kChangedInBoth));

    change = agreed_;
    PayoutClaim other = PayoutSays(payment_);
    other.terms.gross = Yen(5);
    change.match = Join(Begin(payment_), other, kNow).match;
    EXPECT_THAT(KindsOf(change), ElementsAre(kContentDiffers));

    change.match = Begin(payment_);
    EXPECT_THAT(KindsOf(change), ElementsAre(kPayoutEventMissing));
    change.match = Begin(PayoutSays(payment_));
    EXPECT_THAT(KindsOf(change), ElementsAre(kPaymentEventMissing));
    change.match.reset();
    EXPECT_THAT(KindsOf(change), ElementsAre(kPaymentEventMissing, kPayoutEventMissing));
}

TEST_F(ClassifyTest, OneSidedBooks) {
    Case change = agreed_;
    change.payout.reset();
    EXPECT_THAT(KindsOf(change), ElementsAre(kMissingInPayout));
    change.match = Begin(payment_);
    EXPECT_THAT(KindsOf(change), ElementsAre(kMissingInPayout));
    change.match.reset();
    EXPECT_THAT(KindsOf(change), ElementsAre(kMissingInPayout, kPaymentEventMissing));

    change = agreed_;
    change.payment.reset();
    EXPECT_THAT(KindsOf(change), ElementsAre(kMissingInPayment));
    change.match = Begin(PayoutSays(payment_));
    EXPECT_THAT(KindsOf(change), ElementsAre(kMissingInPayment));

    change = agreed_;
    change.payment.reset();
    change.payout.reset();
    EXPECT_THAT(KindsOf(change), ElementsAre(kMissingInBoth));
}

// Goal: a change that the sides date differently is one discrepancy, though it is missing in the
// lists of two days and was found by its events already.
TEST_F(ClassifyTest, DatesThatDifferAreOneDiscrepancy) {
    PayoutClaim late = PayoutSays(payment_);
    late.terms.business_date = Day(1);
    const Joined by_event = Join(Begin(payment_), late, kNow);
    ASSERT_THAT(by_event.findings, SizeIs(1));

    Case on_payments_day = agreed_;
    on_payments_day.match = by_event.match;
    on_payments_day.payout.reset();
    on_payments_day.payout_elsewhere = DatedRow{Day(1), *agreed_.payout};
    Case on_payouts_day = agreed_;
    on_payouts_day.match = by_event.match;
    on_payouts_day.payment.reset();
    on_payouts_day.payment_elsewhere = DatedRow{Day(), *agreed_.payment};

    const auto first = Classify(Day(), on_payments_day);
    const auto second = Classify(Day(1), on_payouts_day);
    ASSERT_THAT(first, SizeIs(1));
    ASSERT_THAT(second, SizeIs(1));
    EXPECT_EQ(first[0].subject.kind, kDateDiffers);
    EXPECT_TRUE(first[0].SaysTheSame(second[0]));
    EXPECT_TRUE(first[0].SaysTheSame(by_event.findings[0]));
}

// Goal: a row whose date alone was changed is found as that from both days, with both amounts; what
// else was changed in it is found too; and a row that is gone is missing whatever the events said.
TEST_F(ClassifyTest, ARowThatWasDatedOtherwise) {
    Case payout_moved = agreed_;
    payout_moved.payout.reset();
    payout_moved.payout_elsewhere = DatedRow{Day(1), *agreed_.payout};
    Case from_there = agreed_;
    from_there.payment.reset();
    from_there.payment_elsewhere = DatedRow{Day(), *agreed_.payment};
    const auto first = Classify(Day(), payout_moved);
    const auto second = Classify(Day(1), from_there);
    ASSERT_THAT(first, SizeIs(1));
    ASSERT_THAT(second, SizeIs(1));
    EXPECT_EQ(first[0].subject.kind, kDateDiffers);
    EXPECT_EQ(first[0].subject.business_date, Day());
    EXPECT_EQ(first[0].payment_gross, 1'000);
    EXPECT_EQ(first[0].payout_gross, 1'000);
    EXPECT_THAT(first[0].evidence, ::testing::HasSubstr(Day(1).ToString()));
    EXPECT_EQ(first[0].subject, second[0].subject);
    EXPECT_TRUE(first[0].SaysTheSame(second[0]));

    payout_moved.payout_elsewhere->row.gross = 7;
    payout_moved.payout_elsewhere->row.merchant = MerchantId(8);
    EXPECT_THAT(KindsOf(payout_moved), ElementsAre(kDateDiffers, kAmountDiffers, kMerchantDiffers));

    // Payment's row: what was heard of it says which day it is of.
    Case payment_moved = agreed_;
    payment_moved.payment.reset();
    payment_moved.payment_elsewhere = DatedRow{Day(1), *agreed_.payment};
    EXPECT_THAT(KindsOf(payment_moved), ElementsAre(kDateDiffers));
    EXPECT_EQ(Classify(Day(), payment_moved)[0].subject.business_date, Day());

    Case both_moved = agreed_;
    both_moved.payment.reset();
    both_moved.payout.reset();
    both_moved.payment_elsewhere = both_moved.payout_elsewhere = DatedRow{Day(1), *agreed_.payout};
    EXPECT_THAT(KindsOf(both_moved), ElementsAre(kChangedInBoth));
    EXPECT_EQ(Classify(Day(), both_moved)[0].subject, Classify(Day(1), agreed_)[0].subject);

    Case gone = agreed_;
    gone.payout.reset();
    gone.match->differences.Add(Difference::kDate);
    gone.match->state = MatchState::kDiffers;
    EXPECT_THAT(KindsOf(gone), ElementsAre(kMissingInPayout));
}

// Goal: exactly the buckets are listed in which any of the three books differs.
TEST(BucketsToListTest, AnyBookThatDiffersIsEnough) {
    const digest::DayDigest empty(digest::kBuckets);
    DayDigests digests{empty, empty, empty};
    EXPECT_THAT(BucketsToList(digests), IsEmpty());

    const digest::BucketDigest row{1, 1'000, {3, 4}};
    digests.payment[0] = digests.payout[0] = digests.matched[0] = row;
    EXPECT_THAT(BucketsToList(digests), IsEmpty());

    digests.payment[5] = row;
    digests.payout[1'023] = row;
    digests.matched[7] = row;
    digests.payment[9] = digests.payout[9] = row;
    digests.matched[0].hash_sum.high ^= 1;
    EXPECT_THAT(BucketsToList(digests), ElementsAre(0, 5, 7, 9, 1'023));
}

TEST(DigestFindingTest, NamesBookAndBucket) {
    const Finding finding = DigestFinding(Day(), Book::kPayout, 17, {2, 7, {}}, {1, 5, {}});
    EXPECT_EQ(finding.subject.kind, kDigestDiffers);
    EXPECT_EQ(finding.subject.book, Book::kPayout);
    EXPECT_EQ(finding.subject.bucket, 17u);
    EXPECT_NE(finding.subject, DigestFinding(Day(), Book::kPayment, 17, {}, {}).subject);
    EXPECT_THAT(finding.evidence, ::testing::HasSubstr("payout says 2 rows"));
}

}  // namespace
}  // namespace kessai::reconciliation::domain
