#include "kessai/outbox/relay.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "kessai/event/bucket.h"
#include "kessai/kafka/consumer_client.h"
#include "kessai/kafka/topic_admin.h"
#include "kessai/lease/lease_table.h"
#include "kessai/metrics/registry.h"
#include "kessai/mysql/migration.h"
#include "kessai/mysql/pool.h"
#include "kessai/mysql/transaction.h"
#include "kessai/outbox/outbox_table.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/kafka_broker.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/mysql_server.h"
#include "kessai/testing/tcp_proxy.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::outbox {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::Eventually;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::KafkaBroker;
using testing::MysqlSchema;
using testing::MysqlServer;
using testing::Refuses;

constexpr int kPartitions = 6;
const BusinessDate kDay = *BusinessDate::Parse("2026-11-22");

kafka::ConnectionOptions Connection(const std::string& brokers) {
    kafka::ConnectionOptions connection;
    connection.brokers = brokers;
    connection.statistics_every = 200ms;
    return connection;
}

/// A message as it stands in the topic.
struct Stored {
    int partition = 0;
    std::string key;
    std::string value;
    std::string traceparent;
};

/// Reads everything of a topic, from its beginning.
class TopicReader final : kafka::AssignmentListener {
 public:
    TopicReader(const std::string& brokers, const std::string& topic) {
        kafka::ConsumerClientOptions options;
        options.connection = Connection(brokers);
        options.group = testing::UniqueName("readers");
        options.topic = topic;
        auto created = kafka::ConsumerClient::Create(options, *this);
        EXPECT_THAT(created, IsOk());
        client_ = std::move(created).value();
        // Offsets are looked for between polls, by this one thread.
        EXPECT_EVENTUALLY(client_->Poll(10ms).ok() && assigned_.size() == kPartitions);
        for (const int partition : assigned_) {
            EXPECT_EVENTUALLY(client_->Seek(partition, 0, 1s).ok());
        }
    }
    ~TopicReader() override { client_->Close(); }

    /// Everything so far, in order per partition.
    const std::vector<Stored>& Read() {
        (void)client_->Poll(1ms);
        for (int partition = 0; partition < kPartitions; ++partition) {
            const auto batch = client_->Take(partition, 10'000);
            if (!batch.ok()) continue;
            for (const kafka::Record& record : batch->records()) {
                stored_.push_back({partition, std::string(record.key), std::string(record.value),
                                   std::string(record.traceparent)});
            }
        }
        return stored_;
    }

 private:
    void OnAssigned(std::span<const int> partitions) override {
        assigned_.insert(partitions.begin(), partitions.end());
    }
    void OnRevoked(std::span<const int>, bool) override {}
    void OnReadable(int) override {}

    std::unique_ptr<kafka::ConsumerClient> client_;
    std::set<int> assigned_;
    std::vector<Stored> stored_;
};

/// "<object>:<version>", so that a topic can be checked by itself.
std::string ValueOf(std::int64_t object, int version) {
    return std::to_string(object) + ":" + std::to_string(version);
}

/// The first occurrences of each object's versions, in the order of the topic.
std::map<std::string, std::vector<int>> FirstOccurrences(const std::vector<Stored>& stored) {
    std::map<std::string, std::vector<int>> versions;
    for (const Stored& message : stored) {
        const auto colon = message.value.find(':');
        if (colon == std::string::npos) continue;
        std::vector<int>& seen = versions[message.value.substr(0, colon)];
        const int version = std::stoi(message.value.substr(colon + 1));
        if (std::ranges::find(seen, version) == seen.end()) seen.push_back(version);
    }
    return versions;
}

class RelayTest : public ::testing::Test {
 protected:
    RelayTest() {
        mysql::PoolOptions pool;
        pool.connect = schema_->options();
        pool.sessions_max = 16;
        pool_ = std::make_unique<mysql::Pool>(pool);
        auto session = pool_->Acquire(5s);
        EXPECT_THAT(session, IsOk());
        const std::vector<mysql::MigrationSet> sets{Migrations(), lease::Migrations()};
        EXPECT_OK(mysql::Migrate(**session, sets));
        UseBroker(KafkaBroker::Shared().address());
    }

    void UseBroker(const std::string& brokers) {
        brokers_ = brokers;
        EXPECT_OK(kafka::CreateTopic(Connection(brokers_),
                                     {.name = topic_, .partitions = kPartitions}, 30s));
    }

