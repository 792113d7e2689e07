#include "bench/release/release_bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "bench/release/bulk_day.h"
#include "kessai/kafka/topic_admin.h"
#include "kessai/mysql/migration.h"
#include "kessai/testing/kafka_broker.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/mysql_server.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

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

/// Stands for Spark: takes the arguments of the job, and does `work`, a shell's words, with the
/// database's client as "sql", the scratch table as $releases.
std::vector<std::string> InPlaceOfSpark(const testing::TempDir& folder, const std::string& work) {
    return {"sh", "-e", folder.Write("submit", R"sh(
while [ $# -gt 0 ]; do
    case $1 in
        --jdbc-url) url=${2#jdbc:mysql://}; schema=${url#*/}; port=${url%/*}; port=${port#*:} ;;
        --user) user=$2 ;;
        --password-file) password=$(cat "$2") ;;
        --releases) releases=$2 ;;
        --times) times=$2 ;;
    esac
    shift
done
sql() {
    MYSQL_PWD=$password mariadb --no-defaults -h 127.0.0.1 -P "$port" -u "$user" "$schema" -e "$1"
}
)sh" + work)};
}

constexpr char kSameRows[] = R"sh(
sql "INSERT INTO $releases SELECT * FROM merchant_release"
printf 'started 3\nreleased 9.5\nrecounted 7.5\nparquet_cold 4\nparquet_warm 2\n' > "$times"
)sh";

// Goal: Spark is a rival like the others: its rows are looked at, and what it tells is reported.
// Method: a program in its place; the job itself is tested where Spark is
// (services/payout/spark/tests).
TEST(ReleaseBenchTest, SparkIsHeldAgainstTheRelease) {
    const testing::TempDir folder;
    ReleaseOptions options = SmallDay(Skew::kZipf);
    options.bulk = true;
    options.spark_command = InPlaceOfSpark(folder, kSameRows);
    const auto schema = testing::MysqlServer::Shared().CreateSchema();
    ASSERT_OK_AND_ASSIGN(const ReleaseReport report, MeasureRelease(options, schema->options()));
    EXPECT_THAT(report.wrong, IsEmpty());
    const Contender* spark = report.Find("spark");
    ASSERT_NE(spark, nullptr);
    EXPECT_TRUE(spark->equal);
    EXPECT_EQ(spark->seconds, 9.5);
    EXPECT_THAT(spark->also, ElementsAre(Pair("without_writing", 7.5), Pair("parquet", 2.0)));

    options.spark_command = InPlaceOfSpark(
        folder, std::string(kSameRows) +
                    "sql \"UPDATE $releases SET tax = tax + 1, net = net - 1 LIMIT 1\"\n");
    const auto other = testing::MysqlServer::Shared().CreateSchema();
    ASSERT_OK_AND_ASSIGN(const ReleaseReport wrong, MeasureRelease(options, other->options()));
    EXPECT_THAT(wrong.wrong, ElementsAre("the rows of spark are not the release's"));
}

