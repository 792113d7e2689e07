#pragma once

#include <span>

#include "app/books.h"
#include "domain/repair.h"
#include "kessai/metrics/registry.h"

namespace kessai::reconciliation::transport {

/// Metrics of repairs. Thread safe.
class RepairMetrics {
 public:
    explicit RepairMetrics(metrics::Registry& registry);

    /// A repair ended.
    void OnEnd(const domain::Repair& repair);
    /// One could not be carried on now; it is tried again.
    void OnTrouble() { troubles_.Add(); }
    /// Those that have not ended now. Kinds that are not there have none.
    void OnOpen(std::span<const app::OpenRepairs> open);

 private:
    metrics::Counters ended_;
    metrics::Counter& troubles_;
    metrics::Gauges open_;
};

}  // namespace kessai::reconciliation::transport
