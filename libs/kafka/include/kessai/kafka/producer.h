#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "kessai/kafka/connection.h"
#include "kessai/kafka/statistics.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::kafka {

struct ProducerOptions {
    ConnectionOptions connection;
    /// How long a message may wait for others to share its request. 5 to 25 ms keep the broker's
    /// work per message small.
    Duration linger = std::chrono::milliseconds(20);
    /// Messages waiting for their delivery, beyond which Produce refuses.
    int queue_messages_max = 100'000;
    std::size_t queue_bytes_max = std::size_t{64} << 20;
    /// Larger messages are refused; at most the topic's max.message.bytes.
    std::size_t message_bytes_max = std::size_t{2} << 20;
};

/// One message. A view: Produce copies it.
struct Message {
    std::string_view topic;
    /// Chosen by the caller, always: the client library's partitioner is never asked.
    int partition = 0;
    /// Empty: no key.
    std::string_view key = {};
    std::string_view value;
    /// W3C trace context, sent as header "traceparent"; empty: no header.
    std::string_view traceparent = {};
    /// Given back with the delivery.
    std::uint64_t token = 0;
};

/// What became of a message.
struct Delivery {
    std::uint64_t token = 0;
    /// Ok: every in-sync replica has it. Else it may or may not be in the topic.
    Status status;
    /// Its offset, or -1.
    std::int64_t offset = -1;
};

/// Told of deliveries, in batches, on the producer's own thread, one call at a time. Must not call
/// back into the producer.
class DeliveryListener {
 public:
    virtual ~DeliveryListener() = default;
    virtual void OnDeliveries(std::span<const Delivery> deliveries) = 0;
};

/// An idempotent producer (`enable.idempotence`, `acks=all`): within a partition messages are
/// stored once and in the order of Produce. There is no message time-out: a message is tried until
/// the broker has it, and a gap is a fatal error (`enable.gapless.guarantee`), so that no message
/// is stored behind one that failed.
///
/// A delivery that is not ok therefore means: purge, destroy this producer, make a new one, and
/// begin again with the oldest message that is not known to be delivered. Messages of the old
/// producer that were on their way may still arrive: duplicates, never a new order of first
/// occurrences, because the broker takes a producer's messages of a partition in sequence only.
/// Thread safe.
class Producer {
 public:
    /// Does not wait for brokers. INVALID_ARGUMENT KAFKA_OPTION_INVALID.
    /// `listener` and `statistics` (may be null) must outlive the producer.
    static Result<std::unique_ptr<Producer>> Create(const ProducerOptions& options,
                                                    DeliveryListener& listener,
                                                    StatisticsListener* statistics = nullptr);
    /// Purges what is not delivered; all its deliveries have been reported when this returns.
    /// Takes at most some hundred milliseconds, whether brokers answer or not.
    ~Producer();
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;

    /// Queues the message; its fate comes to the listener, exactly once. When it is refused nothing
    /// comes: RESOURCE_EXHAUSTED KAFKA_QUEUE_FULL, INVALID_ARGUMENT KAFKA_MESSAGE_TOO_LARGE,
    /// NOT_FOUND KAFKA_TOPIC_UNKNOWN, FAILED_PRECONDITION KAFKA_FATAL.
    Status Produce(const Message& message);

    /// Waits until all messages were reported. DEADLINE_EXCEEDED if some are left.
    Status Flush(Duration timeout);

    /// Gives up all messages that are queued or on their way; they are reported as KAFKA_PURGED.
    void Purge();

    /// How many partitions the topic has. NOT_FOUND KAFKA_TOPIC_UNKNOWN, UNAVAILABLE
    /// KAFKA_UNAVAILABLE.
    Result<int> PartitionCount(const std::string& topic, Duration timeout);

    /// How many replicas must have a message before it counts as delivered, as the client says it
    /// is configured; -1 is all that are in sync. 0 when it does not say.
    int acks() const;

 private:
    struct Impl;
    explicit Producer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::kafka
