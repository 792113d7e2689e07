#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "app/file_books.h"
#include "app/file_templates.h"
#include "app/merchant_files.h"
#include "app/order_files.h"
#include "app/run_files.h"
#include "kessai/filestore/file_store.h"
#include "kessai/time/clock.h"
#include "transport/file_metrics.h"

namespace kessai::reconciliation::transport {

struct FileWorkerOptions {
    /// How often it looks for what is due.
    Duration poll_every = std::chrono::seconds(2);
    /// How often it looks for halves in the store that writers who died have left.
    Duration sweep_every = std::chrono::hours(1);
};

/// The thread that makes files, of runs that were asked for and of those that are due, one after
/// the other, sweeps up after them, and removes the content of those that expired. Thread safe.
class FileWorker {
 public:
    struct Ports {
        app::FileTransactions& transactions;
        app::FileTemplates& templates;
        app::OrderFiles& orders;
        app::RunFiles& runs;
        app::MerchantFiles& files;
        filestore::FileStore& store;
    };
    /// All must outlive it.
    FileWorker(FileWorkerOptions options, Ports ports, FileMetrics& metrics, const Clock& clock);
    ~FileWorker();
    FileWorker(const FileWorker&) = delete;
    FileWorker& operator=(const FileWorker&) = delete;

    void Start();
    /// Ends the run under way; another replica, or the next start, goes on with it.
    void Stop();

    /// Looks for a run at once, and waits until an attempt at it has ended, or until `deadline`.
    /// The run as it stands then. NOT_FOUND FILE_RUN_UNKNOWN.
    Result<domain::FileRun> Await(domain::FileRunId id, SteadyInstant deadline);

 private:
    void Work(const std::stop_token& stop);
    void Poll(const std::stop_token& stop);
    void RunDue(const std::stop_token& stop);
    void RunOne(domain::FileRunId id, const std::stop_token& stop);
    void SweepRuns(const std::stop_token& stop);
    void RemoveOld(const std::stop_token& stop);
    void Sweep();
    Result<domain::FileRun> Find(domain::FileRunId id);

    const FileWorkerOptions options_;
    const Ports ports_;
    FileMetrics& metrics_;
    const Clock& clock_;
    bool built_in_put_ = false;

    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::condition_variable ended_;
    bool asked_ = false;
    bool stopped_ = false;
    std::jthread thread_;
};

}  // namespace kessai::reconciliation::transport
