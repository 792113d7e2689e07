#include "app/match_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <variant>
#include <vector>

#include "kessai/testing/matchers.h"
#include "kessai/time/clock.h"
#include "tests/claims.h"
#include "tests/fake_books.h"

namespace kessai::reconciliation::app {
namespace {

using domain::DiscrepancyKind;
using domain::DiscrepancyState;
using domain::MatchState;
using domain::PaymentClaim;
using domain::PayoutClaim;
using domain::testing::Day;
using domain::testing::PaymentSays;
using domain::testing::PayoutSays;
using kessai::testing::IsOk;
using kessai::testing::Refuses;
using ::testing::SizeIs;

class MatchChangesTest : public ::testing::Test {
 protected:
    Status Hear(const PaymentClaim& claim) {
        return match_.Apply(books_.books, {&claim, 1}, 3).status();
    }
    Status Hear(const PayoutClaim& claim) {
        return match_.Apply(books_.books, {&claim, 1}, 3).status();
    }

    const digest::RowHasher hasher_{digest::RowHasher::Key{1, 2, 3}};
    ManualClock clock_{FromMicros(1'800'000'000'000'000)};
    testing::FakeBooks books_;
    MatchChanges match_{hasher_, clock_};
};

// Goal: both orders of arrival match, and what was matched is summed once.
TEST_F(MatchChangesTest, EitherOrderMatchesAndIsSummed) {
    const auto first = PaymentSays(1, 1, 1'000);
    const auto second = PaymentSays(2, 1, -300);
    ASSERT_THAT(Hear(first), IsOk());
    EXPECT_EQ(books_.matches.at(first.key).state, MatchState::kWaitingForPayout);
    ASSERT_THAT(Hear(PayoutSays(second)), IsOk());
    EXPECT_EQ(books_.matches.at(second.key).state, MatchState::kWaitingForPayment);
    EXPECT_TRUE(books_.merchant_totals.empty());

    ASSERT_THAT(Hear(PayoutSays(first)), IsOk());
    ASSERT_THAT(Hear(second), IsOk());

    for (const auto& [key, match] : books_.matches) EXPECT_EQ(match.state, MatchState::kMatched);
    EXPECT_EQ((books_.merchant_totals.at({Day(), domain::MerchantId(7), Currency::Jpy()})), 700);
    EXPECT_TRUE(books_.discrepancies.empty());
}

// Goal: a difference is recorded once with its history, and not summed as matched.
TEST_F(MatchChangesTest, DifferenceBecomesADiscrepancy) {
    const auto payment = PaymentSays(1);
    auto payout = PayoutSays(payment);
    payout.terms.gross = Yen(999);
    ASSERT_THAT(Hear(payment), IsOk());
    ASSERT_THAT(Hear(payout), IsOk());

    ASSERT_THAT(books_.discrepancies, SizeIs(1));
    const auto& discrepancy = books_.discrepancies.begin()->second;
    EXPECT_EQ(discrepancy.finding.subject.kind, DiscrepancyKind::kAmountDiffers);
    EXPECT_EQ(discrepancy.state(), DiscrepancyState::kOpen);
    EXPECT_EQ(discrepancy.found_by_run, 0u);
    EXPECT_THAT(books_.steps.at(discrepancy.id), SizeIs(1));
    EXPECT_TRUE(books_.merchant_totals.empty());
}

// Goal: an answer that was reported missing settles that report, and no other one.
TEST_F(MatchChangesTest, LateAnswerSettlesItsReport) {
    const auto payment = PaymentSays(1);
    ASSERT_THAT(Hear(payment), IsOk());
    books_.matches.at(payment.key).overdue = true;
    std::vector<DiscrepancyChange> reported;
    for (const auto kind : {DiscrepancyKind::kMissingInPayout, DiscrepancyKind::kMissingInBoth}) {
        domain::Finding finding{
            .subject = {.business_date = Day(), .kind = kind, .change = payment.key}};
        reported.push_back({{.finding = finding, .latest = FirstStep(finding, clock_.Now())},
                            FirstStep(finding, clock_.Now())});
    }
    ASSERT_THAT(books_.Store(reported), IsOk());

    ASSERT_THAT(Hear(PayoutSays(payment)), IsOk());

    for (const auto& [subject, discrepancy] : books_.discrepancies) {
        EXPECT_EQ(discrepancy.state(), subject.kind == DiscrepancyKind::kMissingInPayout
                                           ? DiscrepancyState::kRepaired
                                           : DiscrepancyState::kOpen);
    }
    EXPECT_FALSE(books_.matches.at(payment.key).overdue);
}

// Goal: should the inbox ever hand over a repeat, it is refused and changes nothing.
TEST_F(MatchChangesTest, RepeatIsRefused) {
    const auto payment = PaymentSays(1);
    ASSERT_THAT(Hear(payment), IsOk());
    EXPECT_THAT(Hear(payment), Refuses(Code::kInternal, "EFFECT_REPEATED"));
    ASSERT_THAT(Hear(PayoutSays(payment)), IsOk());
    const auto before = books_.matches;
    EXPECT_THAT(Hear(payment), Refuses(Code::kInternal, "EFFECT_REPEATED"));
    EXPECT_THAT(Hear(PayoutSays(payment)), Refuses(Code::kInternal, "EFFECT_REPEATED"));
    EXPECT_EQ(books_.matches, before);
}

// Goal: a change that somebody stored meanwhile sends the batch back to look again; one that was
// only taken for new says that it is not.
TEST_F(MatchChangesTest, StoredMeanwhileIsNotTheSameAsTakenForNew) {
    const auto stored = PaymentSays(1);
    ASSERT_THAT(Hear(PayoutSays(stored)), IsOk());
    const std::vector<PaymentClaim> claims{stored, PaymentSays(2)};
    EXPECT_THAT(match_.Apply(books_.books, claims, 3, KnownChanges{}).status(),
                Refuses(Code::kAborted, "CHANGE_STORED_MEANWHILE"));
    EXPECT_THAT(match_.Apply(books_.books, claims, 3, {.assumed_new = true}).status(),
                Refuses(Code::kAlreadyExists, "DUPLICATE_KEY"));

    books_.matches.erase(PaymentSays(2).key);
    const std::vector<domain::Match> known{books_.matches.at(stored.key)};
    ASSERT_THAT(match_.Apply(books_.books, claims, 3, {.locked = known}), IsOk());
    EXPECT_EQ(books_.matches.at(stored.key).state, MatchState::kMatched);
    EXPECT_EQ(books_.matches.at(PaymentSays(2).key).state, MatchState::kWaitingForPayout);
}

// Goal: however the events of both topics interleave and are cut into batches, all is matched and
// the sums are payment's.
// Method: random interleavings that keep nothing but each event's uniqueness.
TEST_F(MatchChangesTest, AnyInterleavingGivesTheSameBooks) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    for (int round = 0; round < 50; ++round) {
        testing::FakeBooks books;
        digest::Accumulator expected(hasher_);
        std::vector<std::variant<PaymentClaim, PayoutClaim>> events;
        for (int i = 1; i <= 100; ++i) {
            const auto claim =
                PaymentSays(i, 1, static_cast<std::int64_t>(random() % 2'000) - 1'000,
                            static_cast<std::int64_t>(1 + random() % 5));
            expected.Add({i, 1, Day(), claim.terms.merchant.value(), claim.terms.gross.minor()});
            events.emplace_back(claim);
            events.emplace_back(PayoutSays(claim));
        }
        std::ranges::shuffle(events, random);
        for (std::size_t at = 0; at < events.size();) {
            const std::size_t end = std::min(events.size(), at + 1 + random() % 40);
            std::vector<PaymentClaim> payments;
            std::vector<PayoutClaim> payouts;
            for (; at < end; ++at) {
                if (auto* payment = std::get_if<PaymentClaim>(&events[at])) {
                    payments.push_back(*payment);
                } else {
                    payouts.push_back(std::get<PayoutClaim>(events[at]));
                }
            }
            ASSERT_THAT(match_.Apply(books.books, payments, 0), IsOk());
            ASSERT_THAT(match_.Apply(books.books, payouts, 0), IsOk());
        }
        ASSERT_THAT(books.matches, SizeIs(100));
        for (const auto& [key, match] : books.matches) {
            ASSERT_EQ(match.state, MatchState::kMatched);
        }
        ASSERT_EQ(books.KeptDigest(Day()).value(), expected.Day(Day()));
        ASSERT_TRUE(books.discrepancies.empty());
    }
}

}  // namespace
}  // namespace kessai::reconciliation::app
