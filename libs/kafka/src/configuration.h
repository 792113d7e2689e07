#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kessai/kafka/connection.h"
#include "kessai/result/result.h"
#include "rdkafka_handles.h"

namespace kessai::kafka {

using Properties = std::vector<std::pair<std::string, std::string>>;

/// A configuration for the connection with these properties beside it, which logs through libs/log.
/// INVALID_ARGUMENT KAFKA_OPTION_INVALID.
Result<Owned<rd_kafka_conf_t>> Configure(const ConnectionOptions& connection,
                                         const Properties& properties);

/// Whole milliseconds, at least one.
std::string Millis(Duration duration);

}  // namespace kessai::kafka
