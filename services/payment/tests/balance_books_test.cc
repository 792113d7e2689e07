// Goal: a day's trial balance is what its journals and all before sum to, whatever was kept by
// then, whoever went away meanwhile, and whenever days ended. Method: a ledger in memory that the
// rules fill; random journals, closes and questions in random order under a printed seed, many of
// them broken off; each answer against a plain sum over all postings.

#include <functional>
#include <map>
#include <random>
#include <set>

#include "app/balance_books.h"
#include "domain_fixture.h"
#include "kessai/event/bucket.h"
#include "kessai/testing/matchers.h"

namespace kessai::payment::app {
namespace {

using domain::AccountKind;
using domain::ChangeKind;
using domain::TrialBalance;
using testing::IsOk;
using testing::Refuses;

const BusinessDate kFirst = BusinessDate::Parse("2026-11-20").value();

/// The rows of a ledger, and its days.
class MemoryBooks final : public BookReader, public DayStore {
 public:
    void Add(const domain::Change& change) { changes_.push_back(change); }
    void EndDay() { open_ = open_.Next(); }
    BusinessDate open() const { return open_; }
    const std::vector<domain::Change>& changes() const { return changes_; }
    /// How often a day was summed, in parts.
    std::map<BusinessDate, int>& parts_summed() { return parts_; }
    const std::map<BusinessDate, TrialBalance>& kept() const { return kept_; }

    Result<std::vector<KindSum>> SumBuckets(BusinessDate day, int first, int last) override {
        ++parts_[day];
        std::map<ChangeKind, KindSum> sums;
        for (const domain::Change& change : changes_) {
            const int bucket = event::BucketOf(change.object);
            if (change.business_date != day || bucket < first || bucket > last) continue;
            KindSum& sum = sums[change.kind];
            sum.kind = change.kind;
            ++sum.change_count;
            sum.amount += change.amount.minor();
        }
        std::vector<KindSum> found;
        for (const auto& [kind, sum] : sums) found.push_back(sum);
        return found;
    }
    Result<ClearedReleases> ClearedOf(BusinessDate day) override {
        ClearedReleases cleared;
        for (const domain::Change& change : changes_) {
            if (change.kind != ChangeKind::kReleaseCleared || change.object != day.ToNumber()) {
                continue;
            }
            ++cleared.count;
            cleared.gross += change.amount.minor();
        }
        return cleared;
    }
    Result<std::vector<BusinessDate>> DaysBefore(BusinessDate day) override {
        std::vector<BusinessDate> days;
        for (BusinessDate one = kFirst; one < open_ && one < day; one = one.Next()) {
            days.push_back(one);
        }
        return days;
    }
    Result<std::map<BusinessDate, TrialBalance>> KeptThrough(BusinessDate day) override {
        return std::map<BusinessDate, TrialBalance>(kept_.begin(), kept_.upper_bound(day));
    }
    Status Keep(BusinessDate day, const TrialBalance& moved, Instant) override {
        EXPECT_LT(day, open_) << "a day that has not ended";
        kept_.emplace(day, moved);
        return OkStatus();
    }
    Status StreamJournal(BusinessDate, JournalPosition,
                         const std::function<bool(const JournalLine&)>&) override {
        return OkStatus();
    }

    Result<Now> Read() override { return Now{open_, Instant()}; }
    Result<Day> Find(BusinessDate date) override {
        if (date < kFirst || date > open_) {
            return domain::Refuse(domain::Refusal::kDayNotCurrent, "");
        }
        return Day{date, date == open_ ? DayState::kOpen : DayState::kClosing};
    }
    Status MoveGates(BusinessDate) override { return OkStatus(); }
    Result<std::vector<Day>> Unfinished() override { return std::vector<Day>(); }
    Result<bool> HasUnsentEvents(BusinessDate) override { return false; }
    Status StoreMarks(BusinessDate, const std::string&, int, std::int64_t) override {
        return OkStatus();
    }
    Result<bool> FinishIfMarksSent(BusinessDate) override { return true; }
    Result<digest::DayDigest> Digests(BusinessDate, bool, digest::BucketRange) override {
        return digest::DayDigest();
    }
    Result<std::vector<app::DayRow>> Rows(BusinessDate, int) override {
        return std::vector<app::DayRow>();
    }
    Status Republish(std::span<const domain::Change>, std::span<const std::string>,
                     std::int64_t) override {
        return OkStatus();
    }

