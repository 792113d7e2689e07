#include "inbox_fixture.h"

#include <sstream>

namespace kessai::inbox {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;

constexpr mysql::Query kMakeEffect{"test.make_effect", R"sql(
    CREATE TABLE effect (id BIGINT AUTO_INCREMENT PRIMARY KEY, object_id BIGINT NOT NULL,
                         version INT NOT NULL, content_hash BINARY(16) NOT NULL,
                         payload VARCHAR(100) NOT NULL, KEY (object_id, version)))sql"};
constexpr mysql::Query kMakeMark{"test.make_mark", R"sql(
    CREATE TABLE mark (partition_no INT PRIMARY KEY, effects_before BIGINT NOT NULL))sql"};
constexpr mysql::Query kFind{"test.find", R"sql(
    SELECT object_id, version, content_hash FROM effect
    WHERE (object_id, version) IN ({rows}))sql"};
constexpr mysql::Query kInsert{"test.insert", R"sql(
    INSERT INTO effect (object_id, version, content_hash, payload) VALUES {rows})sql"};
constexpr mysql::Query kInsertMark{"test.insert_mark", R"sql(
    INSERT INTO mark SELECT ?, COUNT(*) FROM effect
    ON DUPLICATE KEY UPDATE partition_no = VALUES(partition_no))sql"};
constexpr mysql::Query kAll{"test.all",
                            "SELECT object_id, version, payload FROM effect ORDER BY id"};

std::string_view ViewOf(const event::ContentHash& hash) {
    return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

class IgnoreDeliveries final : public kafka::DeliveryListener {
 public:
    void OnDeliveries(std::span<const kafka::Delivery> deliveries) override {
        for (const auto& delivery : deliveries) EXPECT_THAT(delivery.status, IsOk());
    }
};

}  // namespace

Status TableHandler::FindEffects(mysql::Session& session, std::span<const EffectKey> keys,
                                 Effects& effects) {
    EXPECT_TRUE(std::ranges::is_sorted(keys));
    ++look_ups;
    effects.kept = keys.size();
    mysql::RowList wanted;
    for (const EffectKey& key : keys) wanted.Add(key.object_id, key.version);
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session.Select(kFind, wanted));
    while (rows.Next()) {
        Effect effect{.key = {rows.Int(0), static_cast<std::uint32_t>(rows.Uint(1))},
                      .content_hash = {}};
        const std::string hash = rows.Bytes(2);
        std::copy_n(hash.begin(), effect.content_hash.size(), effect.content_hash.begin());
        effects.found.push_back(effect);
    }
    return OkStatus();
}

Status TableHandler::Apply(mysql::Session& session, const Batch& batch, Rejections& rejections) {
    // What a look-up keeps is there for the same transaction only.
    EXPECT_FALSE(batch.assumed_new && batch.effects != nullptr);
    if (batch.effects != nullptr) {
        const auto* kept = std::any_cast<std::size_t>(&batch.effects->kept);
        EXPECT_TRUE(kept != nullptr && *kept >= batch.deliveries.size());
    }
    if (on_apply) KESSAI_RETURN_IF_ERROR(on_apply(batch));
    mysql::RowList rows;
    {
        const std::lock_guard lock(mutex);
        for (std::size_t i = 0; i < batch.deliveries.size(); ++i) {
            const event::Envelope& event = batch.deliveries[i].event;
            if (const auto why = failing.find(event.payload); why != failing.end()) {
                return why->second;
            }
            if (rejected.contains(event.payload)) {
                rejections.Reject(i, Status(Code::kFailedPrecondition, "TEST_REJECTED", "bad"));
            }
            rows.Add(event.object_id, event.version, mysql::Bytes{ViewOf(event.content_hash)},
                     event.payload);
        }
    }
    return session.Execute(kInsert, rows).status();
}

Status TableHandler::ApplyMark(mysql::Session& session, const Mark& mark) {
    EXPECT_EQ(mark.day.business_date, kDay);
    return session.Execute(kInsertMark, mark.partition).status();
}

Status TableHandler::PublishDeadLetters(mysql::Session& session,
                                        std::span<const outbox::Entry> entries) {
    outbox::BatchWriter writer;
    for (const outbox::Entry& entry : entries) KESSAI_RETURN_IF_ERROR(writer.Add(entry));
    return writer.Store(session, next_row_id++, kDay);
}

InboxTest::InboxTest() {
    mysql::PoolOptions pool;
    pool.connect = schema_->options();
    pool.connect.lock_wait_timeout_s = 1;
    pool.sessions_max = 16;
    pool_ = std::make_unique<mysql::Pool>(pool);
    auto session = Session();
    const std::vector<mysql::MigrationSet> sets{Migrations(), outbox::Migrations()};
    EXPECT_THAT(mysql::Migrate(*session, sets), IsOk());
    EXPECT_THAT(session->Execute(kMakeEffect), IsOk());
    EXPECT_THAT(session->Execute(kMakeMark), IsOk());

    kafka::ProducerOptions producer;
    producer.connection.brokers = brokers_;
    producer.linger = 1ms;
    EXPECT_THAT(
        kafka::CreateTopic(producer.connection, {.name = topic_, .partitions = kPartitions}, 30s),
        IsOk());
    deliveries_ = std::make_unique<IgnoreDeliveries>();
    auto created = kafka::Producer::Create(producer, *deliveries_);
    EXPECT_THAT(created, IsOk());
    producer_ = std::move(created).value();
}

