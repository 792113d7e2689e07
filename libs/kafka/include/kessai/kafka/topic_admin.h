#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kessai/kafka/connection.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::kafka {

struct TopicSpec {
    std::string name;
    int partitions = 1;
    /// -1: the broker's default.
    int replicas = -1;
    /// Kafka's names and units.
    std::vector<std::pair<std::string, std::string>> config = {};
};

/// Makes a topic and waits until the cluster knows it. A topic that is there already with as many
/// partitions is fine. FAILED_PRECONDITION KAFKA_TOPIC_DIFFERS: it has another number of
/// partitions.
Status CreateTopic(const ConnectionOptions& connection, const TopicSpec& topic, Duration timeout);

/// Removes the messages of one partition before `offset`, as retention does in time.
Status DeleteRecordsBefore(const ConnectionOptions& connection, const std::string& topic,
                           int partition, std::int64_t offset, Duration timeout);

}  // namespace kessai::kafka
