#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>

#include "app/file_books.h"
#include "app/file_rows.h"
#include "app/make_files.h"
#include "domain/merchant_files.h"
#include "kessai/filestore/file_store.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

struct RunFilesOptions {
    /// As of MakeFiles.
    MakeFilesOptions make{};
    /// How long the content of files is kept.
    std::chrono::hours keep = std::chrono::days(90);
    /// Before a run that failed is tried again: it doubles.
    Duration retry_first = std::chrono::seconds(10);
    Duration retry_max = std::chrono::minutes(10);
    /// Merchants whose files are noted in one transaction, if they come fast; all are after
    /// `note_every`.
    std::size_t note_merchants_max = 200;
    Duration note_every = std::chrono::milliseconds(500);
};

/// Use case: work on a run until every merchant has its files or was refused. Files are stored
/// first and noted with their events afterwards, many in one transaction: what a kill leaves stored
/// and not noted is made again, and swept when the run has ended. Thread safe; one replica works on
/// a run.
class RunFiles {
 public:
    /// All must outlive it.
    RunFiles(FileTransactions& transactions, FileRunLeases& leases, FileRows& rows,
             filestore::FileStore& store, const Clock& clock, RunFilesOptions options)
        : transactions_(transactions),
          leases_(leases),
          rows_(rows),
          store_(store),
          clock_(clock),
          options_(std::move(options)) {}

    /// The run as it stands afterwards: DONE; FAILED, with the reason and when it is tried again;
    /// WAITING when it was stopped; or CANCELLED. ABORTED FILE_RUN_RUNNING: another replica has it.
    Result<domain::FileRun> Run(domain::FileRunId id, std::stop_token stop);

    /// Removes from the store what runs that have ended left there and no file refers to: of
    /// attempts that were killed, and copies of what was there already. Says how many files. What
    /// cannot be removed is tried again another time.
    Result<int> Sweep(const std::stop_token& stop);

 private:
    class Progress;

    Result<domain::FileRun> Begin(domain::FileRunId id, const FileRunLease& lease);
    Status Make(const domain::FileRun& run, const FileRunLease& lease, std::stop_token stop);
    Result<domain::FileRun> End(domain::FileRun run, const FileRunLease& lease,
                                const Status& outcome, bool stopped);

    /// Removes what only a run that goes on needs to know.
    void Forget(domain::FileRunId id);
    Result<int> SweepRun(const domain::FileRun& run, const std::stop_token& stop);
    void NoteToSweep(domain::FileRunId id);

    FileTransactions& transactions_;
    FileRunLeases& leases_;
    FileRows& rows_;
    filestore::FileStore& store_;
    const Clock& clock_;
    const RunFilesOptions options_;
};

}  // namespace kessai::reconciliation::app