ConsumerOptions InboxTest::Options() const {
    ConsumerOptions options;
    options.client.connection.brokers = brokers_;
    options.client.connection.statistics_every = 200ms;
    options.client.group = group_;
    options.client.topic = topic_;
    options.client.session_timeout = 6s;
    options.client.heartbeat_every = 500ms;
    options.partitions = kPartitions;
    options.batch_every = 2ms;
    options.backoff_max = 500ms;
    return options;
}

std::unique_ptr<Consumer> InboxTest::StartConsumer(const ConsumerOptions& options, Handler& handler,
                                                   metrics::Registry& registry) {
    auto consumer = std::make_unique<Consumer>(options, *pool_, handler, registry);
    EXPECT_THAT(consumer->Start(), IsOk());
    return consumer;
}

std::string InboxTest::Sealed(const Put& put) {
    return *event::Seal({.type = "test.Changed",
                         .object_id = put.object,
                         .version = static_cast<std::uint32_t>(put.version),
                         .event_id = put.object * 1'000 + put.version,
                         .business_date = kDay,
                         .occurred_at = FromMicros(1),
                         .payload = put.payload});
}

void InboxTest::Publish(const std::vector<Put>& events) {
    for (const Put& put : events) {
        EXPECT_THAT(producer_->Produce({.topic = topic_,
                                        .partition = PartitionOf(put.object),
                                        .key = std::to_string(put.object),
                                        .value = Sealed(put)}),
                    IsOk());
    }
    EXPECT_THAT(producer_->Flush(30s), IsOk());
}

void InboxTest::PublishRaw(int partition, const std::string& key, const std::string& value) {
    EXPECT_THAT(
        producer_->Produce({.topic = topic_, .partition = partition, .key = key, .value = value}),
        IsOk());
    EXPECT_THAT(producer_->Flush(30s), IsOk());
}

void InboxTest::PublishMark(int partition) {
    PublishRaw(partition, "",
               *event::SealMark(
                   {.business_date = kDay, .partition_count = kPartitions, .service = "payment"},
                   99, FromMicros(1)));
}

mysql::Lease InboxTest::Session() {
    auto session = pool_->Acquire(10s);
    EXPECT_THAT(session, IsOk());
    return std::move(session).value();
}

std::vector<Stored> InboxTest::Applied() {
    auto session = Session();
    auto rows = session->Select(kAll);
    EXPECT_THAT(rows, IsOk());
    std::vector<Stored> applied;
    while (rows->Next()) {
        applied.push_back({rows->Int(0), static_cast<int>(rows->Int(1)), rows->Text(2)});
    }
    return applied;
}

std::string InboxTest::VersionsOf(std::int64_t object) {
    std::string versions;
    for (const Stored& stored : Applied()) {
        if (stored.object != object) continue;
        if (!versions.empty()) versions += ",";
        versions += std::to_string(stored.version);
    }
    return versions;
}

std::int64_t InboxTest::Count(const std::string& table) {
    auto session = Session();
    const std::string sql = "SELECT COUNT(*) FROM " + table;
    auto rows = session->Select(mysql::Query{"test.count", sql});
    EXPECT_THAT(rows, IsOk());
    return rows->Next() ? rows->Int(0) : -1;
}

std::int64_t InboxTest::NextOffset(int partition) {
    auto session = Session();
    const auto offsets = LoadOffsets(*session, group_, topic_);
    EXPECT_THAT(offsets, IsOk());
    for (const PartitionOffset& offset : *offsets) {
        if (offset.partition == partition) return offset.next_offset;
    }
    return -1;
}

std::vector<DeadLetter> InboxTest::DeadLetters(std::optional<DeadLetterState> state) {
    auto session = Session();
    DeadLetterFilter filter;
    filter.group = group_;
    filter.topic = topic_;
    filter.state = state;
    auto letters = ListDeadLetters(*session, filter);
    EXPECT_THAT(letters, IsOk());
    return std::move(letters).value();
}

ReplayContext InboxTest::Replaying() const {
    ReplayContext context;
    context.group = group_;
    context.topic = topic_;
    context.operator_name = "op@example.test";
    context.note = "fixed";
    return context;
}

double InboxTest::Metric(const metrics::Registry& registry, const std::string& name) {
    std::istringstream lines(registry.Expose());
    std::string line;
    double sum = 0;
    while (std::getline(lines, line)) {
        if (line.starts_with(name + "{") || line.starts_with(name + " ")) {
            sum += std::stod(line.substr(line.rfind(' ')));
        }
    }
    return sum;
}

}  // namespace kessai::inbox
