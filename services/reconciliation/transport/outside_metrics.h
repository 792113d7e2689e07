#pragma once

#include <span>

#include "app/match_outside.h"
#include "app/outside_enquiries.h"
#include "domain/outside_record.h"
#include "kessai/metrics/registry.h"

namespace kessai::reconciliation::transport {

/// What is unmatched of accounts outside, and what became of it. Thread safe.
class OutsideMetrics {
 public:
    /// The accounts are the labels' values.
    OutsideMetrics(metrics::Registry& registry, const domain::OutsideAccounts& accounts);

    void OnImport(const app::StatementImport& import);
    void OnRun(const app::MatchingRun& run);
    void OnSummaries(std::span<const app::AccountSummary> summaries);

 private:
    metrics::Counters imported_;
    metrics::Counters made_;
    metrics::Gauges unmatched_;
    metrics::Gauges unmatched_value_;
    metrics::Gauges overdue_;
    metrics::Gauges oldest_;
};

}  // namespace kessai::reconciliation::transport
