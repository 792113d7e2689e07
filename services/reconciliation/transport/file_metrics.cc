#include "transport/file_metrics.h"

namespace kessai::reconciliation::transport {

FileMetrics::FileMetrics(metrics::Registry& registry)
    : runs_(registry.AddCounters({.name = "kessai_reconciliation_file_runs_total",
                                  .help = "Attempts to make a day's files, by how they ended"},
                                 {{"state", {"done", "failed", "stopped", "refused"}}})),
      merchants_(registry.AddCounters(
          {.name = "kessai_reconciliation_file_merchants_total",
           .help = "Merchants that runs of files were done with, by what became of them"},
          {{"outcome", {"made", "unchanged", "refused"}}})),
      files_(registry.AddCounter({.name = "kessai_reconciliation_files_total",
                                  .help = "Merchants' files that were made"})),
      rows_(registry.AddCounter({.name = "kessai_reconciliation_file_rows_total",
                                 .help = "Rows in merchants' files that were made"})),
      bytes_(registry.AddCounter({.name = "kessai_reconciliation_file_bytes_total",
                                  .help = "Bytes of merchants' files that were made, as stored"})),
      removed_(registry.AddCounter({.name = "kessai_reconciliation_files_removed_total",
                                    .help = "Merchants' files whose content was removed, having "
                                            "been kept long enough"})),
      run_seconds_(registry.AddHistogram({.name = "kessai_reconciliation_file_run_seconds",
                                          .help = "Time of an attempt to make a day's files"},
                                         metrics::kLongTime)),
      unfinished_(registry.AddGauge({.name = "kessai_reconciliation_file_runs_unfinished",
                                     .help = "Runs of files that wait, run, or failed and are "
                                             "tried again"})) {}

void FileMetrics::OnRun(const domain::FileRun& before, const domain::FileRun& after) {
    switch (after.state) {
        case domain::FileRunState::kDone:
            runs_.With("done").Add();
            break;
        case domain::FileRunState::kFailed:
            runs_.With("failed").Add();
            break;
        case domain::FileRunState::kWaiting:
        case domain::FileRunState::kRunning:
        case domain::FileRunState::kCancelled:
            runs_.With("stopped").Add();
            break;
    }
    const domain::FileRunProgress& was = before.progress;
    const domain::FileRunProgress& is = after.progress;
    merchants_.With("made").Add(is.merchants_done - was.merchants_done);
    merchants_.With("unchanged").Add(is.merchants_unchanged - was.merchants_unchanged);
    merchants_.With("refused").Add(is.merchants_refused - was.merchants_refused);
    files_.Add(is.files - was.files);
    rows_.Add(is.rows - was.rows);
    bytes_.Add(is.bytes - was.bytes);
    if (after.finished_at > after.started_at) {
        run_seconds_.Observe(after.finished_at - after.started_at);
    }
}

}  // namespace kessai::reconciliation::transport