    RelayOptions Options() const {
        RelayOptions options;
        options.topics = {{topic_, kPartitions}};
        options.producer.connection = Connection(brokers_);
        options.lease_duration = 2s;
        options.lease_renew_every = 200ms;
        options.lease_margin = 500ms;
        options.poll_every = 20ms;
        options.delete_every = 10ms;
        return options;
    }

    std::unique_ptr<Relay> StartRelay(const RelayOptions& options, DeleteHook hook = {}) {
        auto relay = std::make_unique<Relay>(options, *pool_, metrics_, std::move(hook));
        relay->Start();
        return relay;
    }

    mysql::Lease Session() {
        auto session = pool_->Acquire(5s);
        EXPECT_THAT(session, IsOk());
        return std::move(session).value();
    }

    // Writes one batch under the next row id.
    void Write(std::initializer_list<std::pair<std::int64_t, int>> changes) {
        BatchWriter writer;
        for (const auto& [object, version] : changes) {
            ASSERT_OK(writer.Add({.object_id = object, .envelope = ValueOf(object, version)}));
        }
        auto session = Session();
        ASSERT_OK(writer.Store(*session, NextRowId(), kDay));
    }

    std::int64_t NextRowId() { return next_row_id_.fetch_add(10); }

    std::int64_t RowsLeft() {
        auto session = Session();
        const auto rows = CountRowsUpTo(*session, kDay);
        return rows.ok() ? *rows : -1;
    }

