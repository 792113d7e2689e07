#pragma once

#include <librdkafka/rdkafka.h>

#include <string_view>

#include "kessai/result/result.h"

namespace kessai::kafka {

/// The one table from librdkafka's errors to refusals (connection.h); ok for NO_ERROR.
Status StatusOf(rd_kafka_resp_err_t error, std::string_view context);

}  // namespace kessai::kafka
