#pragma once

#include <memory>
#include <vector>

#include "kessai/metrics/registry.h"
#include "kessai/time/clock.h"

namespace kessai::runtime {

/// What every process tells of itself: CPU, memory, descriptors and threads under the names that
/// Prometheus's own clients use, its build, and dropped log lines. Good while what it returns is
/// kept.
std::vector<std::shared_ptr<void>> AddProcessMetrics(metrics::Registry& registry,
                                                     const Clock& clock);

}  // namespace kessai::runtime