    const std::unique_ptr<MysqlSchema> schema_ = MysqlServer::Shared().CreateSchema();
    const std::string topic_ = testing::UniqueName("outbox");
    std::string brokers_;
    std::unique_ptr<mysql::Pool> pool_;
    metrics::Registry metrics_;
    std::atomic<std::int64_t> next_row_id_{1'000};
};

TEST_F(RelayTest, PublishesInOrderAndDeletesExactlyWhatItPublished) {
    TopicReader reader(brokers_, topic_);
    BatchWriter writer;
    ASSERT_OK(
        writer.Add({.object_id = 7,
                    .envelope = ValueOf(7, 1),
                    .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}));
    for (int partition = 0; partition < kPartitions; ++partition) {
        ASSERT_OK(writer.Add({.envelope = "mark", .partition = partition}));
    }
    const std::int64_t row_id = NextRowId();
    {
        auto session = Session();
        ASSERT_OK(writer.Store(*session, row_id, kDay));
        EXPECT_THAT(HasRow(*session, row_id), testing::IsOkAnd(true));
        EXPECT_THAT(CountRowsUpTo(*session, kDay.Previous()), testing::IsOkAnd(0));
    }
    EXPECT_EQ(RowsLeft(), ShardOf(7) == ShardOf(0) ? 1 : 2);
    Write({{7, 2}, {8, 1}});
    Write({{8, 2}, {7, 3}, {9, 1}});

    const auto relay = StartRelay(Options());
    ASSERT_EVENTUALLY(RowsLeft() == 0);
    ASSERT_EVENTUALLY(reader.Read().size() >= 6u + kPartitions);
    EXPECT_OK(relay->Health());

    std::map<std::string, std::vector<std::string>> by_key;
    std::set<int> marked;
    for (const Stored& message : reader.Read()) {
        if (message.value == "mark") {
            EXPECT_EQ(message.key, "");
            marked.insert(message.partition);
            continue;
        }
        EXPECT_EQ(message.partition, event::PartitionOf(std::stoll(message.key), kPartitions));
        EXPECT_EQ(message.traceparent.empty(), message.value != "7:1");
        by_key[message.key].push_back(message.value);
    }
    EXPECT_EQ(marked.size(), static_cast<std::size_t>(kPartitions));
    EXPECT_THAT(by_key["7"], ElementsAre("7:1", "7:2", "7:3"));
    EXPECT_THAT(by_key["8"], ElementsAre("8:1", "8:2"));
    EXPECT_THAT(by_key["9"], ElementsAre("9:1"));
    auto session = Session();
    EXPECT_THAT(HasRow(*session, row_id), testing::IsOkAnd(false));
    EXPECT_THAT(OldestAge(*session), testing::IsOkAnd(Duration::zero()));
}

// Goal: notified, the relay does not wait for its next look.
// Method: a poll interval far beyond the test's deadline.
TEST_F(RelayTest, NotifyWakesIt) {
    RelayOptions options = Options();
    options.poll_every = 1h;
    const auto relay = StartRelay(options);
    ASSERT_EVENTUALLY(relay->Health().ok());
    // The leases' callbacks wake it too: give those time to be over by one full round.
    Write({{1, 1}});
    relay->Notify(~0u);
    ASSERT_EVENTUALLY(RowsLeft() == 0);
    Write({{1, 2}, {2, 1}});
    relay->Notify(~0u);
    EXPECT_EVENTUALLY(RowsLeft() == 0);
}

// Goal: a row whose id is lower than what was published already is still published, and nothing
// waits for a high-water mark. Method: a transaction draws its row id first and commits last.
TEST_F(RelayTest, PublishesALowerRowThatAppearsLate) {
    TopicReader reader(brokers_, topic_);
    const auto relay = StartRelay(Options());
    const std::int64_t early_id = NextRowId();
    Write({{1, 1}, {2, 1}, {3, 1}, {4, 1}});
    ASSERT_EVENTUALLY(RowsLeft() == 0);
    BatchWriter late;
    for (std::int64_t object = 11; object < 15; ++object) {
        ASSERT_OK(late.Add({.object_id = object, .envelope = ValueOf(object, 1)}));
    }
    auto session = Session();
    ASSERT_OK(late.Store(*session, early_id, kDay));
    ASSERT_EVENTUALLY(RowsLeft() == 0);
    EXPECT_EVENTUALLY(FirstOccurrences(reader.Read()).size() == 8);
}

// Goal: the hook sees each message once in a transaction that commits, whatever fails around it.
// Method: the hook adds up in a table; it refuses every third time, and two relays overlap by
// taking their shards from different lease groups, as a relay that paused and its successor do.
TEST_F(RelayTest, HookCountsEachMessageOnce) {
    {
        auto session = Session();
        static constexpr mysql::Query kMake{
            "test.make",
            "CREATE TABLE seen (object_id BIGINT, version INT, PRIMARY KEY "
            "(object_id, version))"};
        ASSERT_OK(session->Execute(kMake));
    }
    std::atomic<int> calls{0};
    std::atomic<int> repeats{0};
    const DeleteHook hook = [&](mysql::Session& session,
                                std::span<const Published> published) -> Status {
        static constexpr mysql::Query kInsert{"test.insert", "INSERT INTO seen VALUES {rows}"};
        mysql::RowList rows;
        for (const Published& message : published) {
            const std::string value(message.envelope);
            rows.Add(message.object_id, std::stoi(value.substr(value.find(':') + 1)));
            EXPECT_EQ(message.business_date, kDay);
            EXPECT_EQ(message.shard, ShardOf(message.object_id));
        }
        const Status status = session.Execute(kInsert, rows).status();
        if (status.reason() == "DUPLICATE_KEY") ++repeats;
        KESSAI_RETURN_IF_ERROR(status);
        if (++calls % 3 == 0) return Status(Code::kUnavailable, "TEST", "every third time");
        return OkStatus();
    };
    RelayOptions other = Options();
    other.lease_group = "another";
    const auto first = StartRelay(Options(), hook);
    const auto second = StartRelay(other, hook);
    constexpr int kVersions = 100;
    for (int version = 1; version <= kVersions; ++version) {
        Write({{1, version}, {2, version}, {3, version}, {4, version}, {5, version}});
    }
    ASSERT_EVENTUALLY(RowsLeft() == 0);
    auto session = Session();
    static constexpr mysql::Query kCount{"test.count", "SELECT COUNT(*) FROM seen"};
    auto rows = session->Select(kCount);
    ASSERT_OK(rows);
    rows->Next();
    EXPECT_EQ(rows->Int(0), 5 * kVersions);
    EXPECT_EQ(repeats, 0);
}

// Goal: the first occurrences of every object's events are in order, though relays overlap, die
// with rows on their way, and rows appear in another order than their ids. Method: objects change
// in transactions that lock them, as an executor does, on several threads; relays are started and
// stopped without draining all the while, two at a time on the same shards; then the topic is read.
TEST_F(RelayTest, OrderPerObjectSurvivesRelaysThatOverlapAndDie) {
    constexpr int kObjects = 40;
    constexpr int kWriters = 3;
    constexpr int kBatches = 150;
    TopicReader reader(brokers_, topic_);
    {
        auto session = Session();
        static constexpr mysql::Query kMake{
            "test.make", "CREATE TABLE object (id BIGINT PRIMARY KEY, version INT NOT NULL)"};
        static constexpr mysql::Query kFill{"test.fill", "INSERT INTO object VALUES {rows}"};
        ASSERT_OK(session->Execute(kMake));
        mysql::RowList rows;
        for (int object = 1; object <= kObjects; ++object) rows.Add(object, 0);
        ASSERT_OK(session->Execute(kFill, rows));
    }
    const std::uint64_t seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));

