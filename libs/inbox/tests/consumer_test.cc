#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "inbox_fixture.h"

namespace kessai::inbox {
namespace {

using namespace std::chrono_literals;
using testing::Eventually;
using testing::IsOk;
using ::testing::SizeIs;

TEST_F(InboxTest, AppliesEachEventOnceInOrder) {
    std::vector<Put> events;
    for (int version = 1; version <= 50; ++version) {
        for (std::int64_t object = 1; object <= 20; ++object) events.push_back({object, version});
    }
    Publish(events);
    const auto consumer = StartConsumer();
    ASSERT_EVENTUALLY(Count("effect") == 1'000);
    // Live ones too.
    Publish({{1, 51}, {2, 51}});
    ASSERT_EVENTUALLY(Count("effect") == 1'002);
    std::map<std::int64_t, int> last;
    for (const Stored& stored : Applied()) EXPECT_EQ(stored.version, ++last[stored.object]);
    EXPECT_EVENTUALLY(handler_.committed == 1'002);
    EXPECT_OK(consumer->Health());
    EXPECT_EQ(Metric("kessai_inbox_applied_total"), 1'002);
    EXPECT_EVENTUALLY(Metric("kessai_inbox_lag_messages") == 0);
    std::int64_t offsets = 0;
    for (int partition = 0; partition < kPartitions; ++partition) offsets += NextOffset(partition);
    EXPECT_EQ(offsets, 1'002);
}

TEST_F(InboxTest, GoesOnFromTheStoredOffset) {
    Publish({{1, 1}, {2, 1}, {3, 1}});
    StartConsumer()->Stop();
    {
        const auto consumer = StartConsumer();
        ASSERT_EVENTUALLY(Count("effect") == 3);
    }
    Publish({{1, 2}, {2, 2}});
    // Were anything read again, effects would be found for it.
    metrics::Registry registry;
    const auto consumer = StartConsumer(Options(), handler_, registry);
    ASSERT_EVENTUALLY(Count("effect") == 5);
    EXPECT_EQ(Metric("kessai_inbox_repeated_total"), 0);
}

// Goal: an event that the topic holds again, at once or later, changes nothing.
TEST_F(InboxTest, DropsRepeats) {
    Publish({{1, 1}, {1, 1}, {1, 2}, {1, 1}, {2, 1}});
    const auto consumer = StartConsumer();
    ASSERT_EVENTUALLY(Count("effect") == 3);
    Publish({{1, 2}, {2, 1}, {1, 3}});
    ASSERT_EVENTUALLY(Count("effect") == 4);
    EXPECT_EQ(VersionsOf(1), "1,2,3");
    EXPECT_EQ(VersionsOf(2), "1");
    EXPECT_EVENTUALLY(Metric("kessai_inbox_repeated_total") == 4);
    EXPECT_EQ(Count("dead_letter"), 0);
}

// Goal: a mark is applied behind everything before it in its partition, and before what follows.
TEST_F(InboxTest, MarkStandsBehindItsDay) {
    for (int round = 0; round < 20; ++round) {
        for (std::int64_t object = 1; object <= 10; ++object) {
            EXPECT_THAT(producer_->Produce({.topic = topic_,
                                            .partition = 0,
                                            .key = std::to_string(object * 100),
                                            .value = Sealed({object * 100, round + 1})}),
                        IsOk());
        }
    }
    PublishMark(0);
    PublishMark(0);
    PublishRaw(0, "777", Sealed({777, 1}));
    const auto consumer = StartConsumer();
    ASSERT_EVENTUALLY(Count("effect") == 201);
    auto session = Session();
    static constexpr mysql::Query kMark{"test.mark",
                                        "SELECT partition_no, effects_before FROM mark"};
    auto rows = session->Select(kMark);
    ASSERT_OK(rows);
    ASSERT_TRUE(rows->Next());
    EXPECT_EQ(rows->Int(0), 0);
    EXPECT_EQ(rows->Int(1), 200);
    EXPECT_FALSE(rows->Next());
    EXPECT_EQ(Metric("kessai_inbox_marks_total"), 2);
}

// Goal: a dependency that is down stops its partition only, and nothing is lost or applied twice.
TEST_F(InboxTest, RetriesWhileADependencyIsDown) {
    std::int64_t other = 2;
    while (PartitionOf(other) == PartitionOf(1)) ++other;
    handler_.failing.emplace("down", Status(Code::kUnavailable, "TEST_DOWN", ""));
    Publish({{1, 1}, {1, 2, "down"}, {1, 3}, {other, 1}, {other, 2}});
    const auto consumer = StartConsumer();
    ASSERT_EVENTUALLY(VersionsOf(other) == "1,2");
    ASSERT_EVENTUALLY(Metric("kessai_inbox_batch_retries_total") >= 3);
    EXPECT_EQ(VersionsOf(1), "");
    EXPECT_EQ(Count("dead_letter"), 0);
    {
        const std::lock_guard lock(handler_.mutex);
        handler_.failing.clear();
    }
    EXPECT_EVENTUALLY(VersionsOf(1) == "1,2,3");
}

// Goal: the stored offset alone keeps two members from applying an event twice.
// Method: effect keys are not looked at, and a second member is a process that believes it still
// has the partition: it holds its batch inside Apply until the first has gone on, then tries to
// commit.
TEST_F(InboxTest, OffsetMovedMeansDropAndSeek) {
    ConsumerOptions options = Options();
    options.ignore_effect_keys_for_test = true;
    options.partitions = kPartitions;
    std::vector<Put> events;
    for (int version = 1; version <= 40; ++version) events.push_back({1, version});
    Publish(events);

    // Somebody else advances the offset between two tries of a batch, as a member would that took
    // the partition over and applied ten events. The first try has the offset's row locked, so the
    // other waits for it to be given up.
    std::jthread mover;
    std::atomic<bool> moved{false};
    handler_.on_apply = [&](const Batch& batch) -> Status {
        if (batch.partition != PartitionOf(1) || moved.exchange(true)) return OkStatus();
        mover = std::jthread([this, partition = batch.partition] {
            static constexpr mysql::Query kMove{
                "test.move",
                "UPDATE consumer_offset SET next_offset = 10 WHERE topic = ? AND partition_no = ?"};
            EXPECT_THAT(Session()->Execute(kMove, topic_, partition), IsOk());
        });
        return Status(Code::kAborted, "TEST_AGAIN", "");
    };
    const auto consumer = StartConsumer(options, handler_, metrics_);
    ASSERT_EVENTUALLY(NextOffset(PartitionOf(1)) == 40);
    EXPECT_GE(Metric("kessai_inbox_offset_refusals_total"), 1);
    // From ten on, each once.
    std::string expected = "11";
    for (int version = 12; version <= 40; ++version) expected += "," + std::to_string(version);
    EXPECT_EQ(VersionsOf(1), expected);
    EXPECT_GE(handler_.dropped, 1);
}

// Goal: no event is applied twice or skipped over forced rebalances in mid-batch, though effect
// keys are not looked at, so that the offset's compare-and-set alone is what is tested. Method:
// members of one group come and go under load, with batches that take long; at the end every event
// has exactly one effect.
TEST_F(InboxTest, RebalancesInMidBatchApplyNothingTwice) {
    constexpr int kObjects = 40;
    constexpr int kVersions = 60;
    ConsumerOptions options = Options();
    options.ignore_effect_keys_for_test = true;
    options.batch_events_max = 20;
    const auto slow = [](const Batch&) -> Status {
        SystemClock().SleepFor(3ms);
        return OkStatus();
    };
    std::vector<TableHandler> handlers(3);
    for (TableHandler& handler : handlers) handler.on_apply = slow;
    std::jthread load([&] {
        for (int version = 1; version <= kVersions; ++version) {
            std::vector<Put> events;
            for (std::int64_t object = 1; object <= kObjects; ++object) {
                events.push_back({object, version});
            }
            Publish(events);
        }
    });
    const auto stays = StartConsumer(options, handlers[0], metrics_);
    metrics::Registry others;
    for (int round = 0; round < 3; ++round) {
        ASSERT_EVENTUALLY(Count("effect") > round * 200);
        const auto comes = StartConsumer(options, handlers[1], others);
        ASSERT_EVENTUALLY(handlers[1].committed > 0 || Count("effect") == kObjects * kVersions);
        handlers[1].committed = 0;
        comes->Stop();
    }
    load.join();
    ASSERT_EVENTUALLY(Count("effect") >= kObjects * kVersions);
    std::int64_t offsets = 0;
    for (int partition = 0; partition < kPartitions; ++partition) offsets += NextOffset(partition);
    EXPECT_EQ(offsets, kObjects * kVersions);
    EXPECT_EQ(Count("effect"), kObjects * kVersions);
    for (std::int64_t object = 1; object <= kObjects; ++object) {
        std::string expected = "1";
        for (int version = 2; version <= kVersions; ++version) {
            expected += "," + std::to_string(version);
        }
        EXPECT_EQ(VersionsOf(object), expected);
    }
}

// Goal: a member that lost its partition in mid-batch, and the one that has it now, apply nothing
// twice, by the offset's compare-and-set alone; and the loser's refusal is counted. Method: effect
// keys are not looked at. The first member's batch hangs inside Apply, so that its partition is
// given away while its transaction is open; the second waits for the offset's row, and finds it
// moved when the first has committed.
TEST_F(InboxTest, TheNextOwnerOfAPartitionIsRefusedBehindABatchThatWentOn) {
    ConsumerOptions options = Options();
    options.ignore_effect_keys_for_test = true;
    options.revoke_wait = 0s;
    options.batch_events_max = 10;
    std::vector<Put> events;
    for (int version = 1; version <= 50; ++version) {
        for (std::int64_t object = 1; object <= 20; ++object) events.push_back({object, version});
    }
    Publish(events);

    std::vector<TableHandler> handlers(2);
    std::atomic<bool> go{false};
    handlers[0].on_apply = [&](const Batch&) -> Status {
        EXPECT_EVENTUALLY(go);
        return OkStatus();
    };
    metrics::Registry first_metrics;
    // A worker for each partition, so that all of them hang.
    options.workers = kPartitions;
    const auto first = StartConsumer(options, handlers[0], first_metrics);
    ASSERT_EVENTUALLY(Metric(first_metrics, "kessai_inbox_partitions_assigned") == kPartitions);
    const auto second = StartConsumer(options, handlers[1], metrics_);
    // The second gets half of the partitions, and its wait for their rows runs out.
    ASSERT_EVENTUALLY(Metric("kessai_inbox_partitions_assigned") == kPartitions / 2);
    const bool waited = Eventually([&] { return Metric("kessai_inbox_batch_retries_total") > 0; });
    go = true;
    ASSERT_EVENTUALLY(Count("effect") >= 1'000);
    std::int64_t offsets = 0;
    for (int partition = 0; partition < kPartitions; ++partition) offsets += NextOffset(partition);
    EXPECT_EQ(offsets, 1'000);
    EXPECT_EQ(Count("effect"), 1'000);
    EXPECT_TRUE(waited);
    EXPECT_GT(Metric("kessai_inbox_offset_refusals_total") +
                  Metric(first_metrics, "kessai_inbox_offset_refusals_total"),
              0);
}

// Goal: an offset that the topic does not have stops the partition; it is never reset.
TEST_F(InboxTest, OffsetOutOfRangeStopsThePartition) {
    Publish({{1, 1}, {1, 2}, {1, 3}});
    const int partition = PartitionOf(1);
    static constexpr mysql::Query kSet{
        "test.set",
        "INSERT INTO consumer_offset (consumer_group, topic, partition_no, next_offset) "
        "VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE next_offset = VALUES(next_offset)"};
    {
        auto session = Session();
        ASSERT_OK(session->Execute(kSet, group_, topic_, partition, 1'000));
    }
    const auto consumer = StartConsumer();
    ASSERT_EVENTUALLY(consumer->Health().code() == Code::kOutOfRange);
    EXPECT_EQ(Metric("kessai_inbox_partitions_stopped"), 1);
    EXPECT_EQ(Count("effect"), 0);
    EXPECT_EQ(NextOffset(partition), 1'000);
    {
        auto session = Session();
        ASSERT_OK(session->Execute(kSet, group_, topic_, partition, 1));
    }
    EXPECT_EVENTUALLY(VersionsOf(1) == "2,3");
    EXPECT_EVENTUALLY(consumer->Health().ok());
}

// Goal: what retention removed under a reader that was held up is noticed, not skipped.
TEST_F(InboxTest, RetentionUnderAHeldUpReaderIsAnError) {
    Publish({{1, 1}});
    const int partition = PartitionOf(1);
    const auto consumer = StartConsumer();
    ASSERT_EVENTUALLY(VersionsOf(1) == "1");
    consumer->Stop();
    Publish({{1, 2}, {1, 3}, {1, 4}});
    ASSERT_OK(kafka::DeleteRecordsBefore(Options().client.connection, topic_, partition, 3, 30s));
    metrics::Registry registry;
    const auto again = StartConsumer(Options(), handler_, registry);
    ASSERT_EVENTUALLY(again->Health().code() == Code::kOutOfRange);
    EXPECT_EQ(NextOffset(partition), 1);
    EXPECT_EQ(VersionsOf(1), "1");
}

// Goal: a group without offsets begins at what the topic still has.
TEST_F(InboxTest, ANewGroupBeginsAtTheEarliest) {
    Publish({{1, 1}, {1, 2}, {1, 3}});
    ASSERT_OK(
        kafka::DeleteRecordsBefore(Options().client.connection, topic_, PartitionOf(1), 2, 30s));
    const auto consumer = StartConsumer();
    EXPECT_EVENTUALLY(VersionsOf(1) == "3");
    EXPECT_OK(consumer->Health());
}

// --- Dead letters.

// Goal: bytes that are no event become a dead letter as they are, later events of the object wait,
// and the rest goes on.
TEST_F(InboxTest, UnreadableBytesBecomeADeadLetter) {
    const int partition = PartitionOf(1);
    std::int64_t neighbour = 2;
    while (PartitionOf(neighbour) != partition) ++neighbour;
    std::string damaged = Sealed({1, 2});
    damaged.back() = static_cast<char>(damaged.back() ^ 1);
    const std::string garbage("\xff\x00no event", 11);
    Publish({{1, 1}});
    PublishRaw(partition, "1", damaged);
    Publish({{1, 3}, {neighbour, 1}});
    PublishRaw(partition, "no object", garbage);
    PublishRaw(partition, std::to_string(neighbour), Sealed({1, 4}));
    Publish({{neighbour, 2}});
    const auto consumer = StartConsumer();
    ASSERT_EVENTUALLY(NextOffset(partition) == 7);

    EXPECT_EQ(VersionsOf(1), "1");
    EXPECT_EQ(VersionsOf(neighbour), "1");
    static constexpr mysql::Query kLetters{
        "test.letters",
        "SELECT message_offset, object_id, reason, blocking, message_value FROM "
        "dead_letter ORDER BY message_offset"};
    auto session = Session();
    auto rows = session->Select(kLetters);
    ASSERT_OK(rows);
    ASSERT_EQ(rows->size(), 3u);
    rows->Next();
    EXPECT_EQ(rows->Int(1), 1);
    EXPECT_EQ(rows->Text(2), event::kEventHashMismatch);
    EXPECT_TRUE(rows->Bool(3));
    EXPECT_EQ(rows->Bytes(4), damaged);
    rows->Next();
    EXPECT_EQ(rows->Int(1), 0);
    EXPECT_EQ(rows->Text(2), event::kEventMalformed);
    EXPECT_FALSE(rows->Bool(3));
    EXPECT_EQ(rows->Bytes(4), garbage);
    rows->Next();
    EXPECT_EQ(rows->Int(1), neighbour);
    EXPECT_EQ(rows->Text(2), reason::kKeyMismatch);
    // Version 3 of the first, version 2 of the neighbour.
    EXPECT_EQ(Count("parked_event"), 2);
    EXPECT_GT(Count("outbox"), 0);
    EXPECT_EQ(Metric("kessai_inbox_dead_letters_total"), 3);
}

// Goal: many or large messages that nobody can read are set aside, however many dead letters fit
// one batch of the outbox. Method: what waits is gathered for seconds, so that it would be one
// batch: its messages are within a batch's bytes, their dead letters are not.
TEST_F(InboxTest, MoreDeadLettersThanOneBatchHoldsAreSetAside) {
    ConsumerOptions options = Options();
    options.batch_every = 3s;
    const auto consumer = StartConsumer(options, handler_, metrics_);
    int dead = 0;
    for (const auto& [count, size] : {std::pair{450, 9'300}, std::pair{4, 1'048'450}}) {
        SCOPED_TRACE(count);
        Publish({{1, dead + 1}});  // and the next batch begins so much later
        ASSERT_EVENTUALLY(VersionsOf(1).ends_with(std::to_string(dead + 1)));
        const double retries = Metric("kessai_inbox_batch_retries_total");
        for (int i = 0; i < count; ++i) {
            std::string value(static_cast<std::size_t>(size), 'x');
            EXPECT_THAT(producer_->Produce({.topic = topic_,
                                            .partition = PartitionOf(1),
                                            .key = std::to_string(1'000 + dead + i),
                                            .value = std::move(value)}),
                        IsOk());
        }
        dead += count;
        EXPECT_EVENTUALLY(Count("dead_letter") == dead);
        EXPECT_GT(Metric("kessai_inbox_batch_retries_total"), retries);
        EXPECT_OK(consumer->Health());
    }
}

// Goal: the same key with other content is never dropped: within a batch and against the table.
TEST_F(InboxTest, OtherContentUnderTheSameKeyIsADeadLetter) {
    Publish({{1, 1}, {1, 1, "other"}, {1, 2}, {2, 1}});
    const auto consumer = StartConsumer();
    ASSERT_EVENTUALLY(Count("dead_letter") == 1 && VersionsOf(2) == "1");
    EXPECT_EQ(VersionsOf(1), "1");
    Publish({{2, 1, "other"}, {2, 2}});
    ASSERT_EVENTUALLY(Count("dead_letter") == 2 && Count("parked_event") == 2);
    EXPECT_EQ(VersionsOf(2), "1");
    auto session = Session();
    static constexpr mysql::Query kReasons{"test.reasons",
                                           "SELECT DISTINCT reason FROM dead_letter"};
    auto rows = session->Select(kReasons);
    ASSERT_OK(rows);
    ASSERT_TRUE(rows->Next());
    EXPECT_EQ(rows->Text(0), reason::kEffectConflict);
    EXPECT_FALSE(rows->Next());
}

// Goal: a handler's rejection takes nothing else with it.
TEST_F(InboxTest, RejectedEventsAreSetAside) {
    handler_.rejected = {"bad"};
    std::vector<Put> events;
    for (std::int64_t object = 1; object <= 30; ++object) {
        events.push_back({object, 1});
        events.push_back({object, 2, object % 10 == 0 ? "bad" : "ok"});
        events.push_back({object, 3});
    }
    Publish(events);
    const auto consumer = StartConsumer();
    ASSERT_EVENTUALLY(Count("effect") == 84);
    EXPECT_EQ(VersionsOf(10), "1");
    EXPECT_EQ(VersionsOf(11), "1,2,3");
    EXPECT_EQ(Count("dead_letter"), 3);
    EXPECT_EQ(Count("parked_event"), 3);
    EXPECT_OK(consumer->Health());
}

// Goal: an event that fails its whole batch is found and set aside alone.
TEST_F(InboxTest, ABatchThatFailsIsHalvedDownToItsEvent) {
    handler_.failing.emplace("poison", Status(Code::kInternal, "TEST_POISON", ""));
    std::vector<Put> events;
    for (int version = 1; version <= 100; ++version) {
        events.push_back({1, version});
        events.push_back({5, version, version == 60 ? "poison" : "ok"});
    }
    Publish(events);
    const auto consumer = StartConsumer();
    ASSERT_EVENTUALLY(Count("effect") == 159);
    ASSERT_EVENTUALLY(Count("parked_event") == 40);
    EXPECT_EQ(Count("dead_letter"), 1);
    EXPECT_OK(consumer->Health());
}

// Goal: when every event fails, it is the service that is broken: the partition stops instead of
// turning the topic into dead letters.
TEST_F(InboxTest, ManyFailuresInARowStopThePartition) {
    handler_.failing.emplace("poison", Status(Code::kInternal, "TEST_POISON", ""));
    std::vector<Put> events;
    for (std::int64_t object = 1; events.size() < 40; ++object) {
        if (PartitionOf(object) == 0) events.push_back({object, 1, "poison"});
    }
    Publish(events);
    const auto consumer = StartConsumer();
    ASSERT_EVENTUALLY(consumer->Health().reason() == "TEST_POISON");
    EXPECT_EQ(Count("dead_letter"), Options().isolated_in_a_row_max);
    EXPECT_EQ(Count("effect"), 0);
    {
        const std::lock_guard lock(handler_.mutex);
        handler_.failing.clear();
    }
    EXPECT_EVENTUALLY(Count("effect") == 40 - Options().isolated_in_a_row_max);
    EXPECT_EVENTUALLY(consumer->Health().ok());
}

}  // namespace
}  // namespace kessai::inbox
