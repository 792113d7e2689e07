// Goal: by schedule the transfers of each due date are made once, when its time has come and what
// went before is released; what was missed is made up for.
// Method: the keeper of due dates over a real MariaDB, round by round, with a clock that the test
// moves.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/day_keeper.h"
#include "app/keep_due_dates.h"
#include "tests/payout_fixture.h"
#include "tests/transfer_fixture.h"

namespace kessai::payout {
namespace {

using namespace std::chrono_literals;

using domain::MerchantId;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A Friday, and the Monday after it: between them no bank day.
const BusinessDate kFriday = Day(20261127);
const BusinessDate kMonday = Day(20261130);
constexpr MerchantId kMerchant{7};

class DueDateTest : public PayoutTest {
 protected:
    DueDateTest() : clock_(kFriday.At(8h)), transfers_(payout_->pool, clock_) {
        domain::PayoutTerms terms;
        terms.cycle = domain::PayoutCycle::kDaily;
        EXPECT_OK(transfers_.terms.Put(terms, "aiko").status());
        const auto account = transfers_.bank_accounts.Put({.merchant = kMerchant,
                                                           .bank_code = "0001",
                                                           .branch_code = "004",
                                                           .type = 1,
                                                           .number = "1234567",
                                                           .holder = "ミセ"},
                                                          "aiko");
        EXPECT_OK(account.status());
        EXPECT_OK(transfers_.bank_accounts.Confirm(kMerchant, account->version, "ken").status());
    }

