// Goal: a repair does what it says once, whoever dies in between, and is REPAIRED only when
// reconciliation has seen the difference gone.
// Method: a day is damaged and compared, and repaired over books in memory and peers that do what
// they are asked; replies and events are lost where a test says so.

#include "app/run_repairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "app/change_discrepancy.h"
#include "app/check_payout.h"
#include "app/compare_day.h"
#include "app/match_changes.h"
#include "kessai/testing/matchers.h"
#include "tests/claims.h"
#include "tests/fake_books.h"
#include "tests/fake_repair_peers.h"

namespace kessai::reconciliation::app {
namespace {

using namespace std::chrono_literals;

using domain::DiscrepancyKind;
using domain::DiscrepancyState;
using domain::PaymentClaim;
using domain::RepairKind;
using domain::RepairState;
using domain::testing::Day;
using domain::testing::PaymentSays;
using domain::testing::PayoutSays;
using kessai::testing::IsOk;
using kessai::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum DiscrepancyKind;
using enum RepairKind;

class RepairsTest : public ::testing::Test {
 protected:
    RepairsTest() {
        for (int i = 1; i <= 20; ++i) Happen(PaymentSays(i, 1, 100 + i, 1 + i % 3));
    }

    static domain::BookRow RowOf(const PaymentClaim& claim) {
        return {claim.key, claim.terms.merchant, claim.terms.gross.minor()};
    }
    /// A change that went all the way, or as far as its events came.
    void Happen(const PaymentClaim& claim, bool payment_event = true, bool payout_event = true) {
        payment_.Put(Day(), RowOf(claim));
        payout_.Put(Day(), RowOf(claim));
        peers_.accruals[claim.key] = {claim.terms.merchant, Day(), claim.terms.gross.minor(), 20};
        if (payment_event) Hear(claim);
        if (payout_event) Hear(PayoutSays(claim));
    }
    template <class Claim>
    void Hear(const Claim& claim) {
        ASSERT_THAT(match_.Apply(books_.books, {&claim, 1}, 0), IsOk());
    }
    /// Both sides close the day and it is compared.
    domain::DayRun Compare(bool deep = false) {
        books_.CloseDay(Day());
        auto run = compare_.Run(Day(), deep);
        KESSAI_CHECK(run.ok(), run.status().ToString());
        return *run;
    }
    void KeepDigests() {
        payment_.KeepDigests();
        payout_.KeepDigests();
    }
    const domain::Discrepancy& Found(DiscrepancyKind kind) {
        for (const auto& [subject, discrepancy] : books_.discrepancies) {
            if (subject.kind == kind) return discrepancy;
        }
        KESSAI_CHECK(false, "it was found");
    }
    static domain::RepairWish Wish(RepairKind kind, std::string actor = "hanako") {
        return {.kind = kind, .actor = std::move(actor), .reason = "a broker lost a disk"};
    }
    RunRepairs Runner(RepairPolicy policy = {}) {
        return RunRepairs(
            ports_, std::move(policy),
            [this](const domain::Repair& repair) { ended_.push_back(repair.state); },
            [this](const RepairName&, const Status& why) {
                troubles_.push_back(std::string(why.reason()));
            });
    }
    void CarryOn() {
        auto run = Runner();
        ASSERT_THAT(run.Run({}), IsOk());
    }
    const domain::Repair& Latest(domain::DiscrepancyId id) {
        return books_.repairs.rbegin()->first.discrepancy == id ? books_.repairs.rbegin()->second
                                                                : books_.repairs.at({id, 1});
    }

