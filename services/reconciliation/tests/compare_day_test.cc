#include "app/compare_day.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "app/match_changes.h"
#include "app/run_due_days.h"
#include "kessai/testing/matchers.h"
#include "kessai/time/clock.h"
#include "tests/claims.h"
#include "tests/fake_books.h"

namespace kessai::reconciliation::app {
namespace {

using namespace std::chrono_literals;

using domain::Book;
using domain::BookRow;
using domain::DayRunState;
using domain::DiscrepancyKind;
using domain::DiscrepancyState;
using domain::PaymentClaim;
using domain::testing::Day;
using domain::testing::PaymentSays;
using domain::testing::PayoutSays;
using kessai::testing::IsOk;
using kessai::testing::Refuses;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum DiscrepancyKind;

/// A closed day on which everything agrees, for the tests to damage.
class CompareDayTest : public ::testing::Test {
 protected:
    static constexpr int kChanges = 300;

    CompareDayTest() {
        for (int i = 1; i <= kChanges; ++i) Happen(PaymentSays(i, 1, 100 + i, 1 + i % 7));
        payment_.KeepDigests();
        payout_.KeepDigests();
        books_.CloseDay(Day());
    }

    static BookRow RowOf(const PaymentClaim& claim) {
        return {claim.key, claim.terms.merchant, claim.terms.gross.minor()};
    }
    BookRow& PaymentRow(std::int64_t payment) {
        return payment_.rows.at(Day()).at({domain::PaymentId(payment), 1});
    }
    BookRow& PayoutRow(std::int64_t payment) {
        return payout_.rows.at(Day()).at({domain::PaymentId(payment), 1});
    }
    void EraseFrom(testing::FakePeerBook& book, std::int64_t payment) {
        ASSERT_EQ(book.rows.at(Day()).erase({domain::PaymentId(payment), 1}), 1u);
    }
    /// Dates its row otherwise.
    void MoveTo(BusinessDate date, testing::FakePeerBook& book, std::int64_t payment) {
        const BookRow row = book.rows.at(Day()).at({domain::PaymentId(payment), 1});
        EraseFrom(book, payment);
        book.Put(date, row);
    }
    static std::pair<std::int64_t, std::int64_t> TwoOfABucket() {
        std::map<int, std::int64_t> of_bucket;
        for (std::int64_t payment = 1; payment <= kChanges; ++payment) {
            const auto [first, is_first] = of_bucket.emplace(digest::BucketOf(payment), payment);
            if (!is_first) return {first->second, payment};
        }
        ADD_FAILURE() << "all are in buckets of their own";
        return {};
    }
    /// A change that went all the way.
    void Happen(const PaymentClaim& claim) {
        payment_.Put(claim.terms.business_date, RowOf(claim));
        payout_.Put(claim.terms.business_date, RowOf(claim));
        const auto answer = PayoutSays(claim);
        KESSAI_CHECK(match_.Apply(books_.books, {&claim, 1}, 0).ok(), "matches");
        KESSAI_CHECK(match_.Apply(books_.books, {&answer, 1}, 0).ok(), "matches");
    }
    std::map<domain::Subject, DiscrepancyState> States() const {
        std::map<domain::Subject, DiscrepancyState> states;
        for (const auto& [subject, discrepancy] : books_.discrepancies) {
            states[subject] = discrepancy.state();
        }
        return states;
    }
    static domain::Subject SubjectOf(std::int64_t payment, DiscrepancyKind kind,
                                     BusinessDate day = Day()) {
        return {.business_date = day, .kind = kind, .change = {domain::PaymentId(payment), 1}};
    }

