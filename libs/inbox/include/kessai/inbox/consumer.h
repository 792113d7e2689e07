#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kessai/inbox/handler.h"
#include "kessai/kafka/consumer_client.h"
#include "kessai/mysql/migration.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::mysql {
class Pool;
class Session;
}  // namespace kessai::mysql
namespace kessai::metrics {
class Registry;
}
namespace kessai::tracing {
class Tracer;
}

namespace kessai::inbox {

/// Tables consumer_offset, parked_event, dead_letter.
mysql::MigrationSet Migrations();

struct ConsumerOptions {
    /// Group, topic and how to reach the brokers.
    kafka::ConsumerClientOptions client;
    /// As declared in proto/topics.yaml.
    int partitions = 0;

    /// Where dead letters are published: position in the relay's topics, and its partitions.
    int dead_letter_topic = 1;
    int dead_letter_partitions = 3;

    /// Threads that apply batches; a partition stays with one. Each uses one session of the pool.
    int workers = 2;
    /// A batch is what has gathered, bounded by these.
    int batch_events_max = 500;
    std::size_t batch_bytes_max = std::size_t{4} << 20;
    /// A partition begins a batch at most this often, unless a full one waits: under load events
    /// gather, and after a silence the first event does not wait.
    Duration batch_every = std::chrono::milliseconds(50);
    /// If set, what gathers is applied at the moments when the clock is a multiple of batch_every,
    /// each partition's share of it later than the partition before, and this much later still: a
    /// consumer of a topic that answers another one with the same partitions then applies a
    /// partition when the other's consumer, in whatever process, has just done so. Only how batches
    /// fall depends on it. Not negative, below batch_every.
    std::optional<Duration> batch_phase = std::nullopt;

    /// A partition that is taken away waits so long for its batch under way. One that takes longer
    /// goes on; its offset's compare-and-set decides between it and the next owner.
    Duration revoke_wait = std::chrono::seconds(5);

    /// After a refusal a partition waits, doubling from the first to the last.
    Duration backoff_first = std::chrono::milliseconds(20);
    Duration backoff_max = std::chrono::seconds(10);
    /// Action::kIsolate: so many in a row stop the partition.
    int isolated_in_a_row_max = 5;

    /// Makes a span of every event that comes with a sampled trace; what the handler publishes for
    /// the event is a child of it. Null: none, and handlers get the event's own trace context.
    tracing::Tracer* tracer = nullptr;

    /// For tests only: neither repeats nor stored effects are looked for, so that nothing but the
    /// offset's compare-and-set keeps an event from being applied twice.
    bool ignore_effect_keys_for_test = false;
};

/// Applies the events of one topic through a Handler, each exactly once in effect and in order per
/// object, as one member of a consumer group. Every batch is one transaction that first advances
/// `consumer_offset` from the offset the batch begins at (compare-and-set): whoever loses that race
/// drops what it has, reads the stored offset and seeks there. See README for the whole rule.
/// Thread safe.
class Consumer {
 public:
    /// Everything passed by reference must outlive it. Several consumers of a process may share a
    /// registry: their metrics are labelled by topic.
    Consumer(ConsumerOptions options, mysql::Pool& pool, Handler& handler,
             metrics::Registry& metrics, const Clock& clock = SystemClock());
    /// Stops.
    ~Consumer();
    Consumer(const Consumer&) = delete;
    Consumer& operator=(const Consumer&) = delete;

    /// Joins the group; does not wait for Kafka or the database.
    /// INVALID_ARGUMENT KAFKA_OPTION_INVALID.
    Status Start();
    /// Finishes the batches under way (each bounded by the session's time-outs) and leaves the
    /// group.
    void Stop();

    /// Ok while no assigned partition is stopped. Not a reason to take the pod out of service.
    Status Health() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The next offset that a group will apply, as stored.
struct PartitionOffset {
    int partition = 0;
    std::int64_t next_offset = 0;
};

/// All partitions that the group has begun, rising. Inside a transaction of the same schema this is
/// what the group has seen: an event below it was applied, dead-lettered or parked.
Result<std::vector<PartitionOffset>> LoadOffsets(mysql::Session& session, std::string_view group,
                                                 std::string_view topic);

}  // namespace kessai::inbox
