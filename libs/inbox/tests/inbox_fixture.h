#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "kessai/event/bucket.h"
#include "kessai/event/envelope.h"
#include "kessai/event/mark.h"
#include "kessai/inbox/consumer.h"
#include "kessai/inbox/dead_letters.h"
#include "kessai/inbox/handler.h"
#include "kessai/kafka/producer.h"
#include "kessai/kafka/topic_admin.h"
#include "kessai/metrics/registry.h"
#include "kessai/mysql/migration.h"
#include "kessai/mysql/pool.h"
#include "kessai/mysql/transaction.h"
#include "kessai/outbox/batch_writer.h"
#include "kessai/outbox/outbox_table.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/kafka_broker.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/mysql_server.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::inbox {

inline const BusinessDate kDay = *BusinessDate::Parse("2026-11-22");
inline constexpr int kPartitions = 4;

/// An effect as the test's handler stored it, in the order of storing.
struct Stored {
    std::int64_t object = 0;
    int version = 0;
    std::string payload;
};

/// Stores each event as one row without any unique key, so that an event that is applied twice
/// shows. What an event's payload says decides how it goes.
class TableHandler final : public Handler {
 public:
    bool RefusesRepeats() const override { return refuses_repeats; }
    Status FindEffects(mysql::Session& session, std::span<const EffectKey> keys,
                       Effects& effects) override;
    Status Apply(mysql::Session& session, const Batch& batch, Rejections& rejections) override;
    Status ApplyMark(mysql::Session& session, const Mark& mark) override;
    Status PublishDeadLetters(mysql::Session& session,
                              std::span<const outbox::Entry> entries) override;
    void OnCommitted(const Batch& batch) override { committed += batch.deliveries.size(); }
    void OnDropped(std::string_view, int) override { ++dropped; }

    /// Set it before the consumer starts, and give the table a unique key.
    bool refuses_repeats = false;
    /// Called within Apply, before anything is stored.
    std::function<Status(const Batch&)> on_apply;
    /// Payloads that are rejected.
    std::set<std::string> rejected;
    /// Payloads that fail the whole batch, with what.
    std::map<std::string, Status> failing;
    std::atomic<std::size_t> committed{0};
    std::atomic<int> dropped{0};
    std::atomic<int> look_ups{0};
    std::atomic<std::int64_t> next_row_id{1};
    std::mutex mutex;
};

class InboxTest : public ::testing::Test {
 protected:
    InboxTest();

    ConsumerOptions Options() const;
    std::unique_ptr<Consumer> StartConsumer(const ConsumerOptions& options, Handler& handler,
                                            metrics::Registry& registry);
    std::unique_ptr<Consumer> StartConsumer() {
        return StartConsumer(Options(), handler_, metrics_);
    }

    // Puts messages into the topic, and waits until they are there.
    struct Put {
        std::int64_t object = 0;
        int version = 0;
        std::string payload = "ok";
    };
    void Publish(const std::vector<Put>& events);
    void PublishRaw(int partition, const std::string& key, const std::string& value);
    void PublishMark(int partition);
    static std::string Sealed(const Put& put);
    static int PartitionOf(std::int64_t object) { return event::PartitionOf(object, kPartitions); }

    mysql::Lease Session();
    std::vector<Stored> Applied();
    // "1,2,3" of an object, in the order of application.
    std::string VersionsOf(std::int64_t object);
    std::int64_t Count(const std::string& table);
    std::int64_t NextOffset(int partition);
    std::vector<DeadLetter> DeadLetters(
        std::optional<DeadLetterState> state = DeadLetterState::kOpen);
    ReplayContext Replaying() const;
    // Over all labels.
    static double Metric(const metrics::Registry& registry, const std::string& name);
    double Metric(const std::string& name) const { return Metric(metrics_, name); }

    const std::unique_ptr<testing::MysqlSchema> schema_ =
        testing::MysqlServer::Shared().CreateSchema();
    const std::string topic_ = testing::UniqueName("inbox");
    const std::string group_ = testing::UniqueName("group");
    std::string brokers_ = testing::KafkaBroker::Shared().address();
    std::unique_ptr<mysql::Pool> pool_;
    metrics::Registry metrics_;
    TableHandler handler_;
    std::unique_ptr<kafka::DeliveryListener> deliveries_;
    std::unique_ptr<kafka::Producer> producer_;
};

}  // namespace kessai::inbox
