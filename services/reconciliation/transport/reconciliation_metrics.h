#pragma once

#include <array>
#include <span>

#include "app/books.h"
#include "app/match_changes.h"
#include "domain/day_marks.h"
#include "domain/day_run.h"
#include "kessai/metrics/registry.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::transport {

/// The service's own metrics. Thread safe.
class ReconciliationMetrics {
 public:
    explicit ReconciliationMetrics(metrics::Registry& registry);

    /// A batch of one side was committed.
    void OnMatched(domain::Source source, const app::MatchOutcome& outcome);
    /// A run has ended.
    void OnRun(const domain::DayRun& run);
    /// A run could not begin or broke off before its row said how.
    void OnRunRefused() { runs_.With("refused").Add(); }
    /// What is neither repaired nor accepted now. Kinds that are not there are none.
    void OnUnsettled(std::span<const app::UnsettledTotal> totals);

 private:
    metrics::Counters begun_;
    metrics::Counters matched_;
    metrics::Counters differing_;
    metrics::Counters runs_;
    metrics::Histogram& run_seconds_;
    metrics::Gauges unsettled_;
    metrics::Gauges at_risk_;
};

}  // namespace kessai::reconciliation::transport
