#pragma once

#include <array>
#include <span>

#include "app/books.h"
#include "app/match_changes.h"
#include "app/waiting_sums.h"
#include "domain/day_marks.h"
#include "domain/day_run.h"
#include "domain/payout_check.h"
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
    void OnUnsettled(std::span<const app::UnsettledTotal> totals, Instant now);
    /// What one side told and the other has not, at `now`.
    void OnWaiting(const app::WaitingTotal& waiting, Instant now);
    /// A check against payout has ended, or could not be made.
    void OnCheck(const Result<domain::PayoutCheck>& outcome);

 private:
    metrics::Counters begun_;
    metrics::Counters matched_;
    metrics::Counters differing_;
    metrics::Counters runs_;
    metrics::Histogram& run_seconds_;
    metrics::Gauges unsettled_;
    metrics::Gauges at_risk_;
    metrics::Gauges oldest_;
    metrics::Gauges oldest_day_;
    metrics::Gauge& waiting_;
    metrics::Gauge& waiting_yen_;
    metrics::Gauge& oldest_waiting_;
    metrics::Counters checks_;
    metrics::Histogram& check_seconds_;
};

}  // namespace kessai::reconciliation::transport
