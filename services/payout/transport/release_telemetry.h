#pragma once

#include "app/release_day.h"
#include "kessai/log/log.h"
#include "kessai/metrics/registry.h"

namespace kessai::payout::transport {

/// What becomes of days, as metrics and log lines. Thread safe.
class ReleaseTelemetry {
 public:
    explicit ReleaseTelemetry(metrics::Registry& registry);

    /// For app::ReleaseDay; refers to this.
    app::ReleaseObserver Observer();
    /// What a round of the day keeper was refused with.
    void OnError(const Status& why);
    /// How late a day is that was to be released by itself.
    void OnLate(Duration by);

 private:
    metrics::Histogram& recount_seconds_;
    metrics::Histogram& release_seconds_;
    metrics::Counters held_back_;
    metrics::Counter& released_faults_;
    metrics::Counter& errors_;
    metrics::Gauge& late_;
    log::Limit held_back_lines_;
    log::Limit released_fault_lines_;
    log::Limit error_lines_;
};

}  // namespace kessai::payout::transport
