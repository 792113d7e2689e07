#include "bench/release/release_bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kessai/kafka/topic_admin.h"
#include "kessai/testing/kafka_broker.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/mysql_server.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::bench {
namespace {

using ::testing::IsEmpty;

ReleaseOptions SmallDay(Skew skew) {
    ReleaseOptions options;
    options.recipe = {BusinessDate::FromNumber(20261102).value(), 20'000, 3'000, skew, 1};
    options.old_sample = 50;
    options.settle_seconds_max = 0;  // no times are looked at
    return options;
}

/// What is true of every report: nothing wrong, and every rival did the same.
void ExpectRight(const ReleaseReport& report) {
    EXPECT_THAT(report.wrong, IsEmpty());
    EXPECT_EQ(report.facts.accruals, 20'000);
    EXPECT_EQ(report.facts.merchants, 3'000);
    EXPECT_EQ(report.times.rows, 20'000);
    ASSERT_EQ(report.contenders.size(), 2u);
    for (const Contender& contender : report.contenders) {
        EXPECT_TRUE(contender.equal) << contender.name;
        EXPECT_GT(contender.seconds, 0) << contender.name;
    }
    EXPECT_GT(report.release_seconds, 0);
    EXPECT_GT(report.peak_rss_mib, 0);
}

// Goal: the bench makes, closes and releases a day, and its rivals come to the same rows: results
// only, no times.
// Method: a small day of every skew, straight into the tables of a real server.
TEST(ReleaseBenchTest, BulkDayIsReleasedAsAccrued) {
    for (const Skew skew : {Skew::kZipf, Skew::kUniform, Skew::kHalf}) {
        const auto schema = testing::MysqlServer::Shared().CreateSchema();
        ReleaseOptions options = SmallDay(skew);
        options.bulk = true;
        ASSERT_OK_AND_ASSIGN(const ReleaseReport report,
                             MeasureRelease(options, schema->options()));
        ExpectRight(report);
        EXPECT_EQ(report.ingest_seconds, 0);
    }
}

// Goal: the same day through Kafka and payout's consumer is the same day.
// Method: both ways of making it, on the same seed; what was generated and what was released agree.
TEST(ReleaseBenchTest, IngestedDayIsTheBulkDay) {
    const auto schema = testing::MysqlServer::Shared().CreateSchema();
    ReleaseOptions options = SmallDay(Skew::kZipf);
    options.brokers = testing::KafkaBroker::Shared().address();
    options.topic = testing::UniqueName("payment_events");
    kafka::ConnectionOptions connection;
    connection.brokers = options.brokers;
    ASSERT_OK(kafka::CreateTopic(connection, {.name = options.topic, .partitions = kPartitions},
                                 std::chrono::seconds(30)));
    ASSERT_OK_AND_ASSIGN(const ReleaseReport ingested, MeasureRelease(options, schema->options()));
    ExpectRight(ingested);
    EXPECT_GT(ingested.ingest_seconds, 0);

    const auto other = testing::MysqlServer::Shared().CreateSchema();
    options.bulk = true;
    options.rivals = false;
    ASSERT_OK_AND_ASSIGN(const ReleaseReport bulk, MeasureRelease(options, other->options()));
    EXPECT_EQ(ingested.facts, bulk.facts);
}

}  // namespace
}  // namespace kessai::bench
