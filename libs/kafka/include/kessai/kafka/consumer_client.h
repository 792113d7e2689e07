#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/kafka/connection.h"
#include "kessai/kafka/statistics.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::kafka {

struct ConsumerClientOptions {
    ConnectionOptions connection;
    std::string group;
    std::string topic;
    /// A member that is silent for so long is put out of the group.
    Duration session_timeout = std::chrono::seconds(10);
    Duration heartbeat_every = std::chrono::seconds(3);
    /// A member that does not call Poll for so long is put out too.
    Duration poll_interval_max = std::chrono::seconds(60);
    /// Fetched ahead, per partition.
    std::size_t fetch_ahead_bytes = std::size_t{8} << 20;
    /// A broker answers a fetch when it has `fetch_bytes_min`, else after this. A Seek takes effect
    /// after the fetch that is under way, so it waits that long when there is nothing to read.
    Duration fetch_wait_max = std::chrono::milliseconds(100);
    /// 1: at once when there is anything. More for whoever is in no hurry: every fetch costs the
    /// broker some hundred microseconds, however little it brings.
    std::size_t fetch_bytes_min = 1;
};

/// A message as it was read. Views into its batch.
struct Record {
    std::int64_t offset = 0;
    std::string_view key;
    std::string_view value;
    std::string_view traceparent;
};

/// Messages of one partition in the order of their offsets, owning their memory.
class RecordBatch {
 public:
    RecordBatch();
    RecordBatch(RecordBatch&&) noexcept;
    RecordBatch& operator=(RecordBatch&&) noexcept;
    ~RecordBatch();

    const std::vector<Record>& records() const { return records_; }
    bool empty() const { return records_.empty(); }

 private:
    friend class ConsumerClient;
    struct Memory;
    std::unique_ptr<Memory> memory_;
    std::vector<Record> records_;
};

/// Told which partitions this member has. Called within Poll and Close.
class AssignmentListener {
 public:
    virtual ~AssignmentListener() = default;
    /// The partitions are ours from now on. Nothing is read before Seek says from where.
    virtual void OnAssigned(std::span<const int> partitions) = 0;
    /// They are ours no longer: taken back in good order, or lost (`lost`: somebody else may
    /// have them already). When this returns they are given away.
    virtual void OnRevoked(std::span<const int> partitions, bool lost) = 0;
    /// Take may give something of this partition, or refuse. On any thread; only wake somebody up.
    virtual void OnReadable(int partition) = 0;
};

struct OffsetRange {
    std::int64_t first = 0;
    /// One past the last.
    std::int64_t end = 0;
};

/// A member of a consumer group on one topic that keeps its offsets elsewhere: it follows the
/// group's assignment, reads each partition from where Seek says, and never commits an offset to
/// Kafka. An offset that the broker does not have is refused (`auto.offset.reset=error`), never
/// replaced by another.
///
/// Partitions are read apart from each other (Take), so that a partition whose batch waits for
/// something does not hold up another, and what is not taken holds back its own fetches only.
/// Threads: Poll and Close on one thread; for each partition Take and Seek on one thread at a time;
/// the others anywhere.
class ConsumerClient {
 public:
    /// Subscribes; does not wait for brokers. INVALID_ARGUMENT KAFKA_OPTION_INVALID.
    /// The listeners (`statistics` may be null) must outlive the client.
    static Result<std::unique_ptr<ConsumerClient>> Create(const ConsumerClientOptions& options,
                                                          AssignmentListener& listener,
                                                          StatisticsListener* statistics = nullptr);
    /// Close, if that was not done.
    ~ConsumerClient();
    ConsumerClient(const ConsumerClient&) = delete;
    ConsumerClient& operator=(const ConsumerClient&) = delete;

    /// Takes part in the group for up to `timeout`: assignments and revocations come within it.
    /// The refusal, if there is one, is for the log and for metrics: the client goes on by itself.
    /// FAILED_PRECONDITION KAFKA_FATAL: it does not; make a new one.
    Status Poll(Duration timeout);

    /// What was read of an assigned partition, at most `records_max` records; empty when there is
    /// nothing yet. Never waits.
    /// OUT_OF_RANGE KAFKA_OFFSET_OUT_OF_RANGE: reading stopped at an offset that the broker does
    /// not have; this client reads the partition no more (Seek is refused), a new one can.
    /// FAILED_PRECONDITION KAFKA_NOT_ASSIGNED. UNAVAILABLE and others: for the log, the client goes
    /// on.
    Result<RecordBatch> Take(int partition, int records_max);

    /// Reads an assigned partition from `offset` on; what was read before is dropped.
    /// FAILED_PRECONDITION KAFKA_NOT_ASSIGNED; UNAVAILABLE: not possible yet, try again.
    Status Seek(int partition, std::int64_t offset, Duration timeout);

    /// The offsets that the broker has. UNAVAILABLE KAFKA_UNAVAILABLE, NOT_FOUND
    /// KAFKA_TOPIC_UNKNOWN.
    Result<OffsetRange> QueryOffsets(int partition, Duration timeout);
    /// The partition's end as the last fetch saw it, -1 while unknown. Asks nobody.
    std::int64_t KnownEnd(int partition) const;

    /// Leaves the group; OnRevoked comes for what is assigned.
    void Close();

 private:
    struct Impl;
    explicit ConsumerClient(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::kafka