    // One transaction: lock some objects, draw the row id, change them, write the outbox.
    const auto change = [&](mysql::Session& session, std::mt19937_64& random) -> Status {
        static constexpr mysql::Query kLock{
            "test.lock",
            "SELECT id, version FROM object WHERE id IN ({keys}) ORDER BY id FOR UPDATE"};
        static constexpr mysql::Query kStore{
            "test.store",
            "INSERT INTO object VALUES {rows} ON DUPLICATE KEY UPDATE version = "
            "VALUES(version)"};
        std::set<std::int64_t> ids;
        while (ids.size() < 6) ids.insert(static_cast<std::int64_t>(random() % kObjects + 1));
        mysql::KeyList keys(ids);
        KESSAI_ASSIGN_OR_RETURN(mysql::Rows locked, session.Select(kLock, keys));
        const std::int64_t row_id = NextRowId();
        mysql::RowList rows;
        BatchWriter writer;
        while (locked.Next()) {
            const int version = static_cast<int>(locked.Int(1)) + 1;
            rows.Add(locked.Int(0), version);
            KESSAI_RETURN_IF_ERROR(writer.Add(
                {.object_id = locked.Int(0), .envelope = ValueOf(locked.Int(0), version)}));
        }
        KESSAI_RETURN_IF_ERROR(session.Execute(kStore, rows));
        return writer.Store(session, row_id, kDay);
    };
    std::atomic<int> running{kWriters};
    std::vector<std::jthread> writers;
    for (int i = 0; i < kWriters; ++i) {
        writers.emplace_back([&, i] {
            std::mt19937_64 random(seed + static_cast<std::uint64_t>(i));
            for (int batch = 0; batch < kBatches; ++batch) {
                EXPECT_OK(mysql::InTransaction(
                    *pool_, {}, [&](mysql::Session& session) { return change(session, random); }));
            }
            --running;
        });
    }
    RelayOptions options = Options();
    options.rows_per_read = 3;
    int lives = 0;
    while (running > 0 || lives < 6) {
        RelayOptions first = options;
        first.lease_group = "a" + std::to_string(lives);
        RelayOptions second = options;
        second.lease_group = "b" + std::to_string(lives);
        const auto a = StartRelay(first);
        const auto b = StartRelay(second);
        // Until both publish; then they go with what is on its way.
        ASSERT_EVENTUALLY(a->Health().ok() && b->Health().ok());
        Write({{kObjects + 1 + lives, 1}});
        ASSERT_EVENTUALLY([&] {
            const auto seen = FirstOccurrences(reader.Read());
            return seen.contains(std::to_string(kObjects + 1 + lives));
        }());
        a->Stop(0ms);
        b->Stop(0ms);
        ++lives;
    }
    writers.clear();
    const auto last = StartRelay(Options());
    ASSERT_EVENTUALLY(RowsLeft() == 0);

    constexpr std::size_t kExpected = std::size_t{kWriters} * kBatches * 6;
    const auto count = [&] {
        std::size_t events = 0;
        for (const auto& [object, versions] : FirstOccurrences(reader.Read())) {
            if (std::stoi(object) <= kObjects) events += versions.size();
        }
        return events;
    };
    ASSERT_EVENTUALLY(count() == kExpected);
    for (const auto& [object, versions] : FirstOccurrences(reader.Read())) {
        EXPECT_TRUE(std::ranges::is_sorted(versions)) << "object " << object;
    }
    RecordProperty("lives", lives);
    RecordProperty("messages", static_cast<int>(reader.Read().size()));
}

