#include "transport/executor_metrics.h"

#include "kessai/log/log.h"

namespace kessai::payment::transport {

ExecutorMetrics::ExecutorMetrics(metrics::Registry& registry)
    : commands_(registry.AddCounter({.name = "kessai_payment_commands_total",
                                     .help = "Commands executed, refused ones too"})),
      changes_(registry.AddCounter(
          {.name = "kessai_payment_changes_total", .help = "Changes of money committed"})),
      batch_size_(registry.AddHistogram(
          {.name = "kessai_payment_batch_commands", .help = "Commands in a batch"},
          metrics::kCount)),
      batch_seconds_(registry.AddHistogram(
          {.name = "kessai_payment_batch_seconds", .help = "Time of a batch's transaction"},
          metrics::kLatency)),
      retries_(registry.AddCounters(
          {.name = "kessai_payment_batch_retries_total",
           .help = "Batches run again, by the code of what failed"},
          {{"code", {"ABORTED", "UNAVAILABLE", "UNKNOWN", "ALREADY_EXISTS"}}})),
      recalled_(registry.AddCounter({.name = "kessai_payment_rows_recalled_total",
                                     .help = "Rows that batches knew and did not read"})),
      guessed_wrong_(registry.AddCounter(
          {.name = "kessai_payment_batch_guesses_wrong_total",
           .help = "Batches run again with all rows read, because a known row had changed"})),
      splits_(registry.AddCounter({.name = "kessai_payment_batch_splits_total",
                                   .help = "Batches cut in halves after a permanent error"})),
      dropped_(registry.AddCounter({.name = "kessai_payment_commands_dropped_total",
                                    .help = "Commands past their deadline"})) {}

void ExecutorMetrics::OnBatch(std::size_t commands, std::size_t changes, std::size_t recalled,
                              Duration took) {
    commands_.Add(commands);
    changes_.Add(changes);
    recalled_.Add(recalled);
    batch_size_.Observe(commands);
    batch_seconds_.Observe(took);
}

void ExecutorMetrics::OnRetry(const Status& why) {
    retries_.With(CodeName(why.code())).Add();
    log::Debug("payment.batch_runs_again", {{"status", why}});
}

void ExecutorMetrics::OnGuessedWrong(const Status& why) {
    guessed_wrong_.Add();
    log::Debug("payment.batch_guessed_wrong", {{"status", why}});
}

void ExecutorMetrics::OnSplit() {
    splits_.Add();
}
void ExecutorMetrics::OnDropped() {
    dropped_.Add();
}

void ExecutorMetrics::OnFailed(const Status& why) {
    log::Error("payment.command_failed", {{"status", why}});
}

std::shared_ptr<void> ExecutorMetrics::ExposeQueue(metrics::Registry& registry,
                                                   const app::BatchExecutor& executor) {
    return registry.AddCallbackGauge(
        {.name = "kessai_payment_queue_commands", .help = "Commands that wait for an executor"},
        [&executor] { return static_cast<double>(executor.queue_depth()); });
}

}  // namespace kessai::payment::transport