    const digest::RowHasher hasher_{digest::RowHasher::Key{1, 2, 3}};
    ManualClock clock_{FromMicros(1'700'000'000'000'000)};
    testing::FakeBooks books_;
    testing::FakePeerBook payment_{hasher_};
    testing::FakePeerBook payout_{hasher_};
    testing::FakeRepairPeers peers_{payment_, payout_};
    MatchChanges match_{hasher_, clock_};
    CompareDay compare_{{books_, books_, payment_, payout_, hasher_, clock_}};
    testing::FakePayoutDayBook payout_day_{hasher_};
    LookAgain look_{books_, payment_, payout_, payout_day_, peers_, hasher_};
    CountMatches count_{books_, clock_};
    RepairPorts ports_{books_, peers_, look_, count_, hasher_, clock_};
    OrderRepair order_{ports_};
    std::vector<RepairState> ended_;
    std::vector<std::string> troubles_;
};

TEST_F(RepairsTest, PublishedAgainAndSeen) {
    const auto claim = PaymentSays(50);
    Happen(claim, /*payment_event=*/true, /*payout_event=*/false);
    KeepDigests();
    Compare();
    const domain::DiscrepancyId id = Found(kPayoutEventMissing).id;

    const auto plan = order_.Preview(id, Wish(kPublishAgain));
    ASSERT_THAT(plan, IsOk());
    EXPECT_THAT(plan->what, HasSubstr("payout publishes its event of change 50/1"));
    EXPECT_THAT(books_.repairs, IsEmpty());

    ASSERT_THAT(order_.Request(id, Wish(kPublishAgain)), IsOk());
    EXPECT_EQ(Found(kPayoutEventMissing).state(), DiscrepancyState::kRepairing);
    CarryOn();
    EXPECT_THAT(peers_.published_by_payout, ElementsAre(claim.key));
    EXPECT_EQ(Latest(id).state, RepairState::kVerifying) << "nobody has heard the event yet";
    CarryOn();
    EXPECT_THAT(peers_.published_by_payout, SizeIs(1)) << "it is published once";

    Hear(PayoutSays(claim));
    CarryOn();
    EXPECT_EQ(Latest(id).state, RepairState::kRepaired);
    EXPECT_EQ(Found(kPayoutEventMissing).state(), DiscrepancyState::kRepaired);
    EXPECT_EQ(Found(kPayoutEventMissing).open_repair, 0u);
    EXPECT_THAT(ended_, ElementsAre(RepairState::kRepaired));
    EXPECT_THAT(order_.Request(id, Wish(kPublishAgain, "taro")),
                Refuses(Code::kFailedPrecondition, "ALREADY_REPAIRED"));
}

TEST_F(RepairsTest, WithoutEffectItIsOpenAgain) {
    Happen(PaymentSays(50), /*payment_event=*/false, /*payout_event=*/true);
    KeepDigests();
    Compare();
    const domain::DiscrepancyId id = Found(kPaymentEventMissing).id;
    ASSERT_THAT(order_.Request(id, Wish(kPublishAgain)), IsOk());
    CarryOn();
    clock_.Advance(1min);
    CarryOn();
    EXPECT_THAT(ended_, IsEmpty()) << "an event takes its time";
    clock_.Advance(2min);
    CarryOn();
    EXPECT_THAT(ended_, ElementsAre(RepairState::kWithoutEffect));
    EXPECT_EQ(Found(kPaymentEventMissing).state(), DiscrepancyState::kOpen);
    EXPECT_THAT(Found(kPaymentEventMissing).latest.note, HasSubstr("REPAIR_WITHOUT_EFFECT"));

    // What was asked for in vain may be asked for again.
    const auto again = order_.Request(id, Wish(kPublishAgain));
    ASSERT_THAT(again, IsOk());
    EXPECT_EQ(again->number, 2u);
}

TEST_F(RepairsTest, TheSameWishIsTheSameRepair) {
    Happen(PaymentSays(50), true, false);
    KeepDigests();
    Compare();
    const domain::DiscrepancyId id = Found(kPayoutEventMissing).id;
    const auto first = order_.Request(id, Wish(kPublishAgain));
    const auto retry = order_.Request(id, Wish(kPublishAgain));
    ASSERT_THAT(first, IsOk());
    ASSERT_THAT(retry, IsOk());
    EXPECT_EQ(*first, *retry);
    EXPECT_THAT(books_.repairs, SizeIs(1));
    EXPECT_THAT(order_.Request(id, Wish(kPublishAgain, "taro")),
                Refuses(Code::kFailedPrecondition, "REPAIR_UNDER_WAY"));
    ChangeDiscrepancy change(books_, clock_);
    EXPECT_THAT(change.Run(id, {DiscrepancyState::kRepaired, "taro", "I say so"}),
                Refuses(Code::kFailedPrecondition, "REPAIR_UNDER_WAY"));
    for (const RepairKind kind : {kAccrueAgain, kRecomputeTotal, kCorrectingJournal}) {
        books_.discrepancies.begin()->second.open_repair = 0;
        EXPECT_THAT(order_.Request(id, Wish(kind)),
                    Refuses(Code::kFailedPrecondition, "REPAIR_NOT_ALLOWED"));
    }
}

// Whoever is killed behind the effect asks for it again; so does a reply that was lost.
TEST_F(RepairsTest, LostRepliesAreAskedForAgain) {
    books_.replies_are_lost = true;
    KeepDigests();
    payout_.rows[Day()].erase({domain::PaymentId(3), 1});
    Compare(/*deep=*/true);
    const domain::DiscrepancyId id = Found(kMissingInPayout).id;
    peers_.lost[{domain::PaymentId(3), 1}] = {domain::MerchantId(1), Day(), 103, 20};
    ASSERT_THAT(order_.Request(id, Wish(kAccrueAgain)), IsOk());
    peers_.lost_reply = Status(Code::kUnknown, "OUTCOME_UNKNOWN", "");
    CarryOn();
    EXPECT_THAT(troubles_, ElementsAre("OUTCOME_UNKNOWN"));
    EXPECT_EQ(Latest(id).state, RepairState::kPending);
    CarryOn();
    EXPECT_EQ(Latest(id).state, RepairState::kRepaired);
    EXPECT_EQ(Found(kMissingInPayout).state(), DiscrepancyState::kRepaired);
    EXPECT_EQ(Compare(/*deep=*/true).state, domain::DayRunState::kEqual);
}

TEST_F(RepairsTest, WhatAPeerRefusesForGoodFails) {
    Happen(PaymentSays(50), true, false);
    KeepDigests();
    Compare();
    const domain::DiscrepancyId id = Found(kPayoutEventMissing).id;
    ASSERT_THAT(order_.Request(id, Wish(kPublishAgain)), IsOk());
    peers_.refuses = Status(Code::kUnavailable, "DRAINING", "");
    CarryOn();
    EXPECT_THAT(troubles_, ElementsAre("DRAINING"));
    peers_.refuses = Status(Code::kNotFound, "EVENT_UNKNOWN", "");
    CarryOn();
    EXPECT_EQ(Latest(id).state, RepairState::kFailed);
    EXPECT_THAT(Latest(id).outcome, HasSubstr("EVENT_UNKNOWN"));
    EXPECT_EQ(Found(kPayoutEventMissing).state(), DiscrepancyState::kOpen);
}

TEST_F(RepairsTest, OfWhatWasHeardPaymentDoesNotPublishAgain) {
    KeepDigests();
    payout_.rows[Day()].erase({domain::PaymentId(3), 1});
    Compare(/*deep=*/true);
    EXPECT_THAT(order_.Preview(Found(kMissingInPayout).id, Wish(kPublishAgain)),
                Refuses(Code::kFailedPrecondition, "REPAIR_NOT_ALLOWED"));
}

TEST_F(RepairsTest, MoneyNeedsTwoOperators) {
    KeepDigests();
    payout_.rows[Day()].at({domain::PaymentId(3), 1}).gross = 50;
    Compare(/*deep=*/true);
    const domain::Discrepancy before = Found(kAmountDiffers);
    const auto repair = order_.Request(before.id, Wish(kCorrectingJournal));
    ASSERT_THAT(repair, IsOk());
    EXPECT_EQ(repair->state, RepairState::kRequested);
    EXPECT_EQ(repair->leg, (domain::CorrectionLeg{domain::MerchantId(1), 53}));
    EXPECT_EQ(Found(kAmountDiffers).state(), DiscrepancyState::kOpen);
    CarryOn();
    EXPECT_THAT(peers_.corrections, IsEmpty()) << "nobody has approved it";

    const RepairName name{before.id, 1};
    EXPECT_THAT(order_.Decide(name, {true, "hanako", "fine"}),
                Refuses(Code::kPermissionDenied, "SAME_OPERATOR"));
    EXPECT_THAT(order_.Decide({before.id, 2}, {true, "taro", "fine"}),
                Refuses(Code::kNotFound, "REPAIR_UNKNOWN"));
    ASSERT_THAT(order_.Decide(name, {true, "taro", "fine"}), IsOk());
    ASSERT_THAT(order_.Decide(name, {true, "taro", "fine"}), IsOk()) << "again changes nothing";
    EXPECT_THAT(order_.Decide(name, {false, "jiro", "no"}),
                Refuses(Code::kFailedPrecondition, "REPAIR_DECIDED"));
    CarryOn();
    const std::string key = "recon-" + before.id.ToString() + "-1";
    ASSERT_TRUE(peers_.corrections.contains(key));
    EXPECT_EQ(peers_.corrections[key].requested_by, "hanako");
    EXPECT_EQ(peers_.corrections[key].approved_by, "taro");
    EXPECT_THAT(peers_.corrections[key].reason, HasSubstr("corrects " + Day().ToString()));
    EXPECT_EQ(Found(kAmountDiffers).state(), DiscrepancyState::kRepaired);

    // The rows go on differing, and that is no news; another difference is.
    Compare(/*deep=*/true);
    EXPECT_EQ(Found(kAmountDiffers).state(), DiscrepancyState::kRepaired);
    payout_.rows[Day()].at({domain::PaymentId(3), 1}).gross = 40;
    Compare(/*deep=*/true);
    EXPECT_EQ(Found(kAmountDiffers).state(), DiscrepancyState::kOpen);
    EXPECT_THAT(Found(kAmountDiffers).latest.note, HasSubstr("not what was corrected"));
}

// Somebody put the row right after a journal had made up for it: the merchant has the money twice.
TEST_F(RepairsTest, MoneyForWhatIsRightAgainIsTakenBack) {
    KeepDigests();
    payout_.rows[Day()].at({domain::PaymentId(3), 1}).gross = 50;
    Compare(/*deep=*/true);
    const domain::DiscrepancyId id = Found(kAmountDiffers).id;
    ASSERT_THAT(order_.Request(id, Wish(kCorrectingJournal)), IsOk());
    ASSERT_THAT(order_.Decide({id, 1}, {true, "taro", "fine"}), IsOk());
    CarryOn();
    EXPECT_EQ(Found(kAmountDiffers).corrected_by, 1u);

    payout_.rows[Day()].at({domain::PaymentId(3), 1}).gross = 103;
    Compare();
    EXPECT_EQ(Found(kAmountDiffers).state(), DiscrepancyState::kRepaired)
        << "what a deep run found is not gone because a quick one does not look so deep";
    for (int run = 0; run < 2; ++run) {
        Compare(/*deep=*/true);
        EXPECT_EQ(Found(kAmountDiffers).state(), DiscrepancyState::kOpen);
        EXPECT_THAT(Found(kAmountDiffers).latest.note, HasSubstr("but the journal of repair 1"));
    }
    const auto repair = order_.Request(id, Wish(kCorrectingJournal));
    ASSERT_THAT(repair, IsOk());
    EXPECT_EQ(repair->leg, (domain::CorrectionLeg{domain::MerchantId(1), -53}));
    ASSERT_THAT(order_.Decide({id, 2}, {true, "taro", "fine"}), IsOk());
    CarryOn();
    EXPECT_THAT(peers_.corrections, SizeIs(2));
    EXPECT_EQ(Found(kAmountDiffers).state(), DiscrepancyState::kRepaired);
    EXPECT_EQ(Found(kAmountDiffers).corrected_by, 0u);
    Compare(/*deep=*/true);
    EXPECT_EQ(Found(kAmountDiffers).state(), DiscrepancyState::kRepaired);
    payout_.rows[Day()].at({domain::PaymentId(3), 1}).gross = 50;
    Compare(/*deep=*/true);
    EXPECT_EQ(Found(kAmountDiffers).state(), DiscrepancyState::kOpen);
}

// A run found the difference gone between the approval and the journal.
TEST_F(RepairsTest, NoMoneyMovesForWhatIsGone) {
    KeepDigests();
    payout_.rows[Day()].at({domain::PaymentId(3), 1}).gross = 50;
    Compare(/*deep=*/true);
    const domain::DiscrepancyId id = Found(kAmountDiffers).id;
    ASSERT_THAT(order_.Request(id, Wish(kCorrectingJournal)), IsOk());
    ASSERT_THAT(order_.Decide({id, 1}, {true, "taro", "fine"}), IsOk());
    payout_.rows[Day()].at({domain::PaymentId(3), 1}).gross = 103;
    Compare(/*deep=*/true);
    CarryOn();
    EXPECT_THAT(peers_.corrections, IsEmpty());
    EXPECT_THAT(peers_.withdrawn, SizeIs(1)) << "a call that is on the way posts nothing";
    EXPECT_EQ(Latest(id).state, RepairState::kFailed);
    EXPECT_EQ(Found(kAmountDiffers).state(), DiscrepancyState::kRepaired);
}

TEST_F(RepairsTest, ADeclinedJournalMovesNothing) {
    KeepDigests();
    payment_.rows[Day()].erase({domain::PaymentId(3), 1});
    Compare(/*deep=*/true);
    const domain::DiscrepancyId id = Found(kMissingInPayment).id;
    const auto repair = order_.Request(id, Wish(kCorrectingJournal));
    ASSERT_THAT(repair, IsOk());
    EXPECT_EQ(repair->leg, (domain::CorrectionLeg{domain::MerchantId(1), -(103 - 20)}))
        << "what the merchant got: gross less fee";
    ASSERT_THAT(order_.Decide({id, 1}, {false, "hanako", "a mistake"}), IsOk());
    CarryOn();
    EXPECT_THAT(peers_.corrections, IsEmpty());
    EXPECT_EQ(Found(kMissingInPayment).state(), DiscrepancyState::kOpen);
    EXPECT_EQ(Found(kMissingInPayment).open_repair, 0u);
}

// Rows that somebody put in, removed or changed: who wants a journal is warned.
TEST_F(RepairsTest, AJournalForARowThatWasTamperedWithIsWarnedOf) {
    const auto warning_of = [&](domain::DiscrepancyKind kind) {
        const auto plan = order_.Preview(Found(kind).id, Wish(kCorrectingJournal));
        EXPECT_THAT(plan, IsOk());
        return plan.ok() ? plan->warning : std::string();
    };
    KeepDigests();
    payment_.rows[Day()].at({domain::PaymentId(3), 1}).gross = 50;
    Compare(/*deep=*/true);
    EXPECT_THAT(warning_of(kAmountDiffers), HasSubstr("payment's row was changed after its event"));

    payment_.rows[Day()].erase({domain::PaymentId(3), 1});
    Compare(/*deep=*/true);
    EXPECT_THAT(warning_of(kMissingInPayment), HasSubstr("removed from payment's book"));
}

TEST_F(RepairsTest, AJournalForAnAccrualThatWasNeverToldOfIsWarnedOf) {
    KeepDigests();
    const domain::ChangeKey key{domain::PaymentId(777), 1};
    payout_.rows[Day()][key] = {key, domain::MerchantId(1), 500};
    peers_.accruals[key] = {domain::MerchantId(1), Day(), 500, 10};
    Compare(/*deep=*/true);
    const auto plan = order_.Preview(Found(kMissingInPayment).id, Wish(kCorrectingJournal));
    ASSERT_THAT(plan, IsOk());
    EXPECT_THAT(plan->warning, HasSubstr("payout never told of this accrual"));
}

TEST_F(RepairsTest, AnotherMerchantsMoneyGoesTwoWays) {
    KeepDigests();
    payout_.rows[Day()].at({domain::PaymentId(3), 1}).merchant = domain::MerchantId(9);
    peers_.accruals[{domain::PaymentId(3), 1}].merchant = domain::MerchantId(9);
    Compare(/*deep=*/true);
    const domain::DiscrepancyId id = Found(kMerchantDiffers).id;
    const auto repair = order_.Request(id, Wish(kCorrectingJournal));
    ASSERT_THAT(repair, IsOk());
    EXPECT_EQ(repair->leg, (domain::CorrectionLeg{domain::MerchantId(9), -83}));
    EXPECT_EQ(repair->other_leg, (domain::CorrectionLeg{domain::MerchantId(1), 83}));
    ASSERT_THAT(order_.Decide({id, 1}, {true, "taro", "yes"}), IsOk());
    // The reply is lost: both are there once all the same.
    peers_.lost_reply = Status(Code::kUnavailable, "CONNECTION_LOST", "");
    CarryOn();
    CarryOn();
    EXPECT_THAT(peers_.corrections, SizeIs(2));
    EXPECT_EQ(Found(kMerchantDiffers).state(), DiscrepancyState::kRepaired);
}

// The amounts are of the difference that was found when it was asked for.
TEST_F(RepairsTest, NobodyApprovesAmountsOfAnotherDifference) {
    KeepDigests();
    const domain::ChangeKey key{domain::PaymentId(3), 1};
    payout_.rows[Day()].at(key).gross = 50;
    Compare(/*deep=*/true);
    const domain::DiscrepancyId id = Found(kAmountDiffers).id;
    ASSERT_THAT(order_.Request(id, Wish(kCorrectingJournal)), IsOk());
    Compare(/*deep=*/true);
    ASSERT_THAT(order_.Assign(id, "taro", {.actor = "hanako", .note = "please"}), IsOk());
    payout_.rows[Day()].at(key).gross = 90;
    Compare(/*deep=*/true);
    EXPECT_THAT(order_.Decide({id, 1}, {true, "taro", "fine"}),
                Refuses(Code::kFailedPrecondition, "BOOKS_MOVED"));
    ASSERT_THAT(order_.Decide({id, 1}, {false, "taro", "of 53, and it is 13"}), IsOk());
    const auto again = order_.Request(id, Wish(kCorrectingJournal));
    ASSERT_THAT(again, IsOk());
    EXPECT_EQ(again->leg.amount, 13);
    ASSERT_THAT(order_.Assign(id, "", {.actor = "taro", .note = "done"}), IsOk());
    EXPECT_THAT(order_.Decide({id, 2}, {true, "taro", "fine"}), IsOk());
}

// Taken from one merchant, and not given to the other: that must never be.
TEST_F(RepairsTest, AnotherMerchantsMoneyMovesWhollyOrNotAtAll) {
    KeepDigests();
    payout_.rows[Day()].at({domain::PaymentId(3), 1}).merchant = domain::MerchantId(9);
    peers_.accruals[{domain::PaymentId(3), 1}].merchant = domain::MerchantId(9);
    Compare(/*deep=*/true);
    const domain::DiscrepancyId id = Found(kMerchantDiffers).id;
    peers_.unknown = {domain::MerchantId(1)};
    ASSERT_THAT(order_.Request(id, Wish(kCorrectingJournal)), IsOk());
    ASSERT_THAT(order_.Decide({id, 1}, {true, "taro", "yes"}), IsOk());
    CarryOn();
    EXPECT_EQ(Latest(id).state, RepairState::kFailed);
    EXPECT_THAT(Latest(id).outcome, HasSubstr("MERCHANT_UNKNOWN"));
    EXPECT_THAT(peers_.corrections, IsEmpty());
    EXPECT_THAT(peers_.withdrawn, SizeIs(1)) << "and what is on the way comes to nothing";
}

// The amount and the merchant differ: each has a journal, and together they give payment's merchant
// what payment says, less the fee, and take all from the other one.
TEST_F(RepairsTest, JournalsForAmountAndMerchantAddUp) {
    KeepDigests();
    const domain::ChangeKey key{domain::PaymentId(3), 1};
    payout_.rows[Day()].at(key).merchant = domain::MerchantId(9);
    payout_.rows[Day()].at(key).gross = 50;
    peers_.accruals[key] = {domain::MerchantId(9), Day(), 50, 20};
    Compare(/*deep=*/true);
    std::map<domain::MerchantId, std::int64_t> moved;
    for (const DiscrepancyKind kind : {kAmountDiffers, kMerchantDiffers}) {
        const auto repair = order_.Request(Found(kind).id, Wish(kCorrectingJournal));
        ASSERT_THAT(repair, IsOk());
        moved[repair->leg.merchant] += repair->leg.amount;
        moved[repair->other_leg.merchant] += repair->other_leg.amount;
    }
    EXPECT_EQ(moved[domain::MerchantId(9)], -(50 - 20));
    EXPECT_EQ(moved[domain::MerchantId(1)], 103 - 20);
}

// Payout's ledger is asked for what was given before, and that is taken off.
TEST_F(RepairsTest, ASecondJournalGivesOnlyWhatTheFirstDidNot) {
    KeepDigests();
    const domain::ChangeKey key{domain::PaymentId(3), 1};
    payout_.rows[Day()].at(key).gross = 50;
    Compare(/*deep=*/true);
    const domain::DiscrepancyId id = Found(kAmountDiffers).id;
    ASSERT_THAT(order_.Request(id, Wish(kCorrectingJournal)), IsOk());
    ASSERT_THAT(order_.Decide({id, 1}, {true, "taro", "fine"}), IsOk());
    CarryOn();
    ASSERT_EQ(Found(kAmountDiffers).state(), DiscrepancyState::kRepaired);

    payout_.rows[Day()].at(key).gross = 40;
    Compare(/*deep=*/true);
    const auto second = order_.Request(id, Wish(kCorrectingJournal));
    ASSERT_THAT(second, IsOk());
    EXPECT_EQ(second->number, 2u);
    EXPECT_EQ(second->leg, (domain::CorrectionLeg{domain::MerchantId(1), 10}))
        << "53 of 63 were given";
    ASSERT_THAT(order_.Decide({id, 2}, {false, "taro", "no"}), IsOk());
    const auto asked = order_.Preview(id, {kCorrectingJournal, "hanako", "a part of it", 7});
    ASSERT_THAT(asked, IsOk());
    EXPECT_EQ(asked->leg.amount, 7);
    EXPECT_THAT(asked->what, HasSubstr("Earlier journals for it: merchant 1 gets 53 JPY"));

    payout_.rows[Day()].at(key).gross = 103 - 53;
    Compare(/*deep=*/true);
    EXPECT_THAT(order_.Preview(id, Wish(kCorrectingJournal)),
                Refuses(Code::kFailedPrecondition, "REPAIR_NOT_ALLOWED"));
}

// Payout accrued it after the journal was asked for, and the event of it has not come yet.
TEST_F(RepairsTest, NoJournalForWhatWasAccruedMeanwhile) {
    KeepDigests();
    const domain::ChangeKey key{domain::PaymentId(3), 1};
    payout_.rows[Day()].erase(key);
    peers_.accruals.erase(key);
    Compare(/*deep=*/true);
    const domain::DiscrepancyId id = Found(kMissingInPayout).id;
    ASSERT_THAT(order_.Request(id, Wish(kCorrectingJournal)), IsOk());
    ASSERT_THAT(order_.Decide({id, 1}, {true, "taro", "yes"}), IsOk());
    peers_.accruals[key] = {domain::MerchantId(1), Day(), 103, 20};
    CarryOn();
    EXPECT_THAT(peers_.corrections, IsEmpty());
    EXPECT_EQ(Latest(id).state, RepairState::kFailed);
    EXPECT_THAT(Latest(id).outcome, HasSubstr("payout has the accrual"));
}

// What was posted goes on to its end, whatever became of the accrual since.
TEST_F(RepairsTest, AJournalThatWasPostedIsCarriedOut) {
    KeepDigests();
    const domain::ChangeKey key{domain::PaymentId(3), 1};
    payout_.rows[Day()].erase(key);
    peers_.accruals.erase(key);
    Compare(/*deep=*/true);
    const domain::DiscrepancyId id = Found(kMissingInPayout).id;
    ASSERT_THAT(order_.Request(id, Wish(kCorrectingJournal)), IsOk());
    ASSERT_THAT(order_.Decide({id, 1}, {true, "taro", "yes"}), IsOk());
    peers_.lost_reply = Status(Code::kUnavailable, "CONNECTION_LOST", "");
    CarryOn();
    ASSERT_THAT(peers_.corrections, SizeIs(1));
    ASSERT_EQ(Latest(id).state, RepairState::kPending);
    peers_.accruals[key] = {domain::MerchantId(1), Day(), 103, 20};
    CarryOn();
    EXPECT_EQ(Latest(id).state, RepairState::kRepaired);
    EXPECT_THAT(peers_.corrections, SizeIs(1));
}

// A journal for what payout's totals still have would give it twice.
TEST_F(RepairsTest, NoJournalForWhatCanBePutBack) {
    KeepDigests();
    payout_.rows[Day()].erase({domain::PaymentId(3), 1});
    peers_.accruals.erase({domain::PaymentId(3), 1});
    peers_.lost[{domain::PaymentId(3), 1}] = {domain::MerchantId(1), Day(), 103, 20};
    Compare(/*deep=*/true);
    const domain::DiscrepancyId id = Found(kMissingInPayout).id;
    EXPECT_THAT(order_.Request(id, Wish(kCorrectingJournal)),
                Refuses(Code::kFailedPrecondition, "REPAIR_NOT_ALLOWED"));
    peers_.lost.clear();
    const auto repair = order_.Request(id, Wish(kCorrectingJournal));
    ASSERT_THAT(repair, IsOk());
    EXPECT_EQ(repair->leg.amount, 103);
}

// Payout's totals have what payment says: the row is put back, and who wants a journal is warned.
TEST_F(RepairsTest, WhatWasChangedIsPutBack) {
    KeepDigests();
    payout_.rows[Day()].at({domain::PaymentId(3), 1}).gross = 50;
    peers_.lost[{domain::PaymentId(3), 1}] = {domain::MerchantId(1), Day(), 103, 20};
    Compare(/*deep=*/true);
    const domain::DiscrepancyId id = Found(kAmountDiffers).id;
    const auto journal = order_.Preview(id, Wish(kCorrectingJournal));
    ASSERT_THAT(journal, IsOk());
    EXPECT_THAT(journal->what, HasSubstr("ACCRUE_AGAIN puts the row back"));
    ASSERT_THAT(order_.Request(id, Wish(kAccrueAgain)), IsOk());
    CarryOn();
    EXPECT_EQ(Found(kAmountDiffers).state(), DiscrepancyState::kRepaired);
    EXPECT_EQ(Compare(/*deep=*/true).state, domain::DayRunState::kEqual);
}

TEST_F(RepairsTest, ADigestIsThatOfItsRowsAgain) {
    KeepDigests();
    const auto bucket = static_cast<std::size_t>(digest::BucketOf(3));
    payment_.kept[Day()][bucket].signed_gross += 1;
    books_.kept_digests[Day()][bucket].count += 1;
    Compare(/*deep=*/true);
    std::vector<domain::DiscrepancyId> ids;
    for (const auto& [subject, discrepancy] : books_.discrepancies) {
        ASSERT_EQ(subject.kind, kDigestDiffers);
        ids.push_back(discrepancy.id);
    }
    ASSERT_THAT(ids, SizeIs(2));
    for (const domain::DiscrepancyId id : ids) {
        ASSERT_THAT(order_.Request(id, Wish(kRecomputeTotal)), IsOk());
    }
    CarryOn();
    EXPECT_THAT(ended_, ElementsAre(RepairState::kRepaired, RepairState::kRepaired));
    EXPECT_EQ(Compare(/*deep=*/true).state, domain::DayRunState::kEqual);
}

TEST_F(RepairsTest, NoDigestIsMadeOfRowsThatDiffer) {
    KeepDigests();
    const std::int64_t payment = 3;
    const auto bucket = static_cast<std::size_t>(digest::BucketOf(payment));
    payout_.rows[Day()].at({domain::PaymentId(payment), 1}).gross = 7;
    Compare(/*deep=*/true);
    EXPECT_THAT(order_.Preview(Found(kDigestDiffers).id, Wish(kRecomputeTotal)),
                Refuses(Code::kFailedPrecondition, "REPAIR_NOT_ALLOWED"));
    EXPECT_NE(payout_.kept[Day()][bucket].signed_gross, 7);
}

TEST_F(RepairsTest, ThePolicyOrdersWhatIsSafeAndNotMoreThanItMay) {
    for (int i = 50; i < 55; ++i) Happen(PaymentSays(i), true, false);
    KeepDigests();
    payout_.rows[Day()].at({domain::PaymentId(3), 1}).gross = 50;
    Compare(/*deep=*/true);
    auto run = Runner({.automatic = {kPublishAgain}, .automatic_max_per_day = 3});
    for (int i = 0; i < 3; ++i) ASSERT_THAT(run.Run({}), IsOk());
    EXPECT_THAT(peers_.published_by_payout, SizeIs(3));
    EXPECT_THAT(troubles_, ElementsAre("AUTOMATIC_MAX_REACHED"));
    for (const auto& [name, repair] : books_.repairs) {
        EXPECT_EQ(repair.requested_by, "policy");
        EXPECT_EQ(repair.kind, kPublishAgain);
    }
    clock_.Advance(24h);
    ASSERT_THAT(run.Run({}), IsOk());
    EXPECT_THAT(peers_.published_by_payout, SizeIs(5));
    EXPECT_THAT(CheckPolicy({.automatic = {kPublishAgain, kCorrectingJournal}}),
                Refuses(Code::kInvalidArgument, "POLICY_MOVES_MONEY"));
}

// A change that payment's own records do not show: whoever hears of it believes it, so the policy
// leaves it, and an operator is told.
TEST_F(RepairsTest, ThePolicyPublishesNothingThatIsInDoubt) {
    const auto invented = PaymentSays(50);
    Happen(invented, /*payment_event=*/false, /*payout_event=*/false);
    Happen(PaymentSays(51), /*payment_event=*/true, /*payout_event=*/false);
    peers_.doubts[invented.key] = "there is no such payment";
    KeepDigests();
    Compare();
    auto run = Runner({.automatic = {kPublishAgain}});
    ASSERT_THAT(run.Run({}), IsOk());
    EXPECT_THAT(peers_.published_by_payment, IsEmpty());
    EXPECT_THAT(peers_.published_by_payout,
                ElementsAre(domain::ChangeKey{domain::PaymentId(51), 1}));

    const auto plan = order_.Preview(Found(kPaymentEventMissing).id, Wish(kPublishAgain));
    ASSERT_THAT(plan, IsOk());
    EXPECT_THAT(plan->what, HasSubstr("Look first"));
    EXPECT_THAT(plan->warning, HasSubstr("there is no such payment"));
    EXPECT_THAT(order_.Request(Found(kPaymentEventMissing).id, Wish(kPublishAgain)), IsOk());
}

// An accrual that stands where payout's digest knows of none is none that payout told of.
TEST_F(RepairsTest, ThePolicyHasNoAccrualToldThatTheDigestDoesNotHave) {
    KeepDigests();
    Happen(PaymentSays(50), /*payment_event=*/true, /*payout_event=*/false);
    payment_.KeepDigests();
    Compare(/*deep=*/true);
    auto run = Runner({.automatic = {kPublishAgain}});
    ASSERT_THAT(run.Run({}), IsOk());
    EXPECT_THAT(peers_.published_by_payout, IsEmpty());
}

// Goal: what comes back is repaired again, but not for ever, and not what no repair helped against.
TEST_F(RepairsTest, ThePolicyRepairsWhatIsFoundAgain) {
    KeepDigests();
    const domain::ChangeKey key{domain::PaymentId(3), 1};
    peers_.lost[key] = {domain::MerchantId(1), Day(), 103, 20};
    auto run = Runner({.automatic = {kAccrueAgain}, .automatic_max_per_discrepancy = 2});
    for (std::uint32_t time = 1; time <= 3; ++time) {
        payout_.rows[Day()].erase(key);
        Compare(/*deep=*/true);
        ASSERT_EQ(Found(kMissingInPayout).state(), DiscrepancyState::kOpen);
        for (int round = 0; round < 3; ++round) ASSERT_THAT(run.Run({}), IsOk());
        if (time <= 2) {
            EXPECT_EQ(Found(kMissingInPayout).state(), DiscrepancyState::kRepaired) << time;
            EXPECT_EQ(Latest(Found(kMissingInPayout).id).number, time);
        }
    }
    EXPECT_EQ(Found(kMissingInPayout).state(), DiscrepancyState::kOpen);
    EXPECT_THAT(books_.repairs, SizeIs(2));
    EXPECT_THAT(troubles_, ElementsAre("AUTOMATIC_MAX_PER_DISCREPANCY_REACHED"));

    // An operator's wish is answered with no repair of an earlier time.
    const auto mine = order_.Request(Found(kMissingInPayout).id, Wish(kAccrueAgain));
    ASSERT_THAT(mine, IsOk());
    EXPECT_EQ(mine->number, 3u);
}

TEST_F(RepairsTest, ThePolicyDoesNotRepeatWhatHadNoEffect) {
    Happen(PaymentSays(50), /*payment_event=*/false, /*payout_event=*/true);
    KeepDigests();
    Compare();
    auto run = Runner({.automatic = {kPublishAgain}});
    ASSERT_THAT(run.Run({}), IsOk());
    clock_.Advance(3min);
    for (int round = 0; round < 3; ++round) {
        ASSERT_THAT(run.Run({}), IsOk());
        clock_.Advance(1min);
    }
    EXPECT_THAT(ended_, ElementsAre(RepairState::kWithoutEffect));
    EXPECT_THAT(peers_.published_by_payment, SizeIs(1));
    EXPECT_EQ(Found(kPaymentEventMissing).state(), DiscrepancyState::kOpen);
}

// Goal: a row that was put back, whose digest had been changed with it, leaves a digest that lacks
// it: found at once, not by the next run, and so repaired.
TEST_F(RepairsTest, WhatARepairLeavesWrongIsFoundWithItsEnd) {
    books_.replies_are_lost = true;
    KeepDigests();
    const domain::ChangeKey key{domain::PaymentId(3), 1};
    payout_.rows[Day()].erase(key);
    payout_.KeepDigests();
    peers_.lost[key] = {domain::MerchantId(1), Day(), 103, 20};
    Compare();
    ASSERT_THAT(books_.discrepancies, SizeIs(1));
    auto run = Runner({.automatic = {kAccrueAgain, kRecomputeTotal}});
    ASSERT_THAT(run.Run({}), IsOk());
    EXPECT_EQ(Found(kMissingInPayout).state(), DiscrepancyState::kRepaired);
    ASSERT_EQ(Found(kDigestDiffers).finding.subject.book, domain::Book::kPayout);
    ASSERT_EQ(Found(kDigestDiffers).state(), DiscrepancyState::kOpen);
    ASSERT_THAT(run.Run({}), IsOk());
    EXPECT_EQ(Found(kDigestDiffers).state(), DiscrepancyState::kRepaired);
    EXPECT_EQ(Compare(/*deep=*/true).state, domain::DayRunState::kEqual);
    EXPECT_GT(books_.payout.asked_and_answered[Day()].first, 0) << "the totals are checked too";
}

// A row that was changed in two ways is two discrepancies, and put back once.
TEST_F(RepairsTest, WhatAnotherRepairPutRightIsGone) {
    KeepDigests();
    const domain::ChangeKey key{domain::PaymentId(3), 1};
    domain::BookRow row = payout_.rows[Day()].at(key);
    payout_.rows[Day()].erase(key);
    row.gross = 50;
    payout_.Put(Day(-30), row);
    peers_.lost[key] = {domain::MerchantId(1), Day(), 103, 20};
    Compare(/*deep=*/true);
    ASSERT_EQ(Found(kAmountDiffers).state(), DiscrepancyState::kOpen);
    auto run = Runner({.automatic = {kAccrueAgain}});
    ASSERT_THAT(run.Run({}), IsOk());
    // The fake puts it in its place and leaves the other one, as no database could.
    payout_.rows[Day(-30)].clear();
    EXPECT_EQ(Found(kDateDiffers).state(), DiscrepancyState::kRepaired);
    EXPECT_EQ(Found(kAmountDiffers).state(), DiscrepancyState::kRepaired);
    EXPECT_THAT(Found(kAmountDiffers).latest.note, HasSubstr("seen gone with a repair"));
}

/// A merchant's day whose totals of what was matched are wrong.
class MatchedTotalsTest : public RepairsTest {
 protected:
    MatchedTotalsTest() {
        KeepDigests();
        books_.CloseDay(Day());
        for (auto& [key, match] : books_.matches) {
            if (match.terms.merchant != kMerchant) continue;
            match.told_fee = {.fee = 2, .tax_class = tax_class_};
            right_.gross += match.terms.gross.minor();
            right_.fee += match.told_fee.fee;
            ++right_.item_count;
        }
        Keep(right_);
        payout_day_.days[Day()][kMerchant] = {
            .merchant = kMerchant, .lines = {{.tax_class = tax_class_, .accrued = right_}}};
    }
    void Keep(const domain::LineSums& sums) {
        books_.payout.matched[{Day(), kMerchant}] = {{kMerchant, tax_class_, sums}};
    }
    domain::LineSums Kept() { return books_.payout.matched[{Day(), kMerchant}].at(0).sums; }
    /// The check against payout finds that they differ.
    domain::DiscrepancyId Check() {
        CheckPayout check({books_, books_, payout_day_, hasher_, clock_});
        EXPECT_THAT(check.Run(Day(), /*deep=*/false), IsOk());
        return Found(kAccruedDiffers).id;
    }
    domain::LineSums CountedTwice() const {
        return {right_.gross + 101, right_.fee + 2, right_.item_count + 1};
    }

    const domain::MerchantId kMerchant{1};
    const domain::TaxClass tax_class_ = domain::TaxClass::kStandard10;
    domain::LineSums right_;
};

TEST_F(MatchedTotalsTest, AreCountedAgainFromTheMatches) {
    books_.replies_are_lost = true;
    Keep(CountedTwice());
    const domain::DiscrepancyId id = Check();
    auto run = Runner({.automatic = {kRecomputeTotal}});
    for (int round = 0; round < 2; ++round) ASSERT_THAT(run.Run({}), IsOk());
    EXPECT_EQ(Kept(), right_);
    EXPECT_EQ(Found(kAccruedDiffers).state(), DiscrepancyState::kRepaired);
    EXPECT_THAT(Latest(id).outcome, HasSubstr("from standard_10: gross"));
    EXPECT_THAT(Latest(id).outcome, HasSubstr("payout's totals are what was matched"));
}

TEST_F(MatchedTotalsTest, AreLeftWhereTheMatchesAreNotWhatPayoutSays) {
    Keep(CountedTwice());
    payout_day_.days[Day()][kMerchant].lines[0].accrued.gross += 7;
    const domain::DiscrepancyId id = Check();
    EXPECT_THAT(order_.Preview(id, Wish(kRecomputeTotal)),
                Refuses(Code::kFailedPrecondition, "REPAIR_NOT_ALLOWED"));
    auto run = Runner({.automatic = {kRecomputeTotal}});
    ASSERT_THAT(run.Run({}), IsOk());
    EXPECT_EQ(Kept(), CountedTwice());
}

// Whose totals are gone has what its matches say again; of whom there is nothing nothing is
// counted.
TEST_F(MatchedTotalsTest, AreMadeWhereTheyAreGone) {
    books_.payout.matched.clear();
    const auto nobody = count_.Run(Day(), domain::MerchantId(99));
    ASSERT_THAT(nobody, IsOk());
    EXPECT_TRUE(nobody->kept.empty() && nobody->of_rows.empty());
    const domain::DiscrepancyId id = Check();
    ASSERT_THAT(order_.Request(id, Wish(kRecomputeTotal)), IsOk());
    CarryOn();
    EXPECT_EQ(Kept(), right_);
    EXPECT_EQ(Found(kAccruedDiffers).state(), DiscrepancyState::kRepaired);
}

// Whoever is killed behind the effect asks for it again.
TEST_F(MatchedTotalsTest, AreCorrectedOnceByTheirKey) {
    Keep(CountedTwice());
    const domain::DiscrepancyId id = Check();
    ASSERT_THAT(order_.Request(id, Wish(kRecomputeTotal)), IsOk());
    const domain::Repair repair = books_.repairs.at({id, 1});
    ASSERT_THAT(CarryOut(ports_, Found(kAccruedDiffers), repair), IsOk());
    Keep(CountedTwice());  // whatever they are by now
    ASSERT_THAT(CarryOut(ports_, Found(kAccruedDiffers), repair), IsOk());
    EXPECT_EQ(Kept(), CountedTwice());
}

// Goal: a match that comes while the day is counted is in the count and in the totals, or in
// neither.
TEST_F(MatchedTotalsTest, MatchesThatComeMeanwhileCountOnce) {
    Keep(CountedTwice());
    const domain::DiscrepancyId id = Check();
    ASSERT_THAT(order_.Request(id, Wish(kRecomputeTotal)), IsOk());
    clock_.Advance(1min);  // what was counted for the plan is good no more
    int transactions = 0;
    domain::LineSums late{};
    books_.before_transaction = [&] {
        // Now and then one comes, with what it adds to the totals.
        if (++transactions % 20 != 0 || transactions > 30) return;
        const PaymentClaim claim = PaymentSays(900 + transactions, 1, 40, kMerchant.value());
        domain::Joined joined = domain::Join(domain::Begin(claim), PayoutSays(claim), clock_.Now());
        joined.match.told_fee = {.fee = 1, .tax_class = tax_class_};
        books_.matches[claim.key] = joined.match;
        late.gross += 40;
        late.fee += joined.match.told_fee.fee;
        ++late.item_count;
        domain::LineSums sums = Kept();
        sums.gross += 40;
        sums.fee += joined.match.told_fee.fee;
        ++sums.item_count;
        Keep(sums);
        auto& accrued = payout_day_.days[Day()][kMerchant].lines[0].accrued;
        accrued.gross += 40;
        accrued.fee += joined.match.told_fee.fee;
        ++accrued.item_count;
    };
    for (int round = 0; round < 3; ++round) CarryOn();
    books_.before_transaction = [] {};
    EXPECT_GT(late.item_count, 0);
    EXPECT_EQ(Kept(), (domain::LineSums{right_.gross + late.gross, right_.fee + late.fee,
                                        right_.item_count + late.item_count}));
    EXPECT_EQ(Found(kAccruedDiffers).state(), DiscrepancyState::kRepaired);
}

TEST_F(RepairsTest, SomebodyOwnsADiscrepancy) {
    KeepDigests();
    payout_.rows[Day()].at({domain::PaymentId(3), 1}).gross = 50;
    Compare(/*deep=*/true);
    const domain::DiscrepancyId id = Found(kAmountDiffers).id;
    ASSERT_THAT(order_.Assign(id, "taro", {.actor = "hanako", .note = "knows the merchant"}),
                IsOk());
    ASSERT_THAT(order_.Assign(id, "taro", {.actor = "hanako", .note = "again"}), IsOk());
    EXPECT_EQ(Found(kAmountDiffers).owner, "taro");
    EXPECT_THAT(books_.steps[id], SizeIs(2));
    EXPECT_EQ(books_.steps[id].back().note, "assigned to taro: knows the merchant");
    ASSERT_THAT(order_.Assign(id, "", {.actor = "taro", .note = "on leave"}), IsOk());
    EXPECT_EQ(Found(kAmountDiffers).owner, "");
    EXPECT_THAT(order_.Assign(id, "taro", {.actor = "hanako", .note = ""}),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
}

}  // namespace
}  // namespace kessai::reconciliation::app
