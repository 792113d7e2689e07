// Goal: whoever's day is held back is told to others, once for each reason, and so is the end of
// it, in the transactions that decide it. Method: releases over a real MariaDB; the outbox's
// events, opened, against the rows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "domain/hold_event.h"
#include "tests/payout_fixture.h"
#include "tests/transfer_fixture.h"

namespace kessai::payout {
namespace {

using domain::MerchantId;

const BusinessDate kDay = Day(20261122);

class HoldEventsTest : public PayoutTest {
 protected:
    /// By merchant, what was told since the last time: "1 RECOUNT_DIFFERS", "2 released 1". Every
    /// step is in the outbox, byte for byte as its row says, and nothing else is of holds.
    std::map<std::int64_t, std::vector<std::string>> TakeTold() {
        std::map<std::int64_t, std::vector<std::string>> told;
        auto session = payout_->pool.Acquire(std::chrono::seconds(5));
        EXPECT_OK(session.status());
        auto rows = (*session)->Select(mysql::Query{"test.steps", R"sql(
            SELECT merchant_id, version, hold_number, reason, total_gross, total_fee, total_count,
                   recount_gross, recount_fee, recount_count, note, released_round, at_us
            FROM merchant_hold_step WHERE business_date = '2026-11-22'
            ORDER BY merchant_id, version)sql"});
        EXPECT_OK(rows.status());
        std::int64_t count = 0;
        while (rows->Next()) {
            domain::HoldStep step;
            step.day = kDay;
            step.version = static_cast<std::uint32_t>(rows->Int(1));
            step.number = rows->Int(2);
            step.held = {MerchantId(rows->Int(0)),
                         static_cast<domain::HoldReason>(rows->Int(3)),
                         {rows->Int(4), rows->Int(5), rows->Int(6)},
                         {rows->Int(7), rows->Int(8), rows->Int(9)},
                         rows->Text(10)};
            if (!rows->IsNull(11)) step.released_round = static_cast<int>(rows->Int(11));
            step.at = rows->At(12);
            if (!taken_.emplace(step.number, step.version).second) continue;
            ++count;
            const std::string sealed = payout_->encoder.HoldChanged(step).value();
            auto found = (*session)->Select(
                mysql::Query{"test.told",
                             "SELECT COUNT(*) FROM outbox WHERE INSTR(entries, ?) > 0"},
                mysql::Bytes{sealed});
            EXPECT_OK(found.status());
            EXPECT_TRUE(found->Next() && found->Int(0) == 1);
            told[step.held.merchant.value()].push_back(
                std::to_string(step.version) + " " +
                (step.released_round ? "released " + std::to_string(*step.released_round)
                                     : std::string(domain::HoldReasonName(step.held.reason))));
        }
        EXPECT_EQ(payout_->Number("SELECT COALESCE(SUM(entry_count), 0) FROM outbox "
                                  "WHERE row_id MOD 1024 = 1020"),
                  count);
        payout_->DrainOutbox();
        return told;
    }

    void Release(bool deep = false) { ASSERT_OK(payout_->release_day.Run(kDay, deep).status()); }
    void Damage(std::int64_t payment, int by) {
        payout_->Run("UPDATE accrual SET fee = fee + " + std::to_string(by) +
                     " WHERE payment_id = " + std::to_string(payment));
    }

    std::set<std::pair<std::int64_t, std::uint32_t>> taken_;
};

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// Goal: whoever has missed a step is told again, byte for byte, behind what was told before; what
// was never told is not.
TEST_F(HoldEventsTest, StepsAreToldAgain) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kDay, 10'000), Sale(4, 9, kDay, 700)}).empty());
    payout_->Close(kDay);
    Damage(1, 5);
    Release();
    Damage(1, -5);
    Release();
    const auto object = [&](int number) {
        return domain::EventObjectOfHold(
            payout_->Number("SELECT MIN(hold_number) FROM merchant_hold_step") + number);
    };
    Transfers transfers(payout_->pool, SystemClock());
    app::RepublishEvents& republish = transfers.republish;
    const auto told = [&](std::uint32_t version) {
        auto session = payout_->pool.Acquire(std::chrono::seconds(5));
        EXPECT_OK(session.status());
        const std::vector<std::int64_t> number{*domain::HoldOfEvent(object(0))};
        const auto found = transfers.hold_steps.Find(number);
        EXPECT_OK(found.status());
        const std::string sealed = payout_->encoder.HoldChanged(found->at(version - 1)).value();
        auto rows = (*session)->Select(
            mysql::Query{"test.told", "SELECT COUNT(*) FROM outbox WHERE INSTR(entries, ?) > 0"},
            mysql::Bytes{sealed});
        EXPECT_OK(rows.status());
        return rows->Next() ? rows->Int(0) : -1;
    };
    EXPECT_EQ(told(1), 1);
    const auto unknown = testing::Refuses(Code::kNotFound, "EVENT_UNKNOWN");
    EXPECT_THAT(republish.Run(std::vector<app::EventName>{{object(0), 1}, {object(0), 3}}),
                unknown);
    EXPECT_THAT(republish.Run(std::vector<app::EventName>{{object(1), 1}}), unknown);
    EXPECT_EQ(told(1), 1);
    EXPECT_THAT(republish.Run(std::vector<app::EventName>{{object(0), 2}, {object(0), 1}}),
                testing::IsOkAnd(2));
    EXPECT_EQ(told(1), 2);
    EXPECT_EQ(told(2), 2);
    EXPECT_EQ(payout_->Number("SELECT MAX(row_id) FROM outbox WHERE row_id MOD 1024 = 1020"),
              payout_->Number("SELECT (outbox_rows << 10) + 1020 FROM payout_gate WHERE id = 4"));
}

TEST_F(HoldEventsTest, EachReasonOnceAndTheEnd) {
    ASSERT_TRUE(payout_
                    ->Deliver({Sale(1, 7, kDay, 10'000), Sale(2, 8, kDay, 500),
                               Sale(3, 7, kDay, 20'000), Sale(4, 9, kDay, 700)})
                    .empty());
    payout_->Close(kDay);
    Damage(1, 5);
    Damage(4, 1);
    EXPECT_THAT(TakeTold(), IsEmpty());
    Release();
    EXPECT_THAT(TakeTold(), ElementsAre(Pair(7, ElementsAre("1 RECOUNT_DIFFERS")),
                                        Pair(9, ElementsAre("1 RECOUNT_DIFFERS"))));
    // Nothing is new, though a round releases another merchant of the chunk.
    Damage(4, -1);
    Release();
    EXPECT_THAT(TakeTold(), ElementsAre(Pair(9, ElementsAre("2 released 1"))));
    // Other sums than were told before, in a round that releases somebody of the chunk.
    Damage(1, 1);
    Release();
    EXPECT_THAT(TakeTold(), IsEmpty());
    Damage(1, -6);
    Release();
    EXPECT_THAT(TakeTold(), ElementsAre(Pair(7, ElementsAre("2 released 2"))));
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_hold_step"), 4);
    EXPECT_EQ(payout_->Number("SELECT COUNT(DISTINCT hold_number) FROM merchant_hold_step"), 2);
}

// Goal: a merchant that is left open at the close is told then, and nobody is told twice.
TEST_F(HoldEventsTest, AMerchantLeftOpenIsToldAtTheClose) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kDay, 10'000), Sale(2, 8, kDay, 500)}).empty());
    auto waiting = Sale(3, 7, kDay, 300);
    const std::string value = SealPaymentEvent(waiting);
    {
        auto session = payout_->pool.Acquire(std::chrono::seconds(5));
        ASSERT_OK(session.status());
        ASSERT_OK((*session)->Execute(mysql::Query{"test.park", R"sql(
                INSERT INTO dead_letter (consumer_group, topic, partition_no, message_offset, state,
                                         blocking, object_id, event_type, event_id, version, code,
                                         reason, message, attempts, failed_at_us, traceparent,
                                         message_key, message_value)
                VALUES ('payout', 'payment.events.v1', 3, 17, 1, 1, 3, '', 0, 0, 9,
                        'PLAN_MISSING', '', 1, 0, '', '3', ?))sql"},
                                      mysql::Bytes{value}));
    }
    payout_->Close(kDay);
    EXPECT_THAT(TakeTold(), ElementsAre(Pair(7, ElementsAre("1 EVENT_PARKED"))));
    Release();
    Release();
    EXPECT_THAT(TakeTold(), IsEmpty());
    payout_->Run("UPDATE dead_letter SET state = 3, blocking = 0");
    Release();
    EXPECT_THAT(TakeTold(), ElementsAre(Pair(7, ElementsAre("2 released 1"))));
}

// Goal: a whole chunk is told in batches that the outbox takes, and each of its merchants once.
TEST_F(HoldEventsTest, ManyAreToldTogether) {
    std::vector<domain::PaymentChange> changes;
    for (std::int64_t i = 0; i < 1'200; ++i) changes.push_back(Sale(1'000 + i, 1 + i, kDay, 500));
    ASSERT_TRUE(payout_->Deliver(changes).empty());
    app::CloseDayOptions options = TestCloseOptions();
    options.merchants_per_chunk = 2'000;
    app::CloseDay close(options, payout_->day_store, payout_->encoder, SystemClock());
    payout_->DeliverMarks(kDay);
    payout_->DrainOutbox();
    ASSERT_OK(close.RunOnce().status());
    ASSERT_EQ(payout_->Number("SELECT COUNT(*) FROM day_chunk"), 1);
    payout_->Run("UPDATE accrual SET gross = gross + 1");
    Release();
    const auto told = TakeTold();
    EXPECT_EQ(told.size(), 1'200u);
    for (const auto& [merchant, events] : told) {
        EXPECT_THAT(events, ElementsAre("1 RECOUNT_DIFFERS")) << merchant;
    }
    EXPECT_EQ(payout_->Number("SELECT COUNT(DISTINCT hold_number) FROM merchant_hold_step"), 1'200);
    payout_->Run("UPDATE accrual SET gross = gross - 1");
    Release();
    EXPECT_EQ(TakeTold().size(), 1'200u);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_hold WHERE released_round = 1"),
              1'200);
}

// Goal: who was held back by a version that told nobody is released, and nobody wonders of what.
TEST_F(HoldEventsTest, AHoldThatWasNotToldEndsUntold) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kDay, 10'000)}).empty());
    payout_->Close(kDay);
    Damage(1, 5);
    Release();
    payout_->Run("DELETE FROM merchant_hold_step");
    payout_->DrainOutbox();
    Damage(1, -5);
    Release();
    EXPECT_THAT(TakeTold(), IsEmpty());
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_release"), 1);
}

}  // namespace
}  // namespace kessai::payout
