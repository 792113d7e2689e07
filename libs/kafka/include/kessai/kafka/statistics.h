#pragma once

#include <cstdint>
#include <vector>

#include "kessai/time/clock.h"

namespace kessai::kafka {

/// What the client library says of itself, every ConnectionOptions::statistics_every.
/// Source: librdkafka, STATISTICS.md.
struct Statistics {
    /// Messages (and their bytes) that wait in a producer's queues.
    std::int64_t queued_messages = 0;
    std::int64_t queued_bytes = 0;
    /// Over all brokers: connections that are up, requests in flight, errors and retries so far.
    int brokers_up = 0;
    std::int64_t requests_in_flight = 0;
    std::int64_t request_errors_total = 0;
    std::int64_t request_retries_total = 0;
    std::int64_t request_timeouts_total = 0;
    /// The slowest broker's 99th percentile from request to answer.
    Duration round_trip_p99{};

    /// A consumer's partitions.
    struct Partition {
        int partition = 0;
        /// Messages fetched ahead of the application.
        std::int64_t fetched_messages = 0;
        /// The partition's end; -1 while unknown.
        std::int64_t end_offset = -1;
    };
    std::vector<Partition> partitions;
};

/// Called on a thread of the producer or consumer; must be quick and thread safe.
class StatisticsListener {
 public:
    virtual ~StatisticsListener() = default;
    virtual void OnStatistics(const Statistics& statistics) = 0;
};

}  // namespace kessai::kafka
