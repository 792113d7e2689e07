// Goal: a handler whose table refuses repeats is spared the look-up for new events, and nothing
// else changes: a repeat is dropped, other content under the same key is never dropped, and no
// event is condemned for what a repeat in its batch brought about. Method: real brokers and a real
// database; the effects' table has a unique key.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "inbox_fixture.h"

namespace kessai::inbox {
namespace {

using namespace std::chrono_literals;
using testing::Eventually;
using testing::IsOk;
using ::testing::SizeIs;

constexpr mysql::Query kMakeUnique{"test.make_unique",
                                   "ALTER TABLE effect ADD UNIQUE KEY (object_id, version)"};

class AssumptionFlowTest : public InboxTest {
 protected:
    AssumptionFlowTest() {
        EXPECT_THAT(Session()->Execute(kMakeUnique), IsOk());
        handler_.refuses_repeats = true;
    }
    double Refused() const { return Metric("kessai_inbox_assumptions_refused_total"); }
    double Repeated() const { return Metric("kessai_inbox_repeated_total"); }
    std::int64_t EventsDone() {
        std::int64_t offsets = 0;
        for (int partition = 0; partition < kPartitions; ++partition) {
            offsets += std::max<std::int64_t>(0, NextOffset(partition));
        }
        return offsets;
    }
};

TEST_F(AssumptionFlowTest, NewEventsAreNotLookedUp) {
    std::vector<Put> events;
    for (int version = 1; version <= 20; ++version) {
        for (std::int64_t object = 1; object <= 20; ++object) events.push_back({object, version});
    }
    Publish(events);
    const auto consumer = StartConsumer();
    ASSERT_EVENTUALLY(Count("effect") == 400);
    ASSERT_EVENTUALLY(handler_.committed == 400);
    EXPECT_EQ(handler_.look_ups, 0);
    EXPECT_EQ(Refused(), 0);
    EXPECT_EQ(VersionsOf(7), "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20");
}

// Goal: a repeat is dropped, with nothing of its batch lost; the batches behind it look up first.
TEST_F(AssumptionFlowTest, ARepeatIsFoundByItsRefusal) {
    const auto consumer = StartConsumer();
    Publish({{1, 1}, {1, 2}});
    ASSERT_EVENTUALLY(VersionsOf(1) == "1,2");
    EXPECT_EQ(handler_.look_ups, 0);
    Publish({{1, 2}});
    ASSERT_EVENTUALLY(Repeated() == 1);
    EXPECT_EQ(Refused(), 1);
    EXPECT_EQ(handler_.look_ups, 1);
    Publish({{1, 1}, {1, 3}});
    ASSERT_EVENTUALLY(VersionsOf(1) == "1,2,3");
    EXPECT_EQ(Refused(), 1);
    EXPECT_EVENTUALLY(Repeated() == 2);
    EXPECT_EQ(Count("dead_letter"), 0);
    EXPECT_OK(consumer->Health());
}

// Goal: other content under a stored key is a dead letter, the rest of its batch is applied, and
// later events of its object wait.
TEST_F(AssumptionFlowTest, OtherContentUnderAStoredKeyIsADeadLetter) {
    std::int64_t neighbour = 2;
    while (PartitionOf(neighbour) != PartitionOf(1)) ++neighbour;
    ConsumerOptions options = Options();
    options.batch_every = 1s;
    const auto consumer = StartConsumer(options, handler_, metrics_);
    Publish({{1, 1}});
    ASSERT_EVENTUALLY(VersionsOf(1) == "1");
    Publish({{neighbour, 1}, {1, 1, "other"}, {1, 2}, {neighbour, 2}});
    ASSERT_EVENTUALLY(VersionsOf(neighbour) == "1,2");
    ASSERT_EVENTUALLY(Count("parked_event") == 1);
    EXPECT_EQ(VersionsOf(1), "1");
    const auto letters = DeadLetters();
    ASSERT_THAT(letters, SizeIs(1));
    EXPECT_EQ(letters[0].reason, reason::kEffectConflict);
    EXPECT_EQ(Refused(), 1);

    // The same within a batch, when what is stored is the second of the two.
    Publish({{3, 1, "other"}});
    ASSERT_EVENTUALLY(VersionsOf(3) == "1");
    Publish({{3, 1}, {3, 1, "other"}});
    ASSERT_EVENTUALLY(Count("dead_letter") == 2 && Count("parked_event") == 2);
}

// Goal: what a handler rejects or refuses while it takes a repeat for new is no dead letter (an
// event of a day that is closed by now, say); a new event that is rejected is one.
TEST_F(AssumptionFlowTest, ARepeatIsNotJudgedAsNew) {
    for (const bool rejected : {true, false}) {
        SCOPED_TRACE(rejected);
        const std::int64_t object = rejected ? 1 : 101;
        const std::string late = rejected ? "rejected" : "failing";
        metrics::Registry registry;
        const auto consumer = StartConsumer(Options(), handler_, registry);
        Publish({{object, 1, late}});
        ASSERT_EVENTUALLY(VersionsOf(object) == "1");
        {
            const std::lock_guard lock(handler_.mutex);
            if (rejected) handler_.rejected = {late};
            if (!rejected) handler_.failing.emplace(late, Status(Code::kInternal, "TEST", ""));
        }
        const std::int64_t letters = Count("dead_letter");
        Publish({{object, 1, late}, {object, 2}});
        ASSERT_EVENTUALLY(VersionsOf(object) == "1,2");
        EXPECT_EQ(Count("dead_letter"), letters);
        EXPECT_EQ(Metric(registry, "kessai_inbox_assumptions_refused_total"), 1);
        Publish({{object + 1, 1, late}});
        ASSERT_EVENTUALLY(Count("dead_letter") == letters + 1);
        EXPECT_EQ(VersionsOf(object + 1), "");
        consumer->Stop();
    }
}

// Goal: a dependency that is down is waited for, and does not count as a repeat.
TEST_F(AssumptionFlowTest, AnInterruptionIsNoRefusal) {
    handler_.failing.emplace("down", Status(Code::kUnavailable, "TEST_DOWN", ""));
    Publish({{1, 1}, {1, 2, "down"}, {1, 3}});
    const auto consumer = StartConsumer();
    ASSERT_EVENTUALLY(Metric("kessai_inbox_batch_retries_total") >= 3);
    {
        const std::lock_guard lock(handler_.mutex);
        handler_.failing.clear();
    }
    ASSERT_EVENTUALLY(VersionsOf(1) == "1,2,3");
    EXPECT_EQ(Refused(), 0);
    const int look_ups = handler_.look_ups;
    EXPECT_GT(look_ups, 0);
    Publish({{1, 4}});
    ASSERT_EVENTUALLY(VersionsOf(1) == "1,2,3,4");
    EXPECT_EQ(handler_.look_ups, look_ups);
}

// Goal: a topic that is read again from its beginning applies nothing, and few of its batches run
// twice.
TEST_F(AssumptionFlowTest, ATopicReadAgainRunsFewBatchesTwice) {
    std::vector<Put> events;
    for (int version = 1; version <= 1'000; ++version) events.push_back({1, version});
    Publish(events);
    ConsumerOptions options = Options();
    options.batch_events_max = 10;
    {
        const auto consumer = StartConsumer(options, handler_, metrics_);
        ASSERT_EVENTUALLY(Count("effect") == 1'000);
        consumer->Stop();
    }
    static constexpr mysql::Query kBack{"test.back", "UPDATE consumer_offset SET next_offset = 0"};
    ASSERT_THAT(Session()->Execute(kBack), IsOk());
    metrics::Registry registry;
    const auto again = StartConsumer(options, handler_, registry);
    ASSERT_EVENTUALLY(Metric(registry, "kessai_inbox_repeated_total") == 1'000);
    EXPECT_EQ(Count("effect"), 1'000);
    EXPECT_EQ(Count("dead_letter"), 0);
    // Of 100 batches the first, and those behind 4, 8, 16 and 32 more; the next is behind 64 more.
    EXPECT_EQ(Metric(registry, "kessai_inbox_assumptions_refused_total"), 5);
}

// Goal: repeats and members that come and go in mid-batch, together, give one effect each.
// Method: every event is published again some events later, while a second member takes half of
// the partitions and gives them back, over batches that take long.
TEST_F(AssumptionFlowTest, RepeatsOverRebalancesAreAppliedOnce) {
    constexpr int kObjects = 40;
    constexpr int kVersions = 40;
    ConsumerOptions options = Options();
    options.batch_events_max = 20;
    std::vector<TableHandler> handlers(2);
    for (TableHandler& handler : handlers) {
        handler.refuses_repeats = true;
        handler.on_apply = [](const Batch&) -> Status {
            SystemClock().SleepFor(3ms);
            return OkStatus();
        };
    }
    std::jthread load([&] {
        for (int version = 1; version <= kVersions + 1; ++version) {
            std::vector<Put> events;
            for (std::int64_t object = 1; object <= kObjects; ++object) {
                if (version <= kVersions) events.push_back({object, version});
                if (version > 1) events.push_back({object, version - 1});
            }
            Publish(events);
        }
    });
    const auto stays = StartConsumer(options, handlers[0], metrics_);
    metrics::Registry others;
    for (int round = 0; round < 2; ++round) {
        ASSERT_EVENTUALLY(Count("effect") > round * 200);
        const auto comes = StartConsumer(options, handlers[1], others);
        ASSERT_EVENTUALLY(handlers[1].committed > 0 || Count("effect") == kObjects * kVersions);
        handlers[1].committed = 0;
        comes->Stop();
    }
    load.join();
    ASSERT_EVENTUALLY(EventsDone() == 2 * kObjects * kVersions);
    EXPECT_EQ(Count("effect"), kObjects * kVersions);
    EXPECT_EQ(Count("dead_letter"), 0);
    for (std::int64_t object = 1; object <= kObjects; ++object) {
        std::string expected = "1";
        for (int version = 2; version <= kVersions; ++version) {
            expected += "," + std::to_string(version);
        }
        EXPECT_EQ(VersionsOf(object), expected);
    }
}

}  // namespace
}  // namespace kessai::inbox
