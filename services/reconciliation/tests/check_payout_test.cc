#include "app/check_payout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "app/compare_day.h"
#include "app/match_changes.h"
#include "app/note_transfers.h"
#include "app/order_repair.h"
#include "app/run_repairs.h"
#include "kessai/calendar/bank_days.h"
#include "kessai/ids/id_generator.h"
#include "kessai/testing/matchers.h"
#include "tests/claims.h"
#include "tests/fake_books.h"
#include "tests/fake_repair_peers.h"

namespace kessai::reconciliation::app {
namespace {

using namespace std::chrono_literals;

using domain::DayRunState;
using domain::DiscrepancyKind;
using domain::DiscrepancyState;
using domain::MerchantId;
using domain::PaymentClaim;
using domain::TaxClass;
using domain::TransferId;
using domain::TransferNotice;
using domain::TransferStep;
using domain::testing::Day;
using domain::testing::PaymentSays;
using domain::testing::PayoutSays;
using kessai::testing::IsOk;
using kessai::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum DiscrepancyKind;

/// A closed and released day on which payout says what was matched, for the tests to damage.
class CheckPayoutTest : public ::testing::Test {
 protected:
    static constexpr int kMerchants = 40;

    CheckPayoutTest() {
        for (int i = 1; i <= 200; ++i) Happen(PaymentSays(i, 1, 1'000 + i, 1 + i % kMerchants));
        books_.CloseDay(Day());
        Release();
    }

    void Happen(const PaymentClaim& claim) {
        auto answer = PayoutSays(claim);
        answer.told_fee = {claim.terms.gross.minor() / 50, TaxClass::kStandard10};
        KESSAI_CHECK(match_.Apply(books_.books, {&claim, 1}, 0).ok(), "matches");
        KESSAI_CHECK(match_.Apply(books_.books, {&answer, 1}, 0).ok(), "matches");
        auto& merchant = payout_.days[Day()][claim.terms.merchant];
        merchant.merchant = claim.terms.merchant;
        if (merchant.lines.empty()) {
            merchant.lines.push_back({.tax_class = TaxClass::kStandard10});
        }
        auto& sums = merchant.lines[0].accrued;
        sums.gross += claim.terms.gross.minor();
        sums.fee += answer.told_fee.fee;
        ++sums.item_count;
    }
    void Release() {
        for (auto& [id, merchant] : payout_.days[Day()]) {
            for (auto& line : merchant.lines) {
                const std::int64_t tax = line.accrued.fee / 10;
                line.released = domain::ReleasedLine{line.accrued, tax,
                                                     line.accrued.gross - line.accrued.fee - tax};
            }
        }
        payout_.released.insert(Day());
    }
    void TellOfRelease() {
        const ReleaseNotice notice{.key = {Day().ToNumber(), 1},
                                   .released_date = Day(),
                                   .totals = payout_.TotalsOf(Day())};
        ASSERT_THAT(note_.Apply(books_.books, std::span(&notice, 1)), IsOk());
    }
    domain::MerchantDayLine& Line(std::int64_t merchant) {
        return payout_.days.at(Day()).at(MerchantId(merchant)).lines.at(0);
    }
    std::set<std::pair<DiscrepancyKind, std::int64_t>> Open() const {
        std::set<std::pair<DiscrepancyKind, std::int64_t>> open;
        for (const auto& [subject, discrepancy] : books_.discrepancies) {
            if (!discrepancy.Unsettled()) continue;
            open.emplace(subject.kind, domain::IsAboutTransfer(subject.kind)
                                           ? subject.transfer.value()
                                           : subject.held_merchant.value());
        }
        return open;
    }
    static TransferNotice NoticeOf(std::int64_t transfer, std::uint32_t version, TransferStep step,
                                   BusinessDate date) {
        TransferNotice notice{.transfer = TransferId(transfer),
                              .version = version,
                              .step = step,
                              .business_date = date,
                              .merchant = MerchantId(1),
                              .payout = transfer + 1,
                              .attempt = 1,
                              .amount = 500};
        if (step == TransferStep::kSent) notice.transfer_date = date;
        return notice;
    }
    void Tell(const TransferNotice& notice) {
        ASSERT_THAT(note_.Apply(books_.books, std::span(&notice, 1)), IsOk());
    }

    const digest::RowHasher hasher_{digest::RowHasher::Key{1, 2, 3}};
    ManualClock clock_{Day(1).At(10h)};
    testing::FakeBooks books_;
    testing::FakePayoutDayBook payout_{hasher_};
    MatchChanges match_{hasher_, clock_};
    NoteTransfers note_{clock_};
    CheckPayout check_{{books_, books_, payout_, hasher_, clock_}};
};

// Goal: what agrees costs digests, and no list.
TEST_F(CheckPayoutTest, AnEqualDayListsNothing) {
    const auto check = check_.Run(Day(), false);
    ASSERT_THAT(check, IsOk());
    EXPECT_EQ(check->state, DayRunState::kEqual);
    EXPECT_TRUE(check->released);
    EXPECT_TRUE(check->transfers_compared);
    EXPECT_EQ(payout_.merchants_listed + payout_.steps_listed, 0);
    EXPECT_THAT(books_.discrepancies, IsEmpty());
    EXPECT_EQ(books_.payout.checks.at(Day()).back(), *check);
}

// Goal: exactly the damaged merchants are found, those alone are listed, and repair settles them.
// Method: random damage of random numbers against the list of what was damaged.
TEST_F(CheckPayoutTest, DamageIsFoundNamedAndSettled) {
    const auto seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto upto = [&](std::int64_t max) {
        return std::uniform_int_distribution<std::int64_t>(0, max)(random);
    };
    const auto intact = payout_.days;
    for (int round = 0; round < 30; ++round) {
        payout_.days = intact;
        payout_.merchants_listed = 0;
        std::set<std::pair<DiscrepancyKind, std::int64_t>> expected;
        std::set<int> buckets;
        for (std::int64_t hits = upto(3); hits > 0; --hits) {
            const std::int64_t merchant = 1 + upto(kMerchants - 1);
            if (!buckets.insert(static_cast<int>(merchant)).second) continue;
            auto& line = Line(merchant);
            switch (upto(3)) {
                case 0:
                    line.accrued.gross += 1;
                    expected.emplace(kAccruedDiffers, merchant);
                    expected.emplace(kReleasedDiffers, merchant);
                    break;
                case 1:
                    // As if it had been released so: found where it was matched otherwise.
                    line.accrued.fee += 5;
                    line.released->sums.fee += 5;
                    line.released->tax = line.released->sums.fee / 10;
                    line.released->net =
                        line.released->sums.gross - line.released->sums.fee - line.released->tax;
                    expected.emplace(kAccruedDiffers, merchant);
                    break;
                case 2:
                    line.released->sums.gross -= 7;
                    line.released->net -= 7;
                    expected.emplace(kReleasedDiffers, merchant);
                    break;
                default:
                    payout_.days.at(Day()).erase(MerchantId(merchant));
                    expected.emplace(kAccruedDiffers, merchant);
                    break;
            }
        }
        const auto check = check_.Run(Day(), true);
        ASSERT_THAT(check, IsOk());
        ASSERT_EQ(Open(), expected) << round;
        ASSERT_EQ(check->discrepancies_found, expected.size());
        ASSERT_EQ(check->state, expected.empty() ? DayRunState::kEqual : DayRunState::kDifferent);
        payout_.merchants_listed = 0;
        const auto again = check_.Run(Day(), false);
        ASSERT_THAT(again, IsOk());
        ASSERT_LE(payout_.merchants_listed, 12) << "only what differs is listed";
    }
    payout_.days = intact;
    ASSERT_THAT(check_.Run(Day(), true), IsOk());
    EXPECT_THAT(Open(), IsEmpty());
}

TEST_F(CheckPayoutTest, FoundAgainSaysNothingNew) {
    Line(3).accrued.gross += 1;
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    const auto steps = books_.steps;
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_EQ(books_.steps, steps);
}

// Goal: a release is only compared when it was made and told.
TEST_F(CheckPayoutTest, ReleasesAreComparedOnceTheyAreTold) {
    for (auto& [id, merchant] : payout_.days.at(Day())) merchant.lines[0].released.reset();
    payout_.released.clear();
    auto check = check_.Run(Day(), false);
    ASSERT_THAT(check, IsOk());
    EXPECT_EQ(check->state, DayRunState::kEqual);
    EXPECT_FALSE(check->released);

    // Payout has released it, with one merchant wrong, but its event is on its way.
    const ReleaseNotice earlier{.key = {Day(-3).ToNumber(), 1}, .released_date = Day(-3)};
    ASSERT_THAT(note_.Apply(books_.books, std::span(&earlier, 1)), IsOk());
    Release();
    Line(5).released->sums.gross += 1;
    Line(5).released->net += 1;
    check = check_.Run(Day(), false);
    ASSERT_THAT(check, IsOk());
    EXPECT_FALSE(check->released);
    EXPECT_THAT(Open(), IsEmpty());

    TellOfRelease();
    RunDueChecks due(books_, check_, clock_, {}, [](BusinessDate, const auto&) {});
    ASSERT_THAT(due.Run({}), IsOk());
    EXPECT_THAT(Open(), ElementsAre(std::pair(kReleasedDiffers, 5)));
    // Answered: it is not checked again and again.
    const auto count = books_.payout.checks.at(Day()).size();
    ASSERT_THAT(due.Run({}), IsOk());
    EXPECT_EQ(books_.payout.checks.at(Day()).size(), count);
}

TEST_F(CheckPayoutTest, MerchantsHeldBackAreNotMissed) {
    auto& merchant = payout_.days.at(Day()).at(MerchantId(4));
    merchant.held_back = true;
    merchant.lines[0].released.reset();
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_THAT(Open(), IsEmpty());
    merchant.held_back = false;
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_THAT(Open(), ElementsAre(std::pair(kReleasedDiffers, 4)));
}

TEST_F(CheckPayoutTest, WhatWasToldOfTheReleaseIsHeldAgainstItsRows) {
    TellOfRelease();
    books_.payout.releases.begin()->second.totals.gross += 10;
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_THAT(Open(), ElementsAre(std::pair(kReleaseToldDiffers, 0)));
    books_.payout.releases.begin()->second.totals.gross -= 10;
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_THAT(Open(), IsEmpty());
}

TEST_F(CheckPayoutTest, TransfersOfTheDayBeforeAreHeldAgainstTheJournal) {
    for (std::int64_t transfer = 10; transfer < 20; ++transfer) {
        Tell(NoticeOf(transfer, 1, TransferStep::kCreated, Day(-1)));
        payout_.journal[Day(-1)].push_back(
            {TransferStep::kCreated, TransferId(transfer), MerchantId(1), 500, 0, 0});
    }
    // A file is no journal.
    Tell(NoticeOf(12, 2, TransferStep::kSent, Day(-1)));
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_EQ(payout_.steps_listed, 0);
    EXPECT_THAT(Open(), IsEmpty());

    payout_.journal[Day(-1)][3].amount = 400;
    payout_.journal[Day(-1)].push_back(
        {TransferStep::kSettled, TransferId(12), MerchantId(1), 500, 0, 0});
    // Of before this service listened.
    payout_.journal[Day(-1)].push_back(
        {TransferStep::kSettled, TransferId(2), MerchantId(1), 500, 0, 0});
    payout_.final = false;
    auto check = check_.Run(Day(), false);
    ASSERT_THAT(check, IsOk());
    EXPECT_FALSE(check->transfers_compared);
    EXPECT_THAT(Open(), IsEmpty()) << "what may still change is not compared";
    payout_.final = true;
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_THAT(Open(),
                ElementsAre(std::pair(kTransferDiffers, 12), std::pair(kTransferDiffers, 13)));
}

TEST_F(CheckPayoutTest, DeepChecksLookAtBalancesAndParts) {
    MovedFundsPage::Merchant merchant;
    merchant.funds = {.merchant = MerchantId(1),
                      .released = 900,
                      .paid = 500,
                      .open_transfers = 500,
                      .available = 400,
                      .in_transit = 500};
    merchant.made.push_back({TransferId(10), 500, 500});
    payout_.funds[Day(-1)] = {merchant};
    ASSERT_THAT(check_.Run(Day(), true), IsOk());
    EXPECT_THAT(Open(), IsEmpty());
    payout_.funds[Day(-1)][0].funds.available = 401;
    payout_.funds[Day(-1)][0].made[0].parts = 499;
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_THAT(Open(), IsEmpty());
    ASSERT_THAT(check_.Run(Day(), true), IsOk());
    EXPECT_THAT(Open(),
                ElementsAre(std::pair(kBalanceDiffers, 1), std::pair(kTransferDiffers, 10)));
    payout_.funds[Day(-1)] = {merchant};
    // Any check looks at whom something was found in, and settles it.
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_THAT(Open(), IsEmpty());
}

// Goal: what was found of a merchant's money is settled when its rows agree, whether or not it
// moved since, and not while nobody could look.
TEST_F(CheckPayoutTest, BalancesAreLookedAtByName) {
    MovedFundsPage::Merchant merchant;
    merchant.funds = {.merchant = MerchantId(6), .released = 900, .available = 901};
    payout_.funds[Day(-1)] = {merchant};
    ASSERT_THAT(check_.Run(Day(), true), IsOk());
    ASSERT_THAT(Open(), ElementsAre(std::pair(kBalanceDiffers, 6)));
    // It is being released to, and left out.
    payout_.funds[Day(-1)].clear();
    for (const bool deep : {false, true}) {
        ASSERT_THAT(check_.Run(Day(), deep), IsOk());
        EXPECT_THAT(Open(), SizeIs(1)) << deep;
    }
    payout_.unmoved[MerchantId(6)] = merchant;
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_THAT(Open(), SizeIs(1));
    payout_.unmoved[MerchantId(6)].funds.available = 900;
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_THAT(Open(), IsEmpty());
}

// Goal: a tax that is wrong by a yen is found, deep, and settled by any check.
TEST_F(CheckPayoutTest, TaxIsExact) {
    Line(7).released->tax += 1;
    Line(7).released->net -= 1;
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_THAT(Open(), IsEmpty()) << "no digest has it";
    ASSERT_THAT(check_.Run(Day(), true), IsOk());
    EXPECT_THAT(Open(), ElementsAre(std::pair(kReleasedDiffers, 7)));
    payout_.merchants_listed = 0;
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_THAT(Open(), SizeIs(1)) << "it is looked at";
    EXPECT_GT(payout_.merchants_listed, 0);
    EXPECT_LE(payout_.merchants_listed, 4);
    Line(7).released->tax -= 1;
    Line(7).released->net += 1;
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_THAT(Open(), IsEmpty());
    payout_.merchants_listed = 0;
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_EQ(payout_.merchants_listed, 0);
}

// Goal: a release whose event was lost is found when the event can come no more, its releases are
// compared all the same, and the event settles it when it comes after all.
TEST_F(CheckPayoutTest, AReleaseWhoseEventWasLostIsFound) {
    payout_.rounds[Day()] = {
        {.day = Day(), .version = 1, .told_date = Day(1), .totals = payout_.TotalsOf(Day())}};
    Line(5).released->sums.gross += 1;
    Line(5).released->net += 1;
    std::vector<BusinessDate> checked;
    RunDueChecks due(books_, check_, clock_, {}, [&](BusinessDate date, const auto& outcome) {
        EXPECT_THAT(outcome, IsOk());
        checked.push_back(date);
    });
    auto check = check_.Run(Day(), false);
    ASSERT_THAT(check, IsOk());
    EXPECT_FALSE(check->released);
    EXPECT_THAT(Open(), IsEmpty()) << "it may be on its way";

    // The day that the event is of ends, and is compared.
    books_.CloseDay(Day(1));
    ASSERT_THAT(books_.payout.AskForCheck(Day(1)), IsOk());
    ASSERT_THAT(due.Run({}), IsOk());
    ASSERT_THAT(due.Run({}), IsOk());
    EXPECT_THAT(checked, ElementsAre(Day(1), Day()));
    EXPECT_THAT(Open(),
                ElementsAre(std::pair(kReleasedDiffers, 5), std::pair(kReleaseToldDiffers, 0),
                            std::pair(kReleaseEventMissing, 0)));
    EXPECT_TRUE(books_.payout.checks.at(Day()).back().released);
    ASSERT_THAT(due.Run({}), IsOk());
    EXPECT_THAT(checked, SizeIs(2)) << "it is asked for once";

    // Published again.
    Line(5).released->sums.gross -= 1;
    Line(5).released->net -= 1;
    TellOfRelease();
    ASSERT_THAT(due.Run({}), IsOk());
    EXPECT_THAT(checked, ElementsAre(Day(1), Day(), Day()));
    EXPECT_THAT(Open(), IsEmpty());
    ASSERT_THAT(check_.Run(Day(1), false), IsOk());
    ASSERT_THAT(due.Run({}), IsOk());
    EXPECT_THAT(checked, SizeIs(3)) << "all of that day was heard";
}

// Goal: payout publishes the lost event again when it is asked to, and the repair ends when the
// day's check has seen it.
TEST_F(CheckPayoutTest, ALostReleaseIsPublishedAgain) {
    payout_.rounds[Day()] = {
        {.day = Day(), .version = 1, .told_date = Day(1), .totals = payout_.TotalsOf(Day())}};
    books_.CloseDay(Day(1));
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    ASSERT_THAT(Open(), ElementsAre(std::pair(kReleaseEventMissing, 0)));
    const domain::DiscrepancyId id = books_.discrepancies.begin()->second.id;

    testing::FakePeerBook payment(hasher_);
    testing::FakePeerBook payout(hasher_);
    testing::FakeRepairPeers peers(payment, payout);
    const LookAgain look(books_, payment, payout, payout_, peers, hasher_);
    CountMatches count(books_, clock_);
    const RepairPorts ports{books_, peers, look, count, hasher_, clock_};
    OrderRepair order(ports);
    const domain::RepairWish wish{.kind = domain::RepairKind::kPublishAgain,
                                  .actor = "hanako",
                                  .reason = "a broker lost a disk"};
    const auto plan = order.Preview(id, wish);
    ASSERT_THAT(plan, IsOk());
    EXPECT_THAT(plan->what, ::testing::HasSubstr("the release of " + Day().ToString() + " again"));
    EXPECT_THAT(peers.published_releases, IsEmpty());
    ASSERT_THAT(order.Request(id, wish), IsOk());
    std::vector<domain::RepairState> ended;
    RunRepairs repairs(
        ports, {}, [&](const domain::Repair& repair) { ended.push_back(repair.state); },
        [](const RepairName&, const Status&) {});
    ASSERT_THAT(repairs.Run({}), IsOk());
    EXPECT_THAT(peers.published_releases, ElementsAre(Day()));
    EXPECT_THAT(ended, IsEmpty()) << "the event is on its way";

    TellOfRelease();
    RunDueChecks due(books_, check_, clock_, {}, [](BusinessDate, const auto&) {});
    ASSERT_THAT(due.Run({}), IsOk());
    EXPECT_THAT(Open(), IsEmpty());
    ASSERT_THAT(repairs.Run({}), IsOk());
    EXPECT_THAT(ended, ElementsAre(domain::RepairState::kRepaired));
    EXPECT_THAT(peers.published_releases, SizeIs(1));
}

// Goal: an event that comes between payout's answer and our look at the marks is no missing one.
TEST_F(CheckPayoutTest, AnEventThatComesMeanwhileIsNotMissing) {
    payout_.rounds[Day()] = {
        {.day = Day(), .version = 1, .told_date = Day(1), .totals = payout_.TotalsOf(Day())}};
    int transactions = 0;
    books_.before_transaction = [&] {
        // The first ones begin the check and read what was heard.
        if (++transactions != 3) return;
        books_.CloseDay(Day(1));
        const ReleaseNotice notice{.key = {Day().ToNumber(), 1},
                                   .released_date = Day(),
                                   .totals = payout_.TotalsOf(Day())};
        books_.payout.releases.emplace(notice.key, notice);
    };
    const auto check = check_.Run(Day(), false);
    ASSERT_THAT(check, IsOk());
    EXPECT_GE(transactions, 3);
    EXPECT_TRUE(check->released);
    EXPECT_THAT(Open(), IsEmpty());
}

TEST_F(CheckPayoutTest, FailuresAreNotedAndTheDayStaysDue) {
    ASSERT_THAT(books_.payout.AskForCheck(Day()), IsOk());
    payout_.refuses = Status(Code::kUnavailable, "UNREACHABLE", "payout is down");
    std::vector<std::string> told;
    RunDueChecks due(books_, check_, clock_, {.retry_first = 10s, .retry_max = 20s},
                     [&](BusinessDate, const auto& outcome) {
                         told.emplace_back(outcome.ok() ? "ok" : outcome.status().reason());
                     });
    ASSERT_THAT(due.Run({}), IsOk());
    EXPECT_EQ(books_.payout.checks.at(Day()).back().state, DayRunState::kFailed);
    payout_.refuses = OkStatus();
    ASSERT_THAT(due.Run({}), IsOk());
    EXPECT_THAT(told, ElementsAre("UNREACHABLE")) << "not before its time";
    clock_.Advance(11s);
    ASSERT_THAT(due.Run({}), IsOk());
    EXPECT_THAT(told, ElementsAre("UNREACHABLE", "ok"));
    EXPECT_EQ(books_.payout.checks.at(Day()).back().number, 2u);
}

TEST_F(CheckPayoutTest, OpenDaysAndOtherReplicasAreRefused) {
    EXPECT_THAT(check_.Run(Day(1), false), Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    books_.lease_taken = true;
    EXPECT_THAT(check_.Run(Day(), false), Refuses(Code::kAborted, "RUN_RUNNING"));
}

TEST_F(CheckPayoutTest, WhoeverLostTheRightRecordsNothing) {
    Line(3).accrued.gross += 1;
    books_.before_transaction = [this] {
        if (payout_.merchants_listed > 0) books_.lease_lost = true;
    };
    EXPECT_THAT(check_.Run(Day(), false), Refuses(Code::kFailedPrecondition, "LEASE_LOST"));
    EXPECT_THAT(books_.discrepancies, IsEmpty());
    EXPECT_EQ(books_.payout.checks.at(Day()).back().state, DayRunState::kRunning);
    books_.lease_lost = false;
    books_.before_transaction = [] {};
    ASSERT_THAT(check_.Run(Day(), false), IsOk());
    EXPECT_EQ(books_.payout.checks.at(Day())[0].state, DayRunState::kFailed);
    EXPECT_EQ(books_.payout.checks.at(Day())[1].number, 2u);
}

TEST_F(CheckPayoutTest, WorkThatRunsTwiceFindsTheSame) {
    books_.replies_are_lost = true;
    Line(3).accrued.gross += 1;
    const auto check = check_.Run(Day(), false);
    ASSERT_THAT(check, IsOk());
    EXPECT_EQ(check->discrepancies_found, 2u);
    EXPECT_THAT(Open(), SizeIs(2));
}

// Goal: a result that is late is found once, by bank business days, and settled by its coming.
TEST_F(CheckPayoutTest, LateResultsAreOverdueUntilTheyCome) {
    const BusinessDate friday = BusinessDate::FromNumber(20261120).value();
    Tell(NoticeOf(10, 1, TransferStep::kCreated, friday));
    Tell(NoticeOf(10, 2, TransferStep::kSent, friday));
    Tell(NoticeOf(11, 1, TransferStep::kCreated, friday));
    FindOverdueResults find(books_, clock_, 2);
    // The Monday is a holiday, so the second bank day is Wednesday, and it is late on Thursday.
    clock_.Set(BusinessDate::FromNumber(20261125).value().At(23h));
    ASSERT_THAT(find.Run(), IsOk());
    EXPECT_THAT(Open(), IsEmpty());
    clock_.Set(BusinessDate::FromNumber(20261126).value().At(1h));
    ASSERT_THAT(find.Run(), IsOk());
    ASSERT_THAT(find.Run(), IsOk());
    EXPECT_THAT(Open(), ElementsAre(std::pair(kResultOverdue, 10)));
    EXPECT_THAT(books_.discrepancies.begin()->second.finding.evidence,
                ::testing::HasSubstr("due by 2026-11-25"));
    Tell(NoticeOf(10, 3, TransferStep::kSettled, Day(3)));
    EXPECT_THAT(Open(), IsEmpty());
}

/// Changes by events, without a database.
class ByEventTest : public ::testing::Test {
 protected:
    static PaymentClaim Says(std::int64_t payment, std::uint32_t version, int kind,
                             std::int64_t gross) {
        PaymentClaim claim = PaymentSays(payment, version, gross);
        claim.kind = static_cast<domain::PaymentKindNumber>(kind);
        return claim;
    }
    void Hear(std::vector<PaymentClaim> claims) {
        ASSERT_THAT(match_.Apply(books_.books, claims, 0), IsOk());
    }
    void Answer(const PaymentClaim& claim, std::int64_t fee) {
        auto answer = PayoutSays(claim);
        answer.told_fee = {fee, TaxClass::kStandard10};
        ASSERT_THAT(match_.Apply(books_.books, {&answer, 1}, 0), IsOk());
    }
    std::vector<DiscrepancyKind> Kinds() const {
        std::vector<DiscrepancyKind> kinds;
        for (const auto& [subject, discrepancy] : books_.discrepancies) {
            if (discrepancy.Unsettled()) kinds.push_back(subject.kind);
        }
        return kinds;
    }

    const digest::RowHasher hasher_{digest::RowHasher::Key{1, 2, 3}};
    ManualClock clock_{Day(1).At(10h)};
    testing::FakeBooks books_;
    MatchChanges match_{hasher_, clock_};
};

// Goal: the checks cost first changes no look-up, and find what cannot follow within a batch and
// over batches.
TEST_F(ByEventTest, OnlyWhatFollowsIsLookedUp) {
    Hear({Says(1, 1, 1, 1'000), Says(2, 1, 1, 500)});
    Answer(Says(1, 1, 1, 1'000), 20);
    EXPECT_EQ(books_.payout.histories, 0);
    Hear({Says(1, 2, 3, -600), Says(3, 1, 1, 10), Says(3, 2, 3, -11)});
    EXPECT_EQ(books_.payout.histories, 1);
    EXPECT_THAT(Kinds(), ElementsAre(kStateInvalid));
    Hear({Says(1, 3, 3, -401)});
    EXPECT_THAT(Kinds(), ElementsAre(kStateInvalid, kStateInvalid));
    Answer(Says(1, 2, 3, -600), -12);
    EXPECT_THAT(Kinds(), SizeIs(2));
    Answer(Says(1, 3, 3, -401), -9);
    EXPECT_THAT(Kinds(), ElementsAre(kStateInvalid, kStateInvalid))
        << "what returns too much has no fee of its own";
}

TEST_F(ByEventTest, WrongFeesOfReturnsAreFoundByEvent) {
    Hear({Says(1, 1, 1, 1'000)});
    Answer(Says(1, 1, 1, 1'000), 19);
    Hear({Says(1, 2, 3, -500)});
    Answer(Says(1, 2, 3, -500), -10);
    ASSERT_THAT(Kinds(), ElementsAre(kFeeDiffers));
    EXPECT_EQ(books_.discrepancies.begin()->second.finding.payment_gross, -9);
    EXPECT_EQ(books_.discrepancies.begin()->second.finding.payout_gross, -10);
}

// Goal: what skipped a change is found at once, and settled by the day's run when it came after
// all.
TEST_F(ByEventTest, AGapIsFoundAndSettled) {
    Hear({Says(1, 1, 1, 1'000)});
    Hear({Says(1, 3, 3, -100)});
    EXPECT_THAT(Kinds(), ElementsAre(kOutOfOrder));
    Hear({Says(1, 2, 3, -200)});
    EXPECT_THAT(Kinds(), ElementsAre(kOutOfOrder));
    for (const auto& claim : {Says(1, 1, 1, 1'000), Says(1, 2, 3, -200), Says(1, 3, 3, -100)}) {
        const auto answer = PayoutSays(claim);
        ASSERT_THAT(match_.Apply(books_.books, {&answer, 1}, 0), IsOk());
    }
    testing::FakePeerBook payment(hasher_);
    for (const auto& [key, match] : books_.matches) {
        payment.Put(Day(), {key, match.terms.merchant, match.terms.gross.minor()});
    }
    payment.KeepDigests();
    testing::FakePeerBook payout(hasher_);
    payout.rows = payment.rows;
    payout.kept = payment.kept;
    books_.CloseDay(Day());
    CompareDay compare({books_, books_, payment, payout, hasher_, clock_});
    const auto run = compare.Run(Day(), false);
    ASSERT_THAT(run, IsOk());
    EXPECT_EQ(run->state, DayRunState::kEqual);
    EXPECT_THAT(Kinds(), IsEmpty());
}

// Goal: what waits is known without looking at the changes.
// Method: random order of both sides' events; after each, the sums against the matches themselves.
TEST_F(ByEventTest, WhatWaitsIsSummed) {
    const auto seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::vector<PaymentClaim> payments;
    for (int i = 1; i <= 60; ++i) {
        PaymentClaim claim = PaymentSays(i, 1, i % 7 == 0 ? -10 * i : 10 * i);
        claim.event = domain::EventId(IdGenerator::LowestAt(Day().At(std::chrono::minutes(i))) + i);
        payments.push_back(claim);
    }
    std::vector<std::pair<int, bool>> events;
    for (int i = 0; i < 60; ++i) {
        events.emplace_back(i, true);
        events.emplace_back(i, false);
    }
    std::ranges::shuffle(events, random);
    for (const auto& [index, of_payment] : events) {
        const PaymentClaim& claim = payments[static_cast<std::size_t>(index)];
        if (of_payment) {
            ASSERT_THAT(match_.Apply(books_.books, {&claim, 1}, 0), IsOk());
        } else {
            const auto answer = PayoutSays(claim);
            ASSERT_THAT(match_.Apply(books_.books, {&answer, 1}, 0), IsOk());
        }
        WaitingTotal expected;
        Instant oldest = Instant::max();
        for (const auto& [key, match] : books_.matches) {
            if (!match.Waiting()) continue;
            ++expected.changes;
            expected.value += std::abs(match.terms.gross.minor());
            oldest = std::min(oldest, WaitingSums::PeriodOf(match));
        }
        const auto waiting = books_.payout.Waiting();
        ASSERT_THAT(waiting, IsOk());
        ASSERT_EQ(waiting->changes, expected.changes);
        ASSERT_EQ(waiting->value, expected.value);
        if (expected.changes > 0) {
            ASSERT_EQ(waiting->oldest, oldest);
            ASSERT_LE(IdGenerator::TimeOf(payments.back().event.value()) - oldest, 70min);
        }
        ASSERT_THAT(books_.payout.TrimWaiting(Instant::max()), IsOk());
    }
    EXPECT_THAT(books_.payout.waiting, IsEmpty());
}

}  // namespace
}  // namespace kessai::reconciliation::app
