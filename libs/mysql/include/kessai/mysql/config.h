#pragma once

#include "kessai/config/schema.h"
#include "kessai/mysql/pool.h"

namespace kessai::mysql {

/// The keys of a pool: host, port, user, password (or password_file, which the pool then follows),
/// schema, time-outs, bounds.
/// Link kessai_mysql_config.
void Describe(config::Schema& schema, PoolOptions& options);

}  // namespace kessai::mysql
