#include "transport/reconciliation_metrics.h"

#include <algorithm>
#include <string>
#include <vector>

#include "domain/discrepancy.h"

namespace kessai::reconciliation::transport {

namespace {

std::vector<std::string> Kinds() {
    std::vector<std::string> names;
    for (const auto kind : domain::DiscrepancyKinds()) names.emplace_back(domain::KindName(kind));
    return names;
}

const metrics::Label kSides{"side", {"payment", "payout"}};

std::string_view SideName(domain::Source source) {
    return source == domain::Source::kPayment ? "payment" : "payout";
}

/// Clocks of replicas differ a little.
Duration SinceUpTo(Instant then, Instant now) {
    return std::max(now - then, Duration::zero());
}

}  // namespace

ReconciliationMetrics::ReconciliationMetrics(metrics::Registry& registry)
    : begun_(registry.AddCounters({.name = "kessai_reconciliation_begun_changes_total",
                                   .help = "Changes that a side told of first"},
                                  {kSides})),
      matched_(registry.AddCounters(
          {.name = "kessai_reconciliation_matched_changes_total",
           .help = "Changes that matched, by the side that told of them second"},
          {kSides})),
      differing_(registry.AddCounters(
          {.name = "kessai_reconciliation_differing_changes_total",
           .help = "Changes on which the sides differ, by the side that told of them second"},
          {kSides})),
      runs_(registry.AddCounters({.name = "kessai_reconciliation_day_runs_total",
                                  .help = "Comparisons of a day, by how they ended"},
                                 {{"state", {"equal", "different", "failed", "refused"}}})),
      run_seconds_(registry.AddHistogram({.name = "kessai_reconciliation_day_run_seconds",
                                          .help = "Time of a comparison of a day"},
                                         metrics::kLongTime)),
      unsettled_(
          registry.AddGauges({.name = "kessai_reconciliation_unsettled_discrepancies",
                              .help = "Discrepancies that are neither repaired nor accepted"},
                             {{"kind", Kinds()}})),
      at_risk_(registry.AddGauges(
          {.name = "kessai_reconciliation_at_risk_yen",
           .help = "By how much the sides differ in unsettled discrepancies, summed without sign"},
          {{"kind", Kinds()}})),
      oldest_(registry.AddGauges(
          {.name = "kessai_reconciliation_oldest_discrepancy_age_seconds",
           .help = "Time since the oldest unsettled discrepancy was found; 0 when there is none"},
          {{"kind", Kinds()}})),
      oldest_day_(registry.AddGauges(
          {.name = "kessai_reconciliation_oldest_discrepancy_day_age_seconds",
           .help = "Time since the end of the oldest business day with an unsettled discrepancy; 0 "
                   "when there is none"},
          {{"kind", Kinds()}})),
      waiting_(registry.AddGauge({.name = "kessai_reconciliation_waiting_changes",
                                  .help = "Changes that one side told and the other has not yet"})),
      waiting_yen_(registry.AddGauge(
          {.name = "kessai_reconciliation_waiting_yen",
           .help = "What the changes that wait for their other side moved, summed without sign"})),
      oldest_waiting_(registry.AddGauge(
          {.name = "kessai_reconciliation_oldest_waiting_age_seconds",
           .help = "Age of the oldest change that waits for its other side, to five minutes; 0 "
                   "when none does"})),
      checks_(registry.AddCounters({.name = "kessai_reconciliation_payout_checks_total",
                                    .help = "Checks of a day against payout, by how they ended"},
                                   {{"state", {"equal", "different", "refused"}}})),
      check_seconds_(registry.AddHistogram({.name = "kessai_reconciliation_payout_check_seconds",
                                            .help = "Time of a check of a day against payout"},
                                           metrics::kLongTime)) {}

void ReconciliationMetrics::OnMatched(domain::Source source, const app::MatchOutcome& outcome) {
    begun_.With(SideName(source)).Add(outcome.begun);
    matched_.With(SideName(source)).Add(outcome.matched);
    differing_.With(SideName(source)).Add(outcome.differing);
}

void ReconciliationMetrics::OnRun(const domain::DayRun& run) {
    switch (run.state) {
        case domain::DayRunState::kEqual:
            runs_.With("equal").Add();
            break;
        case domain::DayRunState::kDifferent:
            runs_.With("different").Add();
            break;
        case domain::DayRunState::kFailed:
        case domain::DayRunState::kRunning:
            runs_.With("failed").Add();
            break;
    }
    run_seconds_.Observe(run.finished_at - run.started_at);
}

void ReconciliationMetrics::OnUnsettled(std::span<const app::UnsettledTotal> totals, Instant now) {
    const std::vector<domain::DiscrepancyKind> kinds = domain::DiscrepancyKinds();
    std::vector<app::UnsettledTotal> by_kind(kinds.size());
    for (const auto& total : totals) {
        const auto kind = std::ranges::find(kinds, total.kind);
        if (kind != kinds.end()) by_kind[static_cast<std::size_t>(kind - kinds.begin())] = total;
    }
    for (std::size_t position = 0; position < by_kind.size(); ++position) {
        unsettled_.At(position).Set(by_kind[position].count);
        at_risk_.At(position).Set(by_kind[position].at_risk);
        const bool any = by_kind[position].count > 0;
        const Instant day_end = by_kind[position].oldest_day.Next().StartsAt();
        oldest_.At(position).Set(any ? SinceUpTo(by_kind[position].oldest_found, now)
                                     : Duration::zero());
        oldest_day_.At(position).Set(any ? SinceUpTo(day_end, now) : Duration::zero());
    }
}

void ReconciliationMetrics::OnWaiting(const app::WaitingTotal& waiting, Instant now) {
    waiting_.Set(waiting.changes);
    waiting_yen_.Set(waiting.value);
    oldest_waiting_.Set(waiting.changes > 0 ? SinceUpTo(waiting.oldest, now) : Duration::zero());
}

void ReconciliationMetrics::OnCheck(const Result<domain::PayoutCheck>& outcome) {
    if (!outcome.ok()) {
        checks_.With("refused").Add();
        return;
    }
    checks_.With(outcome->state == domain::DayRunState::kEqual ? "equal" : "different").Add();
    check_seconds_.Observe(outcome->finished_at - outcome->started_at);
}

}  // namespace kessai::reconciliation::transport
