#pragma once

#include "kessai/config/schema.h"
#include "kessai/kafka/connection.h"

namespace kessai::kafka {

/// The keys of a connection to the brokers. Link kessai_kafka_config.
void Describe(config::Schema& schema, ConnectionOptions& options);

}  // namespace kessai::kafka
