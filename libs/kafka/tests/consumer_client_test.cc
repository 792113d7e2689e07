#include "kessai/kafka/consumer_client.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

#include "kessai/testing/eventually.h"
#include "test_members.h"

namespace kessai::kafka {
namespace {

using testing::Eventually;
using testing::IsOk;
using testing::KafkaBroker;
using testing::Refuses;
using namespace std::chrono_literals;

class ConsumerClientTest : public ::testing::Test {
 protected:
    ConsumerClientOptions Options(const std::string& topic) const {
        ConsumerClientOptions options;
        options.connection = Connection(broker_);
        options.group = group_;
        options.topic = topic;
        options.session_timeout = 6s;
        return options;
    }

    void Produce(const std::string& topic, int partition, int first, int count) {
        KeepDeliveries deliveries;
        ProducerOptions options;
        options.connection = Connection(broker_);
        const auto producer = Producer::Create(options, deliveries);
        ASSERT_OK(producer);
        for (int i = first; i < first + count; ++i) {
            ASSERT_OK((*producer)->Produce({.topic = topic,
                                            .partition = partition,
                                            .key = "key" + std::to_string(i),
                                            .value = std::to_string(i),
                                            .traceparent = i % 2 == 0 ? "00-trace" : ""}));
        }
        ASSERT_OK((*producer)->Flush(30s));
    }

    static void StartAt(Member& member, int partition, std::int64_t offset) {
        ASSERT_EVENTUALLY(member.assigned().contains(partition));
        ASSERT_EVENTUALLY(member.client().Seek(partition, offset, 5s).ok());
    }

    KafkaBroker& broker_ = KafkaBroker::Shared();
    const std::string group_ = testing::UniqueName("group");
};

TEST_F(ConsumerClientTest, ReadsFromWhereItIsToldOnly) {
    const std::string topic = MakeTopic(broker_, 2);
    Produce(topic, 0, 0, 100);
    Member member(Options(topic));
    StartAt(member, 0, 40);

    std::vector<Record> records;
    std::vector<RecordBatch> batches;
    ASSERT_EVENTUALLY([&] {
        auto batch = member.client().Take(0, 25);
        EXPECT_OK(batch);
        EXPECT_LE(batch->records().size(), 25u);
        records.insert(records.end(), batch->records().begin(), batch->records().end());
        batches.push_back(std::move(*batch));
        return records.size() >= 60;
    }());
    ASSERT_EQ(records.size(), 60u);
    for (std::size_t i = 0; i < records.size(); ++i) {
        const std::string number = std::to_string(i + 40);
        EXPECT_EQ(records[i].offset, static_cast<std::int64_t>(i) + 40);
        EXPECT_EQ(records[i].key, "key" + number);
        EXPECT_EQ(records[i].value, number);
        EXPECT_EQ(records[i].traceparent, i % 2 == 0 ? "00-trace" : "");
    }
    EXPECT_GT(member.wakes(), 0);
    EXPECT_EQ(member.client().KnownEnd(0), 100);
    EXPECT_THAT(member.client().QueryOffsets(0, 10s),
                testing::IsOkAnd(::testing::AllOf(::testing::Field(&OffsetRange::first, 0),
                                                  ::testing::Field(&OffsetRange::end, 100))));
    EXPECT_THAT(member.client().Take(7, 10),
                Refuses(Code::kFailedPrecondition, reason::kNotAssigned));
}

// Goal: after Seek nothing that was fetched before it is given out.
// Method: seek back and forth with the fetch queue full, and look at the first record each time.
TEST_F(ConsumerClientTest, SeekDropsWhatWasFetchedBefore) {
    const std::string topic = MakeTopic(broker_, 1);
    Produce(topic, 0, 0, 20'000);
    Member member(Options(topic));
    StartAt(member, 0, 0);
    for (const int target : {0, 15'000, 3, 19'990, 7'000, 0, 12'345}) {
        ASSERT_OK(member.client().Seek(0, target, 5s));
        std::vector<std::string> values;
        ASSERT_EVENTUALLY(member.Read(0, values, 10).ok() && !values.empty());
        EXPECT_EQ(values.front(), std::to_string(target));
    }
}

// Goal: an offset that is not there is refused, and never replaced by another.
// Method: begin beyond the end; and begin before what retention has removed.
TEST_F(ConsumerClientTest, OffsetOutOfRangeIsRefused) {
    const std::string topic = MakeTopic(broker_, 2);
    Produce(topic, 0, 0, 10);
    Produce(topic, 1, 0, 10);
    ASSERT_OK(DeleteRecordsBefore(Connection(broker_), topic, 1, 5, 30s));
    Member member(Options(topic));
    StartAt(member, 0, 1'000);
    StartAt(member, 1, 2);
    std::vector<std::string> values;
    for (const int partition : {0, 1}) {
        EXPECT_EVENTUALLY(member.Read(partition, values).reason() == reason::kOffsetOutOfRange);
    }
    EXPECT_TRUE(values.empty());
}

// Goal: members share the partitions, and one that leaves hands its own over.
TEST_F(ConsumerClientTest, FollowsTheGroup) {
    const std::string topic = MakeTopic(broker_, 6);
    Member first(Options(topic));
    ASSERT_EVENTUALLY(first.assigned().size() == 6);
    {
        Member second(Options(topic));
        ASSERT_EVENTUALLY(first.assigned().size() == 3 && second.assigned().size() == 3);
        for (const int partition : second.assigned()) {
            EXPECT_FALSE(first.assigned().contains(partition));
            EXPECT_THAT(first.client().Take(partition, 1),
                        Refuses(Code::kFailedPrecondition, reason::kNotAssigned));
        }
    }
    EXPECT_EVENTUALLY(first.assigned().size() == 6);
}

TEST(ConsumerClientStatisticsTest, Arrive) {
    struct Keep final : StatisticsListener {
        void OnStatistics(const Statistics& statistics) override {
            if (statistics.brokers_up > 0) seen = true;
        }
        std::atomic<bool> seen{false};
    } keep;
    struct Ignore final : AssignmentListener {
        void OnAssigned(std::span<const int>) override {}
        void OnRevoked(std::span<const int>, bool) override {}
        void OnReadable(int) override {}
    } ignore;
    KafkaBroker& broker = KafkaBroker::Shared();
    ConsumerClientOptions options;
    options.connection = Connection(broker);
    options.connection.statistics_every = 100ms;
    options.group = testing::UniqueName("group");
    options.topic = MakeTopic(broker, 1);
    ASSERT_OK_AND_ASSIGN(const auto client, ConsumerClient::Create(options, ignore, &keep));
    EXPECT_EVENTUALLY(client->Poll(50ms).ok() && keep.seen);
}

}  // namespace
}  // namespace kessai::kafka
