#include "transport/repair_metrics.h"

#include <array>
#include <string>
#include <vector>

namespace kessai::reconciliation::transport {

namespace {

std::vector<std::string> Kinds() {
    std::vector<std::string> names;
    for (int kind = 1; kind <= domain::kRepairKinds; ++kind) {
        names.emplace_back(domain::KindName(static_cast<domain::RepairKind>(kind)));
    }
    return names;
}

std::vector<std::string> Ends() {
    std::vector<std::string> names;
    for (int state = 1; state <= domain::kRepairStates; ++state) {
        const auto one = static_cast<domain::RepairState>(state);
        if (domain::Ended(one)) names.emplace_back(domain::StateName(one));
    }
    return names;
}

}  // namespace

RepairMetrics::RepairMetrics(metrics::Registry& registry)
    : ended_(registry.AddCounters({.name = "kessai_reconciliation_repairs_total",
                                   .help = "Repairs that ended, by kind and how"},
                                  {{"kind", Kinds()}, {"outcome", Ends()}})),
      troubles_(registry.AddCounter(
          {.name = "kessai_reconciliation_repair_troubles_total",
           .help = "Times that a repair could not be carried on; it is tried again"})),
      open_(registry.AddGauges(
          {.name = "kessai_reconciliation_open_repairs", .help = "Repairs that have not ended"},
          {{"kind", Kinds()}})) {}

void RepairMetrics::OnEnd(const domain::Repair& repair) {
    ended_.With({domain::KindName(repair.kind), domain::StateName(repair.state)}).Add();
}

void RepairMetrics::OnOpen(std::span<const app::OpenRepairs> open) {
    std::array<std::int64_t, domain::kRepairKinds> counts{};
    for (const app::OpenRepairs& of_kind : open) {
        const auto position = static_cast<std::size_t>(of_kind.kind) - 1;
        if (position < counts.size()) counts[position] = of_kind.count;
    }
    for (std::size_t i = 0; i < counts.size(); ++i) open_.At(i).Set(counts[i]);
}

}  // namespace kessai::reconciliation::transport
