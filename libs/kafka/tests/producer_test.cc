#include "kessai/kafka/producer.h"

#include <algorithm>
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

ProducerOptions Options(const KafkaBroker& broker) {
    ProducerOptions options;
    options.connection = Connection(broker);
    return options;
}

// Reads a partition from its beginning until it has `count` messages.
std::vector<std::string> ReadAll(const KafkaBroker& broker, const std::string& topic, int partition,
                                 std::size_t count) {
    ConsumerClientOptions options;
    options.connection = Connection(broker);
    options.group = testing::UniqueName("readers");
    options.topic = topic;
    Member member(options);
    std::vector<std::string> values;
    EXPECT_EVENTUALLY(member.assigned().contains(partition));
    EXPECT_EVENTUALLY(member.client().Seek(partition, 0, std::chrono::seconds(5)).ok());
    EXPECT_EVENTUALLY(member.Read(partition, values).ok() && values.size() >= count);
    return values;
}

TEST(ProducerTest, StoresInTheOrderOfProduceWhereItIsTold) {
    KafkaBroker& broker = KafkaBroker::Shared();
    const std::string topic = MakeTopic(broker, 3);
    KeepDeliveries deliveries;
    ASSERT_OK_AND_ASSIGN(const auto producer, Producer::Create(Options(broker), deliveries));
    std::vector<std::string> expected;
    for (std::uint64_t i = 0; i < 5'000; ++i) {
        expected.push_back("value " + std::to_string(i));
        ASSERT_OK(producer->Produce(
            {.topic = topic, .partition = 1, .key = "k", .value = expected.back(), .token = i}));
    }
    ASSERT_OK(producer->Flush(std::chrono::seconds(30)));

    const std::vector<Delivery> kept = deliveries.kept();
    ASSERT_EQ(kept.size(), expected.size());
    for (std::size_t i = 0; i < kept.size(); ++i) {
        EXPECT_THAT(kept[i].status, IsOk());
        EXPECT_EQ(kept[i].token, i);
        EXPECT_EQ(kept[i].offset, static_cast<std::int64_t>(i));
    }
    EXPECT_EQ(ReadAll(broker, topic, 1, expected.size()), expected);
}

TEST(ProducerTest, CountsPartitions) {
    KafkaBroker& broker = KafkaBroker::Shared();
    const std::string topic = MakeTopic(broker, 5);
    KeepDeliveries deliveries;
    ASSERT_OK_AND_ASSIGN(const auto producer, Producer::Create(Options(broker), deliveries));
    EXPECT_THAT(producer->PartitionCount(topic, std::chrono::seconds(10)), testing::IsOkAnd(5));
    EXPECT_THAT(producer->PartitionCount(topic + "_unknown", std::chrono::seconds(10)),
                Refuses(Code::kNotFound, reason::kTopicUnknown));
    EXPECT_THAT(
        CreateTopic(Connection(broker), {.name = topic, .partitions = 5}, std::chrono::seconds(10)),
        IsOk());
    EXPECT_THAT(
        CreateTopic(Connection(broker), {.name = topic, .partitions = 6}, std::chrono::seconds(10)),
        Refuses(Code::kFailedPrecondition, "KAFKA_TOPIC_DIFFERS"));
}

// Goal: an outage of the broker fails, loses, repeats and reorders nothing.
// Method: a broker of our own is killed with messages on their way, more are produced while it is
// down, and it is started again.
TEST(ProducerTest, WaitsOutABrokerThatWasKilled) {
    if (!KafkaBroker::CanLaunch()) GTEST_SKIP() << "KESSAI_TEST_KAFKA_JARS is not set";
    const auto broker = KafkaBroker::Launch();
    const std::string topic = MakeTopic(*broker, 1);
    KeepDeliveries deliveries;
    ASSERT_OK_AND_ASSIGN(const auto producer, Producer::Create(Options(*broker), deliveries));
    std::vector<std::string> expected;
    const auto produce = [&](int count) {
        for (int i = 0; i < count; ++i) {
            expected.push_back(std::to_string(expected.size()));
            ASSERT_OK(producer->Produce({.topic = topic, .value = expected.back()}));
        }
    };
    produce(2'000);
    ASSERT_EVENTUALLY(deliveries.size() > 0);
    produce(2'000);
    broker->Kill9();
    produce(2'000);
    broker->Start();
    produce(100);
    ASSERT_OK(producer->Flush(std::chrono::seconds(60)));
    const auto kept = deliveries.kept();
    EXPECT_TRUE(std::ranges::all_of(kept, [](const Delivery& d) { return d.status.ok(); }));
    EXPECT_EQ(ReadAll(*broker, topic, 0, expected.size()), expected);
}

}  // namespace
}  // namespace kessai::kafka
