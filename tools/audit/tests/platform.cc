#include "platform.h"

#include <gtest/gtest.h>

#include "kessai/inbox/consumer.h"
#include "kessai/kafka/producer.h"
#include "kessai/kafka/topic_admin.h"
#include "kessai/kafka/topic_reader.h"
#include "kessai/mysql/migration.h"
#include "kessai/outbox/outbox_table.h"
#include "kessai/testing/kafka_broker.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::audit::testing {
namespace {

using kessai::testing::KafkaBroker;
using kessai::testing::MysqlServer;
using namespace std::chrono_literals;

constexpr const char* kCopy = "pristine_";

kafka::ConnectionOptions Connection() {
    kafka::ConnectionOptions connection;
    connection.brokers = KafkaBroker::Shared().address();
    connection.statistics_every = Duration::zero();
    return connection;
}

/// Every delivery must be well.
class ExpectDelivered final : public kafka::DeliveryListener {
 public:
    void OnDeliveries(std::span<const kafka::Delivery> deliveries) override {
        for (const auto& delivery : deliveries) {
            EXPECT_THAT(delivery.status, kessai::testing::IsOk());
        }
    }
};

std::string MakeTopic() {
    const std::string name = kessai::testing::UniqueName("audit");
    EXPECT_OK(
        kafka::CreateTopic(Connection(), {.name = name, .partitions = World::kPartitions}, 30s));
    return name;
}

std::vector<std::int64_t> EndsOf(const std::string& topic) {
    const auto reader = kafka::TopicReader::Open(Connection(), topic, 10s).value();
    const std::vector<kafka::OffsetRange> ranges = reader->QueryRanges(10s).value();
    std::vector<std::int64_t> ends;
    for (const auto& range : ranges) ends.push_back(range.end);
    return ends;
}

std::unique_ptr<mysql::Session> ConnectTo(const kessai::testing::MysqlSchema& schema) {
    return mysql::Session::Connect(schema.options()).value();
}

}  // namespace

Platform::Platform()
    : payment_(MysqlServer::Shared().CreateSchema()),
      payout_(MysqlServer::Shared().CreateSchema()),
      reconciliation_(MysqlServer::Shared().CreateSchema()),
      gateway_(MysqlServer::Shared().CreateSchema()),
      payment_session_(ConnectTo(*payment_)),
      payout_session_(ConnectTo(*payout_)),
      reconciliation_session_(ConnectTo(*reconciliation_)),
      gateway_session_(ConnectTo(*gateway_)) {
    EXPECT_OK(MigratePayment(*payment_session_));
    EXPECT_OK(MigratePayout(*payout_session_));
    EXPECT_OK(MigrateReconciliation(*reconciliation_session_));
    for (mysql::Session* session :
         {payment_session_.get(), payout_session_.get(), reconciliation_session_.get()}) {
        Exec(*session, "SET check_constraint_checks = 0");
    }
}

void Platform::Exec(mysql::Session& session, const std::string& sql) {
    EXPECT_THAT(session.Execute(mysql::Query{"test.statement", sql}), kessai::testing::IsOk())
        << sql;
}

std::vector<std::string> Platform::TablesOf(mysql::Session& session) {
    auto rows = session.Select(mysql::Query{"test.tables", "SHOW TABLES"}).value();
    std::vector<std::string> tables;
    while (rows.Next()) {
        const std::string name = rows.Text(0);
        if (!name.starts_with(kCopy)) tables.push_back(name);
    }
    return tables;
}

void Platform::Keep(mysql::Session& session) {
    for (const std::string& table : TablesOf(session)) {
        Exec(session, "CREATE TABLE " + (kCopy + table) + " AS SELECT * FROM " + table);
    }
}

void Platform::PutBack(mysql::Session& session) {
    for (const std::string& table : TablesOf(session)) {
        Exec(session, "DELETE FROM " + table);
        Exec(session, "INSERT INTO " + table + " SELECT * FROM " + (kCopy + table));
    }
}

void Platform::Settle(World& world) {
    ASSERT_OK(world.Finish(sessions()));
    events_ = world.TakeEvents();
    Publish(events_);
    settled_topics_ = topics_;
    Keep(*payment_session_);
    Keep(*payout_session_);
    Keep(*reconciliation_session_);
}

void Platform::Restore() {
    PutBack(*payment_session_);
    PutBack(*payout_session_);
    PutBack(*reconciliation_session_);
    topics_ = settled_topics_;
}

void Platform::Publish(const std::vector<WorldEvent>& events) {
    MakeTopics();
    Append(events);
    StoreOffsets();
}

void Platform::MakeTopics() {
    topics_ = {MakeTopic(), MakeTopic()};
}

void Platform::Append(const std::vector<WorldEvent>& events) {
    ExpectDelivered listener;
    kafka::ProducerOptions options;
    options.connection = Connection();
    auto producer = kafka::Producer::Create(options, listener).value();
    for (const WorldEvent& event : events) {
        Status sent;
        do {
            sent = producer->Produce({.topic = event.of_payout ? topics_.payout : topics_.payment,
                                      .partition = event.partition,
                                      .key = event.key,
                                      .value = event.envelope});
            if (sent.reason() == kafka::reason::kQueueFull) (void)producer->Flush(30s);
        } while (sent.reason() == kafka::reason::kQueueFull);
        ASSERT_OK(sent);
    }
    ASSERT_OK(producer->Flush(60s));
}

void Platform::StoreOffsets() {
    ASSERT_OK(World::StoreOffsets(sessions(), topics_.payment, EndsOf(topics_.payment),
                                  topics_.payout, EndsOf(topics_.payout)));
}

void Platform::Damage(char schema, const std::string& sql) {
    mysql::Session& session = schema == 'p'   ? *payment_session_
                              : schema == 'o' ? *payout_session_
                                              : *reconciliation_session_;
    const auto done = session.Execute(mysql::Query{"test.damage", sql});
    ASSERT_THAT(done, kessai::testing::IsOk()) << sql;
    ASSERT_GT(*done, 0u) << "changes nothing: " << sql;
}

AuditOptions Platform::Options() const {
    AuditOptions options(digest::RowHasher::FromHex(World::kDigestKey).value());
    options.history_chain = HistoryChain::FromHex(World::kAuditKey).value();
    options.payment = payment_->options();
    options.payout = payout_->options();
    options.reconciliation = reconciliation_->options();
    options.gateway = gateway_->options();
    options.kafka = Connection();
    options.payment_topic = topics_.payment;
    options.payout_topic = topics_.payout;
    options.wait = 300ms;
    options.sorter_memory_bytes = 512;
    return options;
}

}  // namespace kessai::audit::testing
