#include "transport/reconciliation_metrics.h"

#include <string>
#include <vector>

#include "domain/discrepancy.h"

namespace kessai::reconciliation::transport {

namespace {

std::vector<std::string> Kinds() {
    std::vector<std::string> names;
    for (int kind = 1; kind <= domain::kDiscrepancyKinds; ++kind) {
        names.emplace_back(domain::KindName(static_cast<domain::DiscrepancyKind>(kind)));
    }
    return names;
}

const metrics::Label kSides{"side", {"payment", "payout"}};

std::string_view SideName(domain::Source source) {
    return source == domain::Source::kPayment ? "payment" : "payout";
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
          {{"kind", Kinds()}})) {}

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

void ReconciliationMetrics::OnUnsettled(std::span<const app::UnsettledTotal> totals) {
    std::array<app::UnsettledTotal, domain::kDiscrepancyKinds> by_kind{};
    for (const auto& total : totals) {
        const auto position = static_cast<std::size_t>(total.kind) - 1;
        if (position < by_kind.size()) by_kind[position] = total;
    }
    for (std::size_t position = 0; position < by_kind.size(); ++position) {
        unsettled_.At(position).Set(by_kind[position].count);
        at_risk_.At(position).Set(by_kind[position].at_risk);
    }
}

}  // namespace kessai::reconciliation::transport
