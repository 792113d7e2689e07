#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/kafka/producer.h"
#include "kessai/outbox/batch_writer.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::mysql {
class Pool;
class Session;
}  // namespace kessai::mysql
namespace kessai::metrics {
class Registry;
}

namespace kessai::outbox {

struct Topic {
    std::string name;
    /// As declared in proto/topics.yaml. The relay refuses to publish to a topic that has another
    /// number: objects would change partitions.
    int partitions = 0;
};

struct RelayOptions {
    /// By Entry::topic. Only ever appended to: rows that wait hold positions.
    std::vector<Topic> topics;
    kafka::ProducerOptions producer;

    /// Leases are "<lease_group>/<shard>".
    std::string lease_group = "outbox";
    Duration lease_duration = std::chrono::seconds(10);
    Duration lease_renew_every = std::chrono::seconds(2);
    Duration lease_margin = std::chrono::seconds(2);

    /// Looks for rows that other replicas wrote, while nobody notifies.
    Duration poll_every = std::chrono::milliseconds(250);
    /// At least so long from one read of a shard to the next, so that under load a read finds more.
    Duration gather = std::chrono::milliseconds(100);
    /// At most so long from the first delivered row to its deletion. Longer gathers more rows (and,
    /// for a hook that adds up digests, more events a bucket) into one transaction.
    Duration delete_every = std::chrono::seconds(2);
    /// Of one shard, in one read.
    int rows_per_read = 128;
    /// Deleted in one transaction.
    int rows_per_delete = 512;
    /// Read and not yet deleted, of one shard; and their bytes, of all shards. The relay reads no
    /// further beyond.
    int rows_in_flight_max = 512;
    std::size_t bytes_in_flight_max = std::size_t{32} << 20;
    /// After an error the relay begins again after a wait that doubles from the first to the last.
    Duration backoff_first = std::chrono::milliseconds(50);
    Duration backoff_max = std::chrono::seconds(5);
};

/// One message of a row that was just deleted. Views are good during the hook only.
struct Published {
    std::int64_t object_id = 0;
    std::string_view envelope;
    /// Position in RelayOptions::topics.
    int topic = 0;
    bool republished = false;
    int shard = 0;
    std::int64_t row_id = 0;
    /// The row's.
    BusinessDate business_date;
};

/// Runs in the transaction that deletes the rows, for exactly the messages whose rows this
/// transaction deletes: each message of the outbox is given once in a transaction that commits,
/// whatever relays did before (after an abort it runs again, from a clean state). A refusal rolls
/// the transaction back; it is tried again later.
using DeleteHook = std::function<Status(mysql::Session&, std::span<const Published>)>;

/// Publishes the outbox of a service to Kafka, as long as it holds leases on shards, and deletes
/// what Kafka has. Every replica runs one; they share the shards out. See relay.cc for why the
/// order per object holds though relays die, pause and overlap. Thread safe.
class Relay {
 public:
    /// Everything passed by reference must outlive it. `hook` may be empty.
    Relay(RelayOptions options, mysql::Pool& pool, metrics::Registry& metrics, DeleteHook hook = {},
          const Clock& clock = SystemClock());
    /// Stops.
    ~Relay();
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    /// Starts the relay's threads; does not wait for Kafka or the database.
    void Start();
    /// Publishes no further rows, waits up to `drain` for those under way, deletes what was
    /// delivered and gives the leases back.
    void Stop(Duration drain = std::chrono::seconds(2));

    /// Rows were committed; `shards` as BatchWriter::shards(). Cheap, never blocks.
    void Notify(unsigned shards);

    /// Ok while the relay could publish: it reached the brokers and found its topics as declared.
    /// Not a reason to take no payments: the outbox keeps what Kafka does not take.
    Status Health() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::outbox
