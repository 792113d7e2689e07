#pragma once

#include "app/keep_due_dates.h"
#include "kessai/log/log.h"
#include "kessai/metrics/registry.h"

namespace kessai::payout::transport {

/// What becomes of due dates by schedule, as metrics and log lines. Thread safe.
class DueDateTelemetry {
 public:
    explicit DueDateTelemetry(metrics::Registry& registry);

    /// For app::KeepDueDates; refers to this.
    app::KeepDueDates::Observer Observer();

 private:
    metrics::Counters runs_;
    metrics::Gauge& late_;
    log::Limit error_lines_;
};

}  // namespace kessai::payout::transport