 private:
    BusinessDate open_ = kFirst;
    std::vector<domain::Change> changes_;
    std::map<BusinessDate, TrialBalance> kept_;
    std::map<BusinessDate, int> parts_;
};

/// Random changes of every kind.
class RandomBooks : public ::testing::Test {
 protected:
    void SetUp() override {
        seed_ = std::random_device{}();
        random_.seed(seed_);
        RecordProperty("seed", std::to_string(seed_));
    }
    int Pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
    /// Up to the open one.
    BusinessDate AnyDay() {
        const auto days = (books_.open().day() - kFirst.day()).count();
        return kFirst.PlusDays(Pick(static_cast<int>(days) + 1));
    }

    void AddChange() {
        domain::Change change;
        change.kind = static_cast<ChangeKind>(1 + Pick(5));
        change.object = static_cast<std::int64_t>(random_());
        change.business_date = books_.open();
        change.amount = Yen(1 + Pick(100'000));
        if (change.kind == ChangeKind::kReleaseCleared) {
            // Of any day, and less than nothing where returns were more.
            change.object = AnyDay().ToNumber();
            change.amount = Yen(Pick(100'000) - 50'000);
        }
        books_.Add(change);
    }
    TrialBalance PlainSum(const std::function<bool(BusinessDate)>& is_wanted) {
        TrialBalance sum;
        for (const domain::Change& change : books_.changes()) {
            if (is_wanted(change.business_date)) {
                EXPECT_THAT(sum.Add(domain::PostingsOf(change)), IsOk());
            }
        }
        return sum;
    }
    /// Asks, and says after how many questions nobody waits any more; negative: somebody does.
    Result<DayBalance> Ask(BusinessDate day, int patience) {
        return balances_.Run(day, [&patience]() -> Status {
            return patience-- == 0 ? Status(Code::kCancelled, "GONE", "") : OkStatus();
        });
    }
    void ExpectPlainSums(BusinessDate day, const DayBalance& balance) {
        SCOPED_TRACE(day.ToString() + ", seed " + std::to_string(seed_));
        EXPECT_EQ(balance.opening, PlainSum([&](BusinessDate of) { return of < day; }));
        EXPECT_EQ(balance.moved, PlainSum([&](BusinessDate of) { return of == day; }));
        EXPECT_EQ(balance.closing, PlainSum([&](BusinessDate of) { return of <= day; }));
        for (const TrialBalance& one : {balance.opening, balance.moved, balance.closing}) {
            EXPECT_EQ(one.Total().value(), 0);
        }
        EXPECT_EQ(balance.is_final(), day < books_.open());
    }

    unsigned seed_ = 0;
    std::mt19937 random_;
    MemoryBooks books_;
    BalanceBooks balances_{books_, books_};
};

TEST_F(RandomBooks, EveryAnswerIsThePlainSum) {
    int answered = 0;
    int broken_off = 0;
    for (int step = 0; step < 6'000; ++step) {
        const int what = Pick(20);
        if (what < 16) {
            AddChange();
        } else if (what == 16 && books_.open() < kFirst.PlusDays(40)) {
            if (Pick(4) == 0) books_.EndDay();
        } else if (what > 16) {
            const BusinessDate day = AnyDay();
            const auto balance = Ask(day, Pick(2) == 0 ? Pick(200) : -1);
            if (!balance.ok()) {
                ASSERT_THAT(balance, Refuses(Code::kCancelled, "GONE")) << "seed " << seed_;
                ++broken_off;
                continue;
            }
            ++answered;
            ExpectPlainSums(day, *balance);
            ASSERT_FALSE(HasFailure());
        }
    }
    EXPECT_GT(answered, 100);
    EXPECT_GT(broken_off, 10);
    for (const auto& [day, moved] : books_.kept()) {
        EXPECT_EQ(moved, PlainSum([&, kept = day](BusinessDate of) { return of == kept; }));
    }
}

TEST_F(RandomBooks, AnEndedDayIsSummedOnceByWhoeverAsksFirst) {
    for (int day = 0; day < 5; ++day) {
        for (int i = 0; i < 50; ++i) AddChange();
        books_.EndDay();
    }
    const BusinessDate asked = kFirst.PlusDays(3);
    ASSERT_OK_AND_ASSIGN(const auto balance, Ask(asked, -1));
    ExpectPlainSums(asked, balance);
    EXPECT_EQ(books_.kept().size(), 4u);  // Nobody asked for what comes later.
    ASSERT_OK(Ask(asked, -1).status());
    ASSERT_OK(Ask(kFirst, -1).status());
    for (const auto& [day, parts] : books_.parts_summed()) EXPECT_EQ(parts, 64) << day.ToString();
}

TEST_F(RandomBooks, WhatSomebodySummedWhoWentAwayIsNotSummedAgain) {
    for (int day = 0; day < 3; ++day) {
        for (int i = 0; i < 50; ++i) AddChange();
        books_.EndDay();
    }
    const BusinessDate asked = kFirst.PlusDays(2);
    int times = 0;
    Result<DayBalance> balance = Ask(asked, 10);
    for (; !balance.ok() && times < 100; ++times) balance = Ask(asked, 10);
    ASSERT_THAT(balance, IsOk());
    ExpectPlainSums(asked, *balance);
    EXPECT_EQ(times, 3 * 64 / 10);
    for (const auto& [day, parts] : books_.parts_summed()) EXPECT_EQ(parts, 64) << day.ToString();
}

TEST_F(RandomBooks, TheOpenDayIsSummedEachTimeAndNeverKept) {
    AddChange();
    ASSERT_OK_AND_ASSIGN(const auto before, Ask(kFirst, -1));
    ExpectPlainSums(kFirst, before);
    AddChange();
    // Broken off, and asked again with more there.
    EXPECT_THAT(Ask(kFirst, 3), Refuses(Code::kCancelled, "GONE"));
    AddChange();
    ASSERT_OK_AND_ASSIGN(const auto after, Ask(kFirst, -1));
    ExpectPlainSums(kFirst, after);
    EXPECT_TRUE(books_.kept().empty());
}

TEST_F(RandomBooks, ADayThatNeverWasOpenIsRefused) {
    books_.EndDay();
    for (const BusinessDate day : {kFirst.Previous(), kFirst.PlusDays(2)}) {
        EXPECT_THAT(Ask(day, -1), Refuses(Code::kFailedPrecondition, "DAY_NOT_CURRENT"));
    }
}

// Goal: releases are told by the day that was released, whenever they were heard of.
TEST_F(RandomBooks, WhatIsClearedOfADayIsToldWithIt) {
    const auto clear = [&](std::int64_t gross) {
        domain::Change change;
        change.kind = ChangeKind::kReleaseCleared;
        change.object = kFirst.ToNumber();
        change.business_date = books_.open();
        change.amount = Yen(gross);
        books_.Add(change);
    };
    books_.EndDay();
    clear(700);
    books_.EndDay();
    clear(-50);
    ASSERT_OK_AND_ASSIGN(const auto of_day, Ask(kFirst, -1));
    EXPECT_EQ(of_day.cleared.count, 2);
    EXPECT_EQ(of_day.cleared.gross, 650);
    EXPECT_EQ(of_day.moved, TrialBalance());
    ASSERT_OK_AND_ASSIGN(const auto of_next, Ask(kFirst.Next(), -1));
    EXPECT_EQ(of_next.cleared.count, 0);
    EXPECT_EQ(of_next.moved.Of(AccountKind::kPayoutClearing), 700);
    EXPECT_EQ(of_next.moved.Of(AccountKind::kPayableReleased), -700);
}

TEST(TrialBalanceTest, SumsBeyondItsRangeAreRefused) {
    TrialBalance balance;
    const domain::Posting most{AccountKind::kUserMoney, 1, INT64_MAX, 0};
    ASSERT_OK(balance.Add(std::array{most}));
    EXPECT_THAT(balance.Add(std::array{most}), Refuses(Code::kOutOfRange, "AMOUNT_OVERFLOW"));
    EXPECT_THAT(balance.Add(TrialBalance(balance)), Refuses(Code::kOutOfRange, "AMOUNT_OVERFLOW"));
    EXPECT_EQ(balance.Total().value(), INT64_MAX);
}

}  // namespace
}  // namespace kessai::payment::app
