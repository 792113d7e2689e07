#include "transport/outside_metrics.h"

#include <string>
#include <vector>

namespace kessai::reconciliation::transport {
namespace {

metrics::Label AccountsOf(const domain::OutsideAccounts& accounts) {
    metrics::Label label{"account", {}};
    for (const domain::OutsideAccount& account : accounts.all()) {
        label.values.push_back(account.name);
    }
    return label;
}

metrics::Label Sides() {
    return {"side", {"expected", "booked"}};
}

}  // namespace

OutsideMetrics::OutsideMetrics(metrics::Registry& registry, const domain::OutsideAccounts& accounts)
    : imported_(registry.AddCounters({.name = "kessai_reconciliation_statement_lines_total",
                                      .help = "Lines of statement files that were taken in"},
                                     {{"outcome", {"added", "known", "broken"}}})),
      made_(registry.AddCounters(
          {.name = "kessai_reconciliation_outside_found_total",
           .help = "Matches and suggestions that runs made, by account outside"},
          {AccountsOf(accounts), {"kind", {"match", "suggestion"}}})),
      unmatched_(registry.AddGauges({.name = "kessai_reconciliation_outside_unmatched_items",
                                     .help = "Unmatched items, by account outside and side"},
                                    {AccountsOf(accounts), Sides()})),
      unmatched_value_(
          registry.AddGauges({.name = "kessai_reconciliation_outside_unmatched_yen",
                              .help = "Amounts of unmatched items, summed without sign"},
                             {AccountsOf(accounts), Sides()})),
      overdue_(registry.AddGauges({.name = "kessai_reconciliation_outside_overdue_items",
                                   .help = "Unmatched items that are older than their account's "
                                           "overdue_days"},
                                  {AccountsOf(accounts), Sides()})),
      oldest_(registry.AddGauges({.name = "kessai_reconciliation_outside_oldest_days",
                                  .help = "Age of the oldest unmatched item"},
                                 {AccountsOf(accounts), Sides()})) {}

void OutsideMetrics::OnImport(const app::StatementImport& import) {
    imported_.With("added").Add(static_cast<std::uint64_t>(import.added));
    imported_.With("known").Add(static_cast<std::uint64_t>(import.known));
    imported_.With("broken").Add(static_cast<std::uint64_t>(import.broken));
}

void OutsideMetrics::OnRun(const app::MatchingRun& run) {
    made_.With({run.account, "match"}).Add(static_cast<std::uint64_t>(run.matches_made));
    made_.With({run.account, "suggestion"}).Add(static_cast<std::uint64_t>(run.suggestions_made));
}

void OutsideMetrics::OnSummaries(std::span<const app::AccountSummary> summaries) {
    for (const app::AccountSummary& summary : summaries) {
        for (const auto& [side, total] :
             {std::pair<std::string_view, const domain::UnmatchedTotal&>{"expected",
                                                                         summary.expected},
              {"booked", summary.booked}}) {
            const std::string& account = summary.account.name;
            unmatched_.With({account, side}).Set(total.count);
            unmatched_value_.With({account, side}).Set(total.value);
            overdue_.With({account, side}).Set(total.overdue_count);
            oldest_.With({account, side}).Set(total.oldest_days);
        }
    }
}

}  // namespace kessai::reconciliation::transport
