#pragma once

#include <cstdint>

#include "kessai/result/result.h"

namespace kessai::gateway::app {

/// Makes ids that no other process makes. Thread safe.
class IdSource {
 public:
    virtual ~IdSource() = default;
    /// An id that may be stored right now. UNAVAILABLE WORKER_NUMBER_NOT_HELD.
    virtual Result<std::int64_t> Next() = 0;
};

}  // namespace kessai::gateway::app