TEST(ReleaseBenchTest, SparkThatFailsIsNamed) {
    const testing::TempDir folder;
    ReleaseOptions options = SmallDay(Skew::kZipf);
    options.bulk = true;
    for (const auto& [work, words] : std::vector<std::pair<std::string, std::string>>{
             {"echo refused: DAY_OPEN; exit 2\n", "ended with 2: refused: DAY_OPEN"},
             {"echo released 1 > \"$times\"\n", "does not tell of started"}}) {
        options.spark_command = InPlaceOfSpark(folder, work);
        const auto schema = testing::MysqlServer::Shared().CreateSchema();
        const auto report = MeasureRelease(options, schema->options());
        ASSERT_FALSE(report.ok());
        EXPECT_EQ(report.status().reason(), "SPARK_FAILED");
        EXPECT_THAT(std::string(report.status().message()), HasSubstr(words));
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

// Goal: a day that is not the cycle's first adds to what is there.
TEST(ReleaseBenchTest, LaterDayAddsToBalances) {
    const auto schema = testing::MysqlServer::Shared().CreateSchema();
    ReleaseOptions options = SmallDay(Skew::kZipf);
    options.bulk = true;
    options.later_day = true;
    ASSERT_OK_AND_ASSIGN(const ReleaseReport report, MeasureRelease(options, schema->options()));
    EXPECT_THAT(report.wrong, IsEmpty());
    EXPECT_THAT(report.contenders, IsEmpty());
}

// Goal: damage is where it was planted: the sums show what they can, the deep run the rest, and the
// audit is clean when the rows are put back.
// Method: every kind of damage five times; the proof's own checks, and its numbers.
TEST(ReleaseBenchTest, DamageIsHeldBackOrFoundDeep) {
    const auto schema = testing::MysqlServer::Shared().CreateSchema();
    ReleaseOptions options = SmallDay(Skew::kZipf);
    options.bulk = true;
    options.damage = 5 * kDamageKinds;
    ASSERT_OK_AND_ASSIGN(const ReleaseReport report, MeasureRelease(options, schema->options()));
    EXPECT_THAT(report.wrong, IsEmpty());
    ASSERT_TRUE(report.damage.has_value());
    // Of six visible kinds one damages two merchants.
    EXPECT_EQ(report.damage->visible, 35);
    EXPECT_EQ(report.damage->held_back, 35);
    EXPECT_EQ(report.damage->released, 3'000 - 35);
    EXPECT_EQ(report.damage->released_later, 35);
    EXPECT_EQ(report.damage->hidden, 10);
    EXPECT_EQ(report.damage->found_deep, 10);
    ASSERT_TRUE(report.audit.has_value());
    EXPECT_THAT(report.audit->looked_at, ::testing::Contains("20000 accruals"));
}

// Goal: what the damage is for is checked: were it not found, the bench would say so.
// Method: rows that nobody damaged on purpose differ too.
TEST(ReleaseBenchTest, DamageThatWasNotPlantedIsWrong) {
    const auto schema = testing::MysqlServer::Shared().CreateSchema();
    mysql::Pool pool({.connect = schema->options(), .sessions_max = 8});
    const BusinessDate date = BusinessDate::FromNumber(20261102).value();
    const GeneratedDay day({date, 20'000, 3'000, Skew::kUniform, 1});
    ASSERT_OK_AND_ASSIGN(auto session, pool.Acquire(kSessionWithin));
    ASSERT_OK(mysql::Migrate(*session, PayoutMigrations()));
    ASSERT_OK(LoadDay(pool, day, 2).status());
    MeasuredPayout payout(pool, 2);
    ASSERT_OK(payout.close_day().RunOnce().status());
    ASSERT_OK(RunSql(*session, "UPDATE accrual SET fee = fee + 1 WHERE fee > 0 LIMIT 1"));
    ASSERT_OK_AND_ASSIGN(
        const DamageProof proof,
        ProveDamageIsFound(*session, payout, date, kDamageKinds, 1, [](const std::string&) {}));
    EXPECT_THAT(proof.wrong,
                ::testing::Contains(::testing::HasSubstr("is held back, and nothing is wrong")));
}

// Goal: a release that is killed and resumed leaves what an untouched one leaves.
// Method: the same day twice, the second time by processes that are killed.
TEST(ReleaseBenchTest, KillsChangeNothing) {
    const auto schema = testing::MysqlServer::Shared().CreateSchema();
    ReleaseOptions options = SmallDay(Skew::kZipf);
    options.bulk = true;
    options.recipe.accruals = 200'000;
    options.recipe.merchants = 60'000;
    options.kills = 2;
    options.releaser = {KESSAI_RELEASE_BENCH, "--only-release", "--bulk"};
    const mysql::ConnectOptions& connect = schema->options();
    ::setenv("KESSAI_BENCH_MYSQL",
             ("mysql://" + connect.user + ":" + connect.password + "@" + connect.host + ":" +
              std::to_string(connect.port) + "/" + connect.schema)
                 .c_str(),
             1);
    ASSERT_OK_AND_ASSIGN(const ReleaseReport report, MeasureRelease(options, connect));
    EXPECT_THAT(report.wrong, IsEmpty());
    ASSERT_TRUE(report.kills.has_value());
    EXPECT_GE(report.kills->in_recount + report.kills->in_writing, 1);
    EXPECT_EQ(report.kills->chunks, 6);  // of 10,000 merchants
    EXPECT_TRUE(report.kills->equal);
}

}  // namespace
}  // namespace kessai::bench
