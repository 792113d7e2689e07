#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/kafka/connection.h"
#include "kessai/kafka/consumer_client.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::kafka {

/// A message as TopicReader gives it. A view: good during the call only.
struct TopicRecord {
    int partition = 0;
    std::int64_t offset = 0;
    std::string_view key;
    std::string_view value;
    /// The message's time (topics with CreateTime: when it was produced); the epoch if it has none.
    Instant timestamp;
};

/// Reads a stretch of a whole topic, once: for audits and tools. It belongs to no group, commits
/// nothing and takes part in nothing. One thread at a time.
class TopicReader {
 public:
    /// NOT_FOUND KAFKA_TOPIC_UNKNOWN, UNAVAILABLE KAFKA_UNAVAILABLE, INVALID_ARGUMENT
    /// KAFKA_OPTION_INVALID.
    static Result<std::unique_ptr<TopicReader>> Open(const ConnectionOptions& connection,
                                                     const std::string& topic, Duration timeout);
    ~TopicReader();
    TopicReader(const TopicReader&) = delete;
    TopicReader& operator=(const TopicReader&) = delete;

    int partitions() const;
    /// What the brokers hold now, by partition. Waits within `timeout` for a partition without a
    /// leader.
    Result<std::vector<OffsetRange>> QueryRanges(Duration timeout);

    using Take = std::function<void(const TopicRecord&)>;
    /// Gives every message in `ranges` (one a partition), each partition's in the order of their
    /// offsets, partitions mixed.
    /// OUT_OF_RANGE KAFKA_OFFSET_OUT_OF_RANGE when messages of the ranges were removed meanwhile;
    /// UNAVAILABLE KAFKA_UNAVAILABLE when nothing came for `stall_timeout`. Messages may have been
    /// given before.
    Status Read(std::span<const OffsetRange> ranges, Duration stall_timeout, const Take& take);

 private:
    struct Impl;
    explicit TopicReader(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::kafka
