#pragma once

#include <optional>
#include <string_view>

#include "kessai/kafka/statistics.h"

namespace kessai::kafka {

/// Reads librdkafka's JSON; nothing when it cannot be read.
std::optional<Statistics> ReadStatistics(std::string_view json);

}  // namespace kessai::kafka
