#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "kessai/kafka/consumer_client.h"
#include "kessai/kafka/producer.h"
#include "read_statistics.h"

namespace kessai::kafka {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class CountDeliveries final : public DeliveryListener {
 public:
    void OnDeliveries(std::span<const Delivery> deliveries) override {
        for (const Delivery& delivery : deliveries) {
            ++total;
            if (delivery.status.reason() == reason::kPurged) ++purged;
        }
    }
    std::atomic<int> total{0};
    std::atomic<int> purged{0};
};

// Nothing listens on port 1.
ProducerOptions Unreachable() {
    ProducerOptions options;
    options.connection.brokers = "127.0.0.1:1";
    return options;
}

TEST(ProducerTest, RefusesOptionsByName) {
    CountDeliveries deliveries;
    ProducerOptions options;
    EXPECT_EQ(Producer::Create(options, deliveries).status().reason(), reason::kOptionInvalid);

    options = Unreachable();
    options.connection.tls_ca_file = "/does/not/exist.pem";
    const auto producer = Producer::Create(options, deliveries);
    EXPECT_EQ(producer.status().reason(), reason::kOptionInvalid);
    EXPECT_THAT(std::string(producer.status().message()), HasSubstr("ssl.ca.location"));
}

// Goal: no message's fate is lost, and nothing hangs, when no broker can be reached.
// Method: queue messages for a dead address; purge, then destroy with more of them waiting.
TEST(ProducerTest, ReportsEveryMessageWithoutABroker) {
    CountDeliveries deliveries;
    {
        const auto producer = Producer::Create(Unreachable(), deliveries);
        ASSERT_TRUE(producer.ok());
        for (std::uint64_t i = 0; i < 100; ++i) {
            ASSERT_TRUE((*producer)->Produce({.topic = "t", .value = "v", .token = i}).ok());
        }
        EXPECT_EQ((*producer)->Flush(std::chrono::milliseconds(20)).code(),
                  Code::kDeadlineExceeded);
        (*producer)->Purge();
        EXPECT_TRUE((*producer)->Flush(std::chrono::seconds(10)).ok());
        EXPECT_EQ(deliveries.purged, 100);
        for (std::uint64_t i = 0; i < 50; ++i) {
            ASSERT_TRUE((*producer)->Produce({.topic = "t", .value = "v", .token = i}).ok());
        }
    }
    EXPECT_EQ(deliveries.purged, 150);
    EXPECT_EQ(deliveries.total, 150);
}

TEST(ProducerTest, RefusesWhatDoesNotFit) {
    CountDeliveries deliveries;
    ProducerOptions options = Unreachable();
    options.queue_messages_max = 10;
    options.message_bytes_max = 5'000;
    const auto producer = Producer::Create(options, deliveries);
    ASSERT_TRUE(producer.ok());
    const std::string large(6'000, 'x');
    EXPECT_EQ((*producer)->Produce({.topic = "t", .value = large}).reason(),
              reason::kMessageTooLarge);
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE((*producer)->Produce({.topic = "t", .value = "v"}).ok());
    }
    const Status full = (*producer)->Produce({.topic = "t", .value = "v"});
    EXPECT_EQ(full.code(), Code::kResourceExhausted);
    EXPECT_EQ(full.reason(), reason::kQueueFull);
}

TEST(StatisticsTest, ReadsWhatMatters) {
    const auto statistics = ReadStatistics(R"({
        "msg_cnt": 7, "msg_size": 900,
        "brokers": {
            "a:9092/bootstrap": {"nodeid": -1, "state": "UP", "txerrs": 100},
            "a:9092/1": {"nodeid": 1, "state": "UP", "waitresp_cnt": 2, "txerrs": 3,
                         "txretries": 4, "req_timeouts": 5, "rtt": {"p99": 1500}},
            "b:9092/2": {"nodeid": 2, "state": "CONNECT", "rtt": {"p99": 900}}},
        "topics": {"t": {"partitions": {
            "3": {"partition": 3, "fetchq_cnt": 11, "hi_offset": 42},
            "-1": {"partition": -1, "fetchq_cnt": 0, "hi_offset": -1001}}}}})");
    ASSERT_TRUE(statistics.has_value());
    EXPECT_EQ(statistics->queued_messages, 7);
    EXPECT_EQ(statistics->queued_bytes, 900);
    EXPECT_EQ(statistics->brokers_up, 1);
    EXPECT_EQ(statistics->requests_in_flight, 2);
    EXPECT_EQ(statistics->request_errors_total, 3);
    EXPECT_EQ(statistics->request_retries_total, 4);
    EXPECT_EQ(statistics->request_timeouts_total, 5);
    EXPECT_EQ(statistics->round_trip_p99, Duration(1500));
    ASSERT_THAT(statistics->partitions, SizeIs(1));
    EXPECT_EQ(statistics->partitions[0].partition, 3);
    EXPECT_EQ(statistics->partitions[0].fetched_messages, 11);
    EXPECT_EQ(statistics->partitions[0].end_offset, 42);
    EXPECT_FALSE(ReadStatistics("not json").has_value());
    EXPECT_FALSE(ReadStatistics("[1]").has_value());
}

}  // namespace
}  // namespace kessai::kafka
