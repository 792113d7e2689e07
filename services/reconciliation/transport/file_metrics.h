#pragma once

#include <cstdint>
#include <string_view>

#include "domain/merchant_files.h"
#include "kessai/metrics/registry.h"

namespace kessai::reconciliation::transport {

/// Metrics of merchants' files. Thread safe.
class FileMetrics {
 public:
    explicit FileMetrics(metrics::Registry& registry);

    /// An attempt at a run has ended; `before` is the run as it was before.
    void OnRun(const domain::FileRun& before, const domain::FileRun& after);
    /// An attempt broke off before its row said how.
    void OnRunRefused() { runs_.With("refused").Add(); }
    void OnUnfinished(std::int64_t runs) { unfinished_.Set(runs); }
    void OnRemoved(int files) { removed_.Add(static_cast<std::uint64_t>(files)); }

 private:
    metrics::Counters runs_;
    metrics::Counters merchants_;
    metrics::Counter& files_;
    metrics::Counter& rows_;
    metrics::Counter& bytes_;
    metrics::Counter& removed_;
    metrics::Histogram& run_seconds_;
    metrics::Gauge& unfinished_;
};

}  // namespace kessai::reconciliation::transport