    const digest::RowHasher hasher_{digest::RowHasher::Key{1, 2, 3}};
    ManualClock clock_{FromMicros(1'800'000'000'000'000)};
    testing::FakeBooks books_;
    testing::FakePeerBook payment_{hasher_};
    testing::FakePeerBook payout_{hasher_};
    MatchChanges match_{hasher_, clock_};
    CompareDay compare_{{books_, books_, payment_, payout_, hasher_, clock_}, 4};
};

// Goal: a day on which all books agree costs three digests and no list.
TEST_F(CompareDayTest, EqualDayListsNothing) {
    const auto run = compare_.Run(Day(), false);
    ASSERT_THAT(run, IsOk());
    EXPECT_EQ(run->state, DayRunState::kEqual);
    EXPECT_EQ(run->number, 1u);
    EXPECT_EQ(run->buckets_compared, 1'024u);
    EXPECT_EQ(run->buckets_different, 0u);
    EXPECT_EQ(payment_.listed_buckets + payout_.listed_buckets, 0);
    EXPECT_THAT(books_.discrepancies, IsEmpty());
    EXPECT_THAT(books_.due, IsEmpty());
    EXPECT_EQ(books_.runs.at(Day()).back(), *run);
}

TEST_F(CompareDayTest, DeepRunOfAnEqualDayFindsNothing) {
    const auto run = compare_.Run(Day(), true);
    ASSERT_THAT(run, IsOk());
    EXPECT_EQ(run->state, DayRunState::kEqual);
    EXPECT_TRUE(run->deep);
}

// Goal: nothing is compared that can still change.
TEST_F(CompareDayTest, OpenDayIsRefused) {
    EXPECT_THAT(compare_.Run(Day(1), false), Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    books_.marks[{Day(), domain::Source::kPayout}].partitions.erase(1);
    EXPECT_THAT(compare_.Run(Day(), false), Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    EXPECT_THAT(books_.runs[Day()], IsEmpty());
}

TEST_F(CompareDayTest, OneReplicaAtATime) {
    books_.lease_taken = true;
    EXPECT_THAT(compare_.Run(Day(), false), Refuses(Code::kAborted, "RUN_RUNNING"));
}

// Goal: whoever lost the right to compare records nothing more.
TEST_F(CompareDayTest, LostRightEndsTheRun) {
    PayoutRow(5).gross = 1;
    payout_.KeepDigests();
    payout_.before_list = [this](int) {
        books_.lease_lost = true;
        return OkStatus();
    };
    EXPECT_THAT(compare_.Run(Day(), false), Refuses(Code::kFailedPrecondition, "LEASE_LOST"));
    EXPECT_THAT(books_.discrepancies, IsEmpty());
    EXPECT_EQ(books_.runs.at(Day()).back().state, DayRunState::kRunning);

    books_.lease_lost = false;
    payout_.before_list = [](int) { return OkStatus(); };
    const auto next = compare_.Run(Day(), false);
    ASSERT_THAT(next, IsOk());
    EXPECT_EQ(next->number, 2u);
    EXPECT_EQ(books_.runs.at(Day()).front().state, DayRunState::kFailed);
    EXPECT_THAT(books_.discrepancies, SizeIs(1));
}

// Goal: what differs is found by name, only its bucket is listed, and a second run finds the same
// and records nothing.
TEST_F(CompareDayTest, SecondRunFindsTheSameAndAddsNothing) {
    EraseFrom(payout_, 17);
    payout_.KeepDigests();

    const auto first = compare_.Run(Day(), false);
    ASSERT_THAT(first, IsOk());
    EXPECT_EQ(first->state, DayRunState::kDifferent);
    EXPECT_EQ(first->buckets_different, 1u);
    EXPECT_EQ(first->discrepancies_found, 1u);
    EXPECT_EQ(payment_.listed_buckets, 1);
    const std::map<domain::Subject, DiscrepancyState> expected{
        {SubjectOf(17, kMissingInPayout), DiscrepancyState::kOpen}};
    EXPECT_EQ(States(), expected);
    const auto steps = books_.steps;

    const auto second = compare_.Run(Day(), false);
    ASSERT_THAT(second, IsOk());
    EXPECT_EQ(second->discrepancies_found, 1u);
    EXPECT_EQ(States(), expected);
    EXPECT_EQ(books_.steps, steps);
}

// Goal: what was repaired is settled by the next run, and opened again if it comes back.
TEST_F(CompareDayTest, RunsSettleWhatIsGone) {
    const BookRow whole = PayoutRow(17);
    EraseFrom(payout_, 17);
    payout_.KeepDigests();
    ASSERT_THAT(compare_.Run(Day(), false), IsOk());

    payout_.Put(Day(), whole);
    payout_.KeepDigests();
    const auto repaired = compare_.Run(Day(), false);
    ASSERT_THAT(repaired, IsOk());
    EXPECT_EQ(repaired->state, DayRunState::kEqual);
    EXPECT_EQ(States().at(SubjectOf(17, kMissingInPayout)), DiscrepancyState::kRepaired);

    EraseFrom(payout_, 17);
    payout_.KeepDigests();
    ASSERT_THAT(compare_.Run(Day(), false), IsOk());
    EXPECT_EQ(States().at(SubjectOf(17, kMissingInPayout)), DiscrepancyState::kOpen);
    EXPECT_THAT(books_.steps.begin()->second, SizeIs(3));
}

// Goal: a row that was changed behind the digests' back is found by the deep run only, and only a
// deep run settles it.
TEST_F(CompareDayTest, DeepRunLooksBehindTheDigests) {
    PayoutRow(5).gross += 1;  // and the kept digest stays
    ASSERT_THAT(compare_.Run(Day(), false), IsOk());
    EXPECT_THAT(books_.discrepancies, IsEmpty());

    const auto deep = compare_.Run(Day(), true);
    ASSERT_THAT(deep, IsOk());
    EXPECT_EQ(deep->state, DayRunState::kDifferent);
    const auto bucket = static_cast<std::uint32_t>(digest::BucketOf(5));
    const domain::Subject digest_differs{
        .business_date = Day(), .kind = kDigestDiffers, .book = Book::kPayout, .bucket = bucket};
    const std::map<domain::Subject, DiscrepancyState> expected{
        {SubjectOf(5, kAmountDiffers), DiscrepancyState::kOpen},
        {digest_differs, DiscrepancyState::kOpen}};
    EXPECT_EQ(States(), expected);

    ASSERT_THAT(compare_.Run(Day(), false), IsOk());
    EXPECT_EQ(States(), expected) << "a quick run does not look there";

    PayoutRow(5).gross -= 1;
    ASSERT_THAT(compare_.Run(Day(), true), IsOk());
    for (const auto& [subject, state] : States()) EXPECT_EQ(state, DiscrepancyState::kRepaired);
}

// Goal: a row that somebody put into a bucket that is not its own is found by a deep run, whether
// its change is known or not, and does not keep the run from its end.
TEST_F(CompareDayTest, DeepRunFindsRowsThatStandInTheWrongBucket) {
    // One near its own bucket and one far away, as books are asked for some buckets at a time.
    const int near = digest::BucketOf(90'001) ^ 1;
    const int far = digest::BucketOf(90'002) ^ 512;
    const int doubled = digest::BucketOf(5) ^ 512;
    payout_.strays = {{near, RowOf(PaymentSays(90'001, 1, 700, 3))},
                      {far, RowOf(PaymentSays(90'002, 1, 800, 3))},
                      {doubled, RowOf(PaymentSays(5, 1, 105, 1 + 5 % 7))}};
    ASSERT_THAT(compare_.Run(Day(), false), IsOk());
    EXPECT_THAT(books_.discrepancies, IsEmpty()) << "the kept digests were not touched";

    const auto deep = compare_.Run(Day(), true);
    ASSERT_THAT(deep, IsOk());
    const auto digest_of = [](int bucket) {
        return domain::Subject{.business_date = Day(),
                               .kind = kDigestDiffers,
                               .book = Book::kPayout,
                               .bucket = static_cast<std::uint32_t>(bucket)};
    };
    const std::map<domain::Subject, DiscrepancyState> expected{
        {SubjectOf(90'001, kMissingInPayment), DiscrepancyState::kOpen},
        {SubjectOf(90'002, kMissingInPayment), DiscrepancyState::kOpen},
        {digest_of(near), DiscrepancyState::kOpen},
        {digest_of(far), DiscrepancyState::kOpen},
        {digest_of(doubled), DiscrepancyState::kOpen}};
    EXPECT_EQ(States(), expected);

    payout_.strays.clear();
    ASSERT_THAT(compare_.Run(Day(), true), IsOk());
    for (const auto& [subject, state] : States()) EXPECT_EQ(state, DiscrepancyState::kRepaired);
}

// Goal: a digest that was damaged itself is told from rows that differ.
TEST_F(CompareDayTest, DamagedDigestsAreNamed) {
    payment_.kept.at(Day())[7].hash_sum.low ^= 1;
    books_.kept_digests.at(Day())[9].count += 1;
    ASSERT_THAT(compare_.Run(Day(), false), IsOk());
    EXPECT_THAT(States(), SizeIs(2));
    EXPECT_TRUE(States().contains(
        {.business_date = Day(), .kind = kDigestDiffers, .book = Book::kPayment, .bucket = 7}));
    EXPECT_TRUE(States().contains(
        {.business_date = Day(), .kind = kDigestDiffers, .book = Book::kMatched, .bucket = 9}));
}

// Goal: a change that the sides date differently is one discrepancy, over the runs of both days.
TEST_F(CompareDayTest, DatesThatDifferAreFoundOnce) {
    const auto claim = PaymentSays(9'000);
    auto answer = PayoutSays(claim);
    answer.terms.business_date = Day(1);
    payment_.Put(Day(), RowOf(claim));
    payout_.Put(Day(1), RowOf(claim));
    ASSERT_THAT(match_.Apply(books_.books, {&claim, 1}, 0), IsOk());
    ASSERT_THAT(match_.Apply(books_.books, {&answer, 1}, 0), IsOk());
    payment_.KeepDigests();
    payout_.KeepDigests();
    books_.CloseDay(Day(1));
    const std::map<domain::Subject, DiscrepancyState> expected{
        {SubjectOf(9'000, kDateDiffers), DiscrepancyState::kOpen}};
    EXPECT_EQ(States(), expected);

    for (const auto day : {Day(), Day(1), Day(), Day(1)}) {
        ASSERT_THAT(compare_.Run(day, false), IsOk());
        EXPECT_EQ(States(), expected);
    }
    EXPECT_THAT(books_.steps.begin()->second, SizeIs(1));
}

// Goal: a row whose date alone was changed is found as that, with both sides' amounts, from both
// days' runs; and each book is asked at most once a bucket for what its list lacks.
TEST_F(CompareDayTest, RowsThatWereDatedOtherwise) {
    const auto [one, other] = TwoOfABucket();
    for (const std::int64_t payment : {one, other}) MoveTo(Day(1), payout_, payment);
    payout_.kept[Day(1)] = payout_.DayDigest(Day(1), /*deep=*/true, {}).value();
    books_.CloseDay(Day(1));
    const std::map<domain::Subject, DiscrepancyState> expected{
        {SubjectOf(one, kDateDiffers), DiscrepancyState::kOpen},
        {SubjectOf(other, kDateDiffers), DiscrepancyState::kOpen}};
    ASSERT_THAT(compare_.Run(Day(1), true), IsOk());
    EXPECT_EQ(States(), expected);
    EXPECT_EQ(payment_.searches, 1);
    EXPECT_EQ(payout_.searches, 0);

    const auto run = compare_.Run(Day(), true);
    ASSERT_THAT(run, IsOk());
    std::map<domain::Subject, DiscrepancyState> with_digest = expected;
    with_digest[{.business_date = Day(),
                 .kind = kDigestDiffers,
                 .book = Book::kPayout,
                 .bucket = static_cast<std::uint32_t>(digest::BucketOf(one))}] =
        DiscrepancyState::kOpen;
    EXPECT_EQ(States(), with_digest);
    EXPECT_EQ(payout_.searches, 1);
    const domain::Finding& finding = books_.discrepancies.at(SubjectOf(one, kDateDiffers)).finding;
    EXPECT_EQ(finding.payment_gross, finding.payout_gross);
    EXPECT_TRUE(finding.payment_gross);
    EXPECT_THAT(finding.evidence, ::testing::HasSubstr(Day(1).ToString()));

    for (const std::int64_t payment : {one, other}) payout_.Put(Day(), PaymentRow(payment));
    payout_.rows[Day(1)].clear();
    payout_.kept[Day(1)] = {};
    ASSERT_THAT(compare_.Run(Day(), true), IsOk());
    for (const auto& [subject, state] : States()) EXPECT_EQ(state, DiscrepancyState::kRepaired);
}

// Goal: what has not come at the close is overdue; when it comes after all its report is settled.
TEST_F(CompareDayTest, LateAnswerAfterTheClose) {
    const auto claim = PaymentSays(9'000);
    payment_.Put(Day(), RowOf(claim));
    ASSERT_THAT(match_.Apply(books_.books, {&claim, 1}, 0), IsOk());
    payment_.KeepDigests();
    ASSERT_THAT(compare_.Run(Day(), false), IsOk());
    EXPECT_EQ(States().at(SubjectOf(9'000, kMissingInPayout)), DiscrepancyState::kOpen);
    EXPECT_TRUE(books_.matches.at(claim.key).overdue);

    const auto answer = PayoutSays(claim);
    payout_.Put(Day(), RowOf(claim));
    payout_.KeepDigests();
    ASSERT_THAT(match_.Apply(books_.books, {&answer, 1}, 0), IsOk());
    EXPECT_EQ(States().at(SubjectOf(9'000, kMissingInPayout)), DiscrepancyState::kRepaired);
    const auto run = compare_.Run(Day(), false);
    ASSERT_THAT(run, IsOk());
    EXPECT_EQ(run->state, DayRunState::kEqual);
}

// Goal: an answer that comes while its bucket is being looked at is not reported missing.
// Method: apply it after the bucket was listed and before the findings are recorded.
TEST_F(CompareDayTest, AnswerThatComesMeanwhileIsNotReported) {
    const auto claim = PaymentSays(9'000);
    payment_.Put(Day(), RowOf(claim));
    ASSERT_THAT(match_.Apply(books_.books, {&claim, 1}, 0), IsOk());
    payment_.KeepDigests();

    bool listed = false;
    bool answered = false;
    payout_.before_list = [&](int) {
        listed = true;
        return OkStatus();
    };
    int transactions_since = 0;
    books_.before_transaction = [&] {
        // The first transaction after the list reads the matches; the next records.
        if (!listed || answered || ++transactions_since < 2) return;
        answered = true;
        const auto answer = PayoutSays(claim);
        payout_.Put(Day(), RowOf(claim));
        payout_.KeepDigests();
        ASSERT_THAT(match_.Apply(books_.books, {&answer, 1}, 0), IsOk());
    };
    const auto run = compare_.Run(Day(), false);
    ASSERT_THAT(run, IsOk());
    EXPECT_TRUE(answered);
    EXPECT_EQ(run->state, DayRunState::kEqual);
    EXPECT_THAT(books_.discrepancies, IsEmpty());
}

// Goal: a run that breaks off keeps what it found, says why, and the next one completes it.
TEST_F(CompareDayTest, BrokenRunIsTakenUpByTheNext) {
    for (const int payment : {3, 30, 200}) EraseFrom(payout_, payment);
    payout_.KeepDigests();
    // Bucket by bucket, so that it is known what the run has found when it breaks off.
    CompareDay compare({books_, books_, payment_, payout_, hasher_, clock_}, 1);
    int lists = 0;
    payout_.before_list = [&lists](int) {
        return ++lists == 2 ? Status(Code::kUnavailable, "TRANSPORT", "gone") : OkStatus();
    };

    EXPECT_THAT(compare.Run(Day(), false), Refuses(Code::kUnavailable, "TRANSPORT"));
    EXPECT_THAT(books_.discrepancies, SizeIs(1));
    EXPECT_EQ(books_.runs.at(Day()).back().state, DayRunState::kFailed);
    EXPECT_EQ(books_.runs.at(Day()).back().failure, "UNAVAILABLE TRANSPORT: gone");
    EXPECT_TRUE(books_.due.contains(Day()));

    ASSERT_THAT(compare.Run(Day(), false), IsOk());
    EXPECT_THAT(books_.discrepancies, SizeIs(3));
    for (const auto& [id, steps] : books_.steps) EXPECT_THAT(steps, SizeIs(1));
}

// Goal: a book that does not answer yet is no failed run: nothing is left of the attempt.
TEST_F(CompareDayTest, BookThatIsNotThereLeavesNoRun) {
    payment_.refuses_digests = Status(Code::kFailedPrecondition, "DAY_OPEN", "still closing");
    EXPECT_THAT(compare_.Run(Day(), false), Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    EXPECT_THAT(books_.runs[Day()], IsEmpty());
    EXPECT_TRUE(books_.due.contains(Day()));
    payment_.refuses_digests = OkStatus();
    EXPECT_THAT(compare_.Run(Day(), false), IsOk());
}

// Goal: a run that is due is tried again after a while that doubles, and others do not wait for it.
TEST_F(CompareDayTest, DueDaysAreTriedAgain) {
    std::vector<std::pair<BusinessDate, bool>> told;
    RunDueDays due(books_, compare_, clock_, {.retry_first = 1s, .retry_max = 3s},
                   [&](BusinessDate date, const Result<domain::DayRun>& outcome) {
                       told.emplace_back(date, outcome.ok());
                   });
    payment_.refuses_digests = Status(Code::kUnavailable, "TRANSPORT", "down");
    const auto attempts_after = [&](Duration wait) {
        told.clear();
        clock_.Advance(wait);
        EXPECT_THAT(due.Run({}), IsOk());
        return told.size();
    };
    EXPECT_EQ(attempts_after(0s), 1u);
    EXPECT_EQ(attempts_after(999ms), 0u);
    EXPECT_EQ(attempts_after(1ms), 1u);
    EXPECT_EQ(attempts_after(1'999ms), 0u);
    EXPECT_EQ(attempts_after(1ms), 1u);
    EXPECT_EQ(attempts_after(2'999ms), 0u);
    EXPECT_EQ(attempts_after(1ms), 1u) << "at most every three seconds";
    payment_.refuses_digests = OkStatus();
    EXPECT_EQ(attempts_after(3s), 1u);
    EXPECT_TRUE(told.front().second);
    EXPECT_EQ(attempts_after(1min), 0u) << "it was compared";

    // Another replica compares it: nothing to tell.
    books_.due.insert(Day());
    books_.lease_taken = true;
    EXPECT_EQ(attempts_after(0s), 0u);
}

TEST_F(CompareDayTest, StopsWhenTold) {
    EraseFrom(payout_, 3);
    payout_.KeepDigests();
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THAT(compare_.Run(Day(), false, stop.get_token()),
                Refuses(Code::kCancelled, "RUN_STOPPED"));
}

// Goal: any damage is found exactly, in both kinds of run, though every commit's reply is lost; a
// second run adds nothing; when the damage is undone a run settles all of it.
// Method: random damage at random places over random days, with an oracle by construction.
TEST_F(CompareDayTest, FindsExactlyWhatWasDamaged) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    books_.replies_are_lost = true;

    const auto whole_payment = payment_.rows;
    const auto whole_payout = payout_.rows;
    std::map<domain::Subject, DiscrepancyState> expected;
    for (std::int64_t payment = 1; payment <= kChanges; ++payment) {
        DiscrepancyKind kind{};
        switch (random() % 20) {
            case 0:
                EraseFrom(payout_, payment);
                kind = kMissingInPayout;
                break;
            case 1:
                EraseFrom(payment_, payment);
                kind = kMissingInPayment;
                break;
            case 2:
                PayoutRow(payment).gross += 1 + static_cast<std::int64_t>(random() % 100);
                kind = kAmountDiffers;
                break;
            case 3:
                PaymentRow(payment).merchant = domain::MerchantId(99);
                kind = kMerchantDiffers;
                break;
            case 4:
                PaymentRow(payment).gross = PayoutRow(payment).gross = -1;
                kind = kChangedInBoth;
                break;
            case 5:
                EraseFrom(payment_, payment);
                EraseFrom(payout_, payment);
                kind = kMissingInBoth;
                break;
            case 6:
                MoveTo(Day(-400), payout_, payment);
                kind = kDateDiffers;
                break;
            case 7:
                MoveTo(Day(-400), payment_, payment);
                kind = kDateDiffers;
                break;
            case 8:
                MoveTo(Day(-400), payment_, payment);
                MoveTo(Day(-400), payout_, payment);
                kind = kChangedInBoth;
                break;
            default:
                continue;
        }
        expected[SubjectOf(payment, kind)] = DiscrepancyState::kOpen;
    }
    payment_.KeepDigests();
    payout_.KeepDigests();

    const bool deep = random() % 2 == 0;
    const auto first = compare_.Run(Day(), deep);
    ASSERT_THAT(first, IsOk());
    EXPECT_EQ(States(), expected);
    EXPECT_EQ(first->discrepancies_found, expected.size());
    const auto steps = books_.steps;
    ASSERT_THAT(compare_.Run(Day(), deep), IsOk());
    EXPECT_EQ(States(), expected);
    EXPECT_EQ(books_.steps, steps);

    payment_.rows = whole_payment;
    payout_.rows = whole_payout;
    payment_.KeepDigests();
    payout_.KeepDigests();
    const auto last = compare_.Run(Day(), deep);
    ASSERT_THAT(last, IsOk());
    EXPECT_EQ(last->state, DayRunState::kEqual);
    for (const auto& [subject, state] : States()) EXPECT_EQ(state, DiscrepancyState::kRepaired);
}

}  // namespace
}  // namespace kessai::reconciliation::app
