#include "transport/due_date_telemetry.h"

#include <chrono>
#include <string>
#include <vector>

namespace kessai::payout::transport {

DueDateTelemetry::DueDateTelemetry(metrics::Registry& registry)
    : runs_(registry.AddCounters(
          {.name = "kessai_payout_due_dates_total",
           .help = "Due dates that the schedule made transfers of, and rounds that were refused"},
          {{"outcome", std::vector<std::string>{"done", "refused"}}})),
      late_(registry.AddGauge({.name = "kessai_payout_due_date_late_seconds",
                               .help = "How late the oldest due date of the schedule is whose "
                                       "transfers are not made; 0: none"})),
      error_lines_(std::chrono::seconds(10)) {}

app::KeepDueDates::Observer DueDateTelemetry::Observer() {
    return {.on_error =
                [this](const Status& why) {
                    runs_.With("refused").Add();
                    if (!error_lines_.Allow()) return;
                    log::Warn("due_dates.refused",
                              {{"why", why}, {"suppressed", error_lines_.TakeSuppressed()}});
                },
            .on_done =
                [this](const app::TransferRun& run, Duration late) {
                    runs_.With("done").Add();
                    log::Info("due_dates.done", {{"due_date", run.due_date.ToString()},
                                                 {"transfer_date", run.transfer_date.ToString()},
                                                 {"transfers", run.transfer_count},
                                                 {"amount", run.amount},
                                                 {"held", run.held_count},
                                                 {"below_minimum", run.below_minimum_count},
                                                 {"late", late}});
                },
            .on_late = [this](Duration late) { late_.Set(late); },
            .on_files =
                [](BusinessDate date, const std::vector<app::TransferBatch>& batches) {
                    std::int64_t transfers = 0;
                    for (const app::TransferBatch& batch : batches) {
                        transfers += batch.transfer_count;
                    }
                    log::Info("transfer_files.made", {{"transfer_date", date.ToString()},
                                                      {"files", batches.size()},
                                                      {"transfers", transfers}});
                }};
}

}  // namespace kessai::payout::transport