// Goal: a relay that dies leaves its shards to another, which publishes what is left.
// Method: the first one's connection to the database freezes, so that it can neither renew nor give
// back; the second has its own.
TEST_F(RelayTest, AnotherTakesOverFromOneThatHangs) {
    testing::TcpProxy proxy(schema_->options().host, schema_->options().port);
    mysql::PoolOptions through;
    through.connect = schema_->options();
    through.connect.host = "127.0.0.1";
    through.connect.port = proxy.port();
    through.connect.read_timeout = 5s;
    mysql::Pool first_pool(through);
    metrics::Registry first_metrics;
    Relay first(Options(), first_pool, first_metrics);
    first.Start();
    Write({{1, 1}});
    ASSERT_EVENTUALLY(RowsLeft() == 0);
    proxy.Freeze(true);

    TopicReader reader(brokers_, topic_);
    Write({{1, 2}, {2, 1}, {3, 1}, {4, 1}});
    const auto second = StartRelay(Options());
    EXPECT_EVENTUALLY(RowsLeft() == 0);
    EXPECT_EVENTUALLY(FirstOccurrences(reader.Read()).size() == 4);
    // What the first does when it wakes up does no harm.
    proxy.Freeze(false);
    proxy.CutAll();
    Write({{1, 3}});
    EXPECT_EVENTUALLY(RowsLeft() == 0);
    const std::vector<int> expected{1, 2, 3};
    EXPECT_EVENTUALLY(FirstOccurrences(reader.Read())["1"] == expected);
    first.Stop(0ms);
}

// Goal: an outage of the broker costs time only.
// Method: a broker of our own is killed under load and started again.
TEST_F(RelayTest, KeepsEverythingOverABrokerThatIsKilled) {
    if (!KafkaBroker::CanLaunch()) GTEST_SKIP() << "KESSAI_TEST_KAFKA_JARS is not set";
    const auto broker = KafkaBroker::Launch();
    UseBroker(broker->address());
    RelayOptions options = Options();
    const auto relay = StartRelay(options);
    int version = 0;
    const auto write = [&](int batches) {
        for (int i = 0; i < batches; ++i) {
            ++version;
            Write({{1, version}, {2, version}, {3, version}, {4, version}});
        }
    };
    write(50);
    ASSERT_EVENTUALLY(RowsLeft() < 200);
    write(20);
    broker->Kill9();
    write(50);
    EXPECT_GT(RowsLeft(), 0);
    {
        auto session = Session();
        EXPECT_EVENTUALLY(*OldestAge(*session) > 100ms);
    }
    broker->Start();
    ASSERT_EVENTUALLY(RowsLeft() == 0);
    TopicReader reader(brokers_, topic_);
    std::vector<int> expected;
    for (int i = 1; i <= version; ++i) expected.push_back(i);
    ASSERT_EVENTUALLY([&] {
        const auto seen = FirstOccurrences(reader.Read());
        return seen.size() == 4 && std::ranges::all_of(seen, [&](const auto& object) {
                   return object.second.size() == expected.size();
               });
    }());
    for (const auto& [object, versions] : FirstOccurrences(reader.Read())) {
        EXPECT_EQ(versions, expected) << "object " << object;
    }
}

// Goal: what cannot be published stops its own shard only, and nothing overtakes it.
// Method: a row for a topic that the relay does not know; rows behind it and in other shards.
TEST_F(RelayTest, ARowThatCannotBePublishedHoldsUpItsShardOnly) {
    TopicReader reader(brokers_, topic_);
    std::int64_t other = 2;
    while (ShardOf(other) == ShardOf(1)) ++other;
    BatchWriter writer;
    ASSERT_OK(writer.Add({.object_id = 1, .envelope = ValueOf(1, 1), .topic = 9}));
    const std::int64_t bad_row = NextRowId();
    {
        auto session = Session();
        ASSERT_OK(writer.Store(*session, bad_row, kDay));
    }
    Write({{1, 2}});
    Write({{other, 1}});
    const auto relay = StartRelay(Options());
    ASSERT_EVENTUALLY(RowsLeft() == 2);
    ASSERT_EVENTUALLY(relay->Health().reason() == "OUTBOX_TOPIC_UNKNOWN");
    Write({{other, 2}});
    ASSERT_EVENTUALLY(RowsLeft() == 2);
    EXPECT_FALSE(FirstOccurrences(reader.Read()).contains("1"));
    {
        auto session = Session();
        static constexpr mysql::Query kRepair{"test.repair", "DELETE FROM outbox WHERE row_id = ?"};
        ASSERT_OK(session->Execute(kRepair, bad_row));
    }
    EXPECT_EVENTUALLY(RowsLeft() == 0);
    EXPECT_EVENTUALLY(relay->Health().ok());
}

TEST_F(RelayTest, RefusesATopicWithAnotherNumberOfPartitions) {
    RelayOptions options = Options();
    options.topics[0].partitions = kPartitions + 1;
    Write({{1, 1}});
    const auto relay = StartRelay(options);
    EXPECT_EVENTUALLY(relay->Health().reason() == "KAFKA_TOPIC_DIFFERS");
    EXPECT_EQ(RowsLeft(), 1);
}

}  // namespace
}  // namespace kessai::outbox