    /// A replica's keeper.
    std::unique_ptr<app::KeepDueDates> Keeper(std::optional<std::chrono::seconds> at = 9h,
                                              std::optional<std::chrono::seconds> files_at = {}) {
        return std::make_unique<app::KeepDueDates>(
            app::KeepDueDatesOptions{.at = at, .files_at = files_at, .poll_every = 1ms},
            transfers_.create, transfers_.send, transfers_.store, [this] { return may_run_; },
            clock_,
            app::KeepDueDates::Observer{
                .on_error = [](const Status& why) { ADD_FAILURE() << why.ToString(); },
                .on_done =
                    [this](const app::TransferRun& run, Duration late) {
                        done_.push_back(run.due_date);
                        late_.push_back(late);
                    },
                .on_late = [this](Duration late) { lateness_ = late; },
                .on_files =
                    [this](BusinessDate date, const std::vector<app::TransferBatch>& batches) {
                        files_.push_back(date.ToString() + ": " + std::to_string(batches.size()));
                    }});
    }
    /// A day of trade, released.
    void Trade(BusinessDate day, bool release = true) {
        ASSERT_TRUE(payout_->Deliver({Sale(++payments_, 7, day, 1'000)}).empty());
        payout_->Close(day);
        if (!release) return;
        ASSERT_OK(payout_->release_day.Run(day, false).status());
    }
    std::int64_t Made() { return payout_->Number("SELECT COUNT(*) FROM transfer"); }

    ManualClock clock_;
    Transfers transfers_;
    bool may_run_ = true;
    std::int64_t payments_ = 0;
    std::vector<BusinessDate> done_;
    std::vector<Duration> late_;
    Duration lateness_{};
    std::vector<std::string> files_;
};

TEST_F(DueDateTest, ADateIsRunOnceWhenItsTimeHasCome) {
    const auto keeper = Keeper();
    Trade(kFriday.Previous());
    ASSERT_OK(keeper->RunOnce());
    EXPECT_THAT(done_, IsEmpty());
    clock_.Set(kFriday.At(9h + 1min));
    ASSERT_OK(keeper->RunOnce());
    ASSERT_OK(keeper->RunOnce());
    EXPECT_THAT(done_, ElementsAre(kFriday));
    EXPECT_THAT(late_, ElementsAre(1min));
    EXPECT_EQ(lateness_, Duration::zero());
    EXPECT_EQ(Made(), 1);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM payout WHERE requested_by = 'schedule'"), 1);

    // No bank is open at the weekend; Monday's waits for all days before it.
    Trade(kFriday);
    Trade(kFriday.Next());
    clock_.Set(kMonday.At(9h));
    ASSERT_OK(keeper->RunOnce());
    EXPECT_EQ(done_.size(), 1u);
    clock_.Set(kMonday.At(9h + 10min));
    Trade(kMonday.Previous());
    ASSERT_OK(keeper->RunOnce());
    EXPECT_THAT(done_, ElementsAre(kFriday, kMonday));
    EXPECT_EQ(late_.back(), 10min);
    EXPECT_EQ(Made(), 2);
}

TEST_F(DueDateTest, ADateWaitsForWhatIsNotReleased) {
    const auto keeper = Keeper();
    Trade(kFriday.PlusDays(-2));
    clock_.Set(kFriday.At(11h));
    // The day before has not been closed.
    ASSERT_OK(keeper->RunOnce());
    EXPECT_THAT(done_, IsEmpty());
    EXPECT_EQ(lateness_, 2h);
    Trade(kFriday.Previous(), /*release=*/false);
    ASSERT_OK(keeper->RunOnce());
    EXPECT_THAT(done_, IsEmpty());
    EXPECT_EQ(Made(), 0);
    ASSERT_OK(payout_->release_day.Run(kFriday.Previous(), false).status());
    ASSERT_OK(keeper->RunOnce());
    EXPECT_THAT(done_, ElementsAre(kFriday));
    EXPECT_EQ(lateness_, Duration::zero());
}

TEST_F(DueDateTest, WhatWasMissedIsMadeUpForAndWhatIsDoneByHandIsDone) {
    const auto keeper = Keeper();
    for (int day = -3; day < 0; ++day) Trade(kFriday.PlusDays(day));
    ASSERT_OK(transfers_.create.Run(kFriday.PlusDays(-3), "aiko").status());
    EXPECT_EQ(Made(), 1);
    clock_.Set(kFriday.At(10h));
    ASSERT_OK(keeper->RunOnce());
    EXPECT_THAT(done_, ElementsAre(kFriday.PlusDays(-2), kFriday.Previous(), kFriday));
    // By hand, before its time.
    Trade(kFriday);
    ASSERT_OK(transfers_.create.Run(kMonday, "aiko").status());
    for (int day = 1; day < 3; ++day) Trade(kFriday.PlusDays(day));
    clock_.Set(kMonday.At(10h));
    ASSERT_OK(keeper->RunOnce());
    EXPECT_EQ(done_.size(), 3u);
}

TEST_F(DueDateTest, OnlyWhoMayRunDoesAndOnlyWhenAsked) {
    Trade(kFriday.Previous());
    clock_.Set(kFriday.At(10h));
    ASSERT_OK(Keeper(std::nullopt)->RunOnce());
    may_run_ = false;
    ASSERT_OK(Keeper()->RunOnce());
    EXPECT_EQ(Made(), 0);
    may_run_ = true;
    // Two at once make nothing twice.
    std::vector<std::thread> replicas;
    for (int i = 0; i < 2; ++i) {
        replicas.emplace_back([this] {
            Transfers own(payout_->pool, clock_);
            app::KeepDueDates keeper(
                {.at = 9h}, own.create, own.send, own.store, [] { return true; }, clock_,
                {.on_error = [](const Status&) {},
                 .on_done = [](const app::TransferRun&, Duration) {},
                 .on_late = [](Duration) {},
                 .on_files = [](BusinessDate, const std::vector<app::TransferBatch>&) {}});
            EXPECT_OK(keeper.RunOnce());
        });
    }
    for (std::thread& replica : replicas) replica.join();
    EXPECT_EQ(Made(), 1);
    EXPECT_EQ(payout_->Number("SELECT transfer_count FROM transfer_run"), 1);
}

// Goal: a day's transfers are in files once, at their time, and not before they are made.
TEST_F(DueDateTest, FilesAreMadeOnceADay) {
    const auto keeper = Keeper(9h, 10h);
    const auto in_files = [&] {
        return payout_->Number("SELECT COUNT(*) FROM transfer WHERE batch_id <> 0");
    };
    Trade(kFriday.Previous());
    clock_.Set(kFriday.At(10h - 1s));
    ASSERT_OK(keeper->RunOnce());
    EXPECT_EQ(Made(), 1);
    EXPECT_THAT(files_, IsEmpty());
    clock_.Set(kFriday.At(10h));
    ASSERT_OK(keeper->RunOnce());
    EXPECT_THAT(files_, ElementsAre("2026-11-27: 1"));
    EXPECT_EQ(in_files(), 1);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM transfer_batch WHERE created_by = 'schedule'"),
              1);
    // What is asked for later is of the next day's, also after the process began anew.
    Trade(kFriday);
    clock_.Set(kFriday.At(12h));
    ASSERT_OK(transfers_.request.OnDemand(kMerchant, "now", "aiko").status());
    ASSERT_OK(keeper->RunOnce());
    ASSERT_OK(Keeper(9h, 10h)->RunOnce());
    EXPECT_EQ(files_.size(), 1u);
    EXPECT_EQ(in_files(), 1);
    // Not on a day without banks, and not while Monday's transfers wait for its days.
    Trade(kFriday.Next());
    clock_.Set(kFriday.Next().At(12h));
    ASSERT_OK(keeper->RunOnce());
    clock_.Set(kMonday.At(11h));
    ASSERT_OK(keeper->RunOnce());
    EXPECT_EQ(files_.size(), 1u);
    Trade(kMonday.Previous());
    ASSERT_OK(keeper->RunOnce());
    EXPECT_THAT(files_, ElementsAre("2026-11-27: 1", "2026-11-30: 1"));
    EXPECT_EQ(in_files(), 3);
}

TEST_F(DueDateTest, FilesAreMadeWithoutASchedulingOfTransfersToo) {
    const auto keeper = Keeper(std::nullopt, 10h);
    Trade(kFriday.Previous());
    clock_.Set(kFriday.At(9h));
    ASSERT_OK(transfers_.create.Run(kFriday, "aiko").status());
    clock_.Set(kFriday.At(10h));
    may_run_ = false;
    ASSERT_OK(keeper->RunOnce());
    EXPECT_THAT(files_, IsEmpty());
    may_run_ = true;
    ASSERT_OK(keeper->RunOnce());
    EXPECT_THAT(files_, ElementsAre("2026-11-27: 1"));
    EXPECT_THAT(done_, IsEmpty());
}

// Goal: a day is released at its time and not before; one that was begun is finished at once.
TEST_F(DueDateTest, DaysAreReleasedAtTheirTime) {
    Duration late{};
    app::DayKeeper keeper(
        {.release_automatically = true, .release_at = 6h}, payout_->close_day,
        payout_->fix_month_volumes, payout_->release_day, payout_->day_store, clock_,
        {.on_error = [](const Status&) {}, .on_late = [&](Duration by) { late = by; }});
    const BusinessDate day = kFriday.Previous();
    Trade(day, /*release=*/false);
    const auto state = [&](BusinessDate of) { return payout_->reader.FindDay(of)->state; };
    clock_.Set(kFriday.At(6h - 1s));
    ASSERT_OK(keeper.RunOnce());
    EXPECT_EQ(state(day), domain::DayState::kClosed);
    EXPECT_EQ(late, Duration::zero());
    clock_.Set(kFriday.At(6h));
    ASSERT_OK(keeper.RunOnce());
    EXPECT_EQ(state(day), domain::DayState::kReleased);

    Trade(kFriday, /*release=*/false);
    ASSERT_OK(payout_->release_store.Begin(kFriday, false, {}, clock_.Now()).status());
    ASSERT_OK(keeper.RunOnce());
    EXPECT_EQ(state(kFriday), domain::DayState::kReleased);

    // What stays is late from its time on.
    app::DayKeeper by_hand(
        {.release_automatically = false, .release_at = 6h}, payout_->close_day,
        payout_->fix_month_volumes, payout_->release_day, payout_->day_store, clock_,
        {.on_error = [](const Status&) {}, .on_late = [&](Duration by) { late = by; }});
    Trade(kFriday.Next(), /*release=*/false);
    clock_.Set(kMonday.At(6h));
    ASSERT_OK(by_hand.RunOnce());
    EXPECT_EQ(state(kFriday.Next()), domain::DayState::kClosed);
    EXPECT_EQ(late, Duration::zero()) << "whoever releases by hand decides when";
}

}  // namespace
}  // namespace kessai::payout
