#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kessai/testing/matchers.h"
#include "tests/payout_fixture.h"
#include "tests/reference.h"

namespace kessai::payout {
namespace {

using ::testing::Field;
using testing::IsOkAnd;
using testing::Refuses;

const BusinessDate kDay = Day(20261122);

class DayTest : public PayoutTest {
 protected:
    domain::DayState StateOf(BusinessDate day) {
        auto view = payout_->reader.FindDay(day);
        EXPECT_OK(view.status());
        return view.ok() ? view->state : domain::DayState::kOpen;
    }
};

// Goal: a day ends when every partition has had its mark, and not before.
TEST_F(DayTest, DayClosesWithTheLastPartitionsMark) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kDay, 1'000)}).empty());
    payout_->DeliverMarks(kDay, 0, kPartitions - 2);
    ASSERT_THAT(payout_->close_day.RunOnce(), IsOkAnd(0));
    EXPECT_EQ(StateOf(kDay), domain::DayState::kOpen);
    EXPECT_THAT(payout_->release_day.Run(kDay, false),
                Refuses(Code::kFailedPrecondition, "DAY_OPEN"));

    payout_->DeliverMarks(kDay, kPartitions - 1, kPartitions - 1);
    ASSERT_THAT(payout_->close_day.RunOnce(), IsOkAnd(1));
    EXPECT_EQ(StateOf(kDay), domain::DayState::kClosed);
    EXPECT_EQ(StateOf(kDay.Next()), domain::DayState::kOpen);
    ASSERT_THAT(payout_->close_day.RunOnce(), IsOkAnd(0));
}

TEST_F(DayTest, MarksMayComeAgainAndOfSeveralDays) {
    ASSERT_TRUE(
        payout_->Deliver({Sale(1, 7, kDay, 1'000), Sale(2, 7, kDay.Next(), 1'000)}).empty());
    payout_->DeliverMarks(kDay.Next());
    payout_->DeliverMarks(kDay);  // Late repeats.
    ASSERT_THAT(payout_->close_day.RunOnce(), IsOkAnd(2));
    payout_->DeliverMarks(kDay);
    ASSERT_THAT(payout_->close_day.RunOnce(), IsOkAnd(0));
    EXPECT_THAT(payout_->reader.FindDay(kDay.Previous()), Refuses(Code::kNotFound, "DAY_UNKNOWN"));
}

TEST_F(DayTest, ForeignMarksAreRefused) {
    for (const event::BusinessDayClosed& mark :
         {event::BusinessDayClosed{kDay, kPartitions, "payout"},
          event::BusinessDayClosed{kDay, kPartitions + 1, "payment"}}) {
        EXPECT_THAT(
            mysql::InTransaction(
                payout_->pool, {},
                [&](mysql::Session& session) {
                    return payout_->handler.ApplyMark(session, {mark, "payment.events.v1", 0, 0});
                }),
            Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    }
}

// Goal: the seal is over the day's totals, chunk by chunk, and anybody can check it.
TEST_F(DayTest, SealIsThatOfTheTotals) {
    Seeded random;
    ASSERT_TRUE(payout_->Deliver(RandomTrade(random, 200, 15, 10'000, kDay, 1), 20).empty());
    payout_->Close(kDay);
    ASSERT_OK_AND_ASSIGN(auto session, payout_->pool.Acquire(std::chrono::seconds(1)));
    ASSERT_OK_AND_ASSIGN(auto rows, session->Select(mysql::Query{"test.totals", R"sql(
            SELECT merchant_id, slot, tax_class, gross, fee, item_count FROM merchant_day_total
            ORDER BY merchant_id, slot, tax_class)sql"}));
    domain::ChunkSealer sealer(kDay, TestCloseOptions().merchants_per_chunk);
    while (rows.Next()) {
        sealer.Add({static_cast<std::uint32_t>(rows.Int(1)),
                    {domain::MerchantId(rows.Int(0)),
                     static_cast<domain::TaxClass>(rows.Int(2)),
                     {rows.Int(3), rows.Int(4), rows.Int(5)}}});
    }
    const auto chunks = sealer.Finish();
    EXPECT_GT(chunks.size(), 3u);
    EXPECT_THAT(
        payout_->reader.FindDay(kDay),
        IsOkAnd(Field(&app::DayView::seal, ::testing::Optional(domain::SealOfDay(kDay, chunks)))));
}

// Goal: nothing gets into a closed day.
TEST_F(DayTest, EventOfAClosedDayIsRefused) {
    const domain::PaymentChange sale = Sale(1, 7, kDay, 1'000);
    ASSERT_TRUE(payout_->Deliver({sale}).empty());
    payout_->Close(kDay);
    const domain::PaymentChange late = Sale(2, 7, kDay, 1'000);
    auto refused = payout_->Deliver({late, Sale(3, 7, kDay.Next(), 500)});
    ASSERT_EQ(refused.size(), 1u);
    EXPECT_EQ(refused[late.key].reason(), "DAY_CLOSED");
    // A repeat of what was accrued in time is no late event.
    EXPECT_TRUE(payout_->Deliver({sale}).empty());
    EXPECT_EQ(payout_->Number("SELECT SUM(gross) FROM merchant_day_total"), 1'500);
}

// Goal: our own mark never overtakes an event of its day.
// Method: the outbox is kept full; then drained.
TEST_F(DayTest, OwnMarkWaitsForTheOutbox) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kDay, 1'000)}).empty());
    payout_->DeliverMarks(kDay);
    ASSERT_THAT(payout_->close_day.RunOnce(), IsOkAnd(1));
    const std::string unmarked = "SELECT COUNT(*) FROM payout_day WHERE marked_at_us IS NULL";
    EXPECT_EQ(payout_->Number(unmarked), 1);
    EXPECT_EQ(payout_->Number("SELECT SUM(entry_count) FROM outbox"), 1);

    payout_->DrainOutbox();
    ASSERT_OK(payout_->close_day.RunOnce().status());
    EXPECT_EQ(payout_->Number(unmarked), 0);
    EXPECT_EQ(payout_->Number("SELECT SUM(entry_count) FROM outbox"), kPartitions);
    ASSERT_OK(payout_->close_day.RunOnce().status());
    EXPECT_EQ(payout_->Number("SELECT SUM(entry_count) FROM outbox"), kPartitions);
}

}  // namespace
}  // namespace kessai::payout
