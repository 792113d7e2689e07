#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "app/make_files.h"
#include "app/store_sink.h"
#include "kessai/filestore/file_store.h"
#include "kessai/result/result.h"

namespace kessai::reconciliation::app {

/// All files of a merchant: those that are in the store, and those behind them that are only to be
/// committed.
struct FinishedMerchant {
    domain::MerchantId merchant;
    std::vector<MadeFile> made;
    std::vector<SealedFile> sealed;
};

/// Commits the files of merchants and tells of them, several merchants at a time where the store
/// has something of it: what gathers while the last commit is on its way is the next one. Thread
/// safe.
class CommitQueue {
 public:
    CommitQueue(filestore::FileStore& store, FileProgress& progress);
    /// Drops what was not committed.
    ~CommitQueue();
    CommitQueue(const CommitQueue&) = delete;
    CommitQueue& operator=(const CommitQueue&) = delete;

    /// Waits while enough files for a commit wait. A refusal of the store or of the progress, of
    /// whichever merchant, ends it.
    Status Add(FinishedMerchant finished);
    /// When all have added: waits for the rest.
    Status Finish();
    /// Of merchants that were told of. After Finish.
    const FileRunTotals& totals() const { return totals_; }

 private:
    void Run();
    /// Each file is there or not, each merchant is told of, and the first refusal is returned.
    Status Commit(std::vector<FinishedMerchant> finished);
    Status Tell(FinishedMerchant finished, const Status& committed);

    filestore::FileStore& store_;
    FileProgress& progress_;
    const std::size_t together_max_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<FinishedMerchant> waiting_;
    std::size_t waiting_files_ = 0;
    bool adding_ended_ = false;
    bool dropped_ = false;
    Status failure_;
    FileRunTotals totals_;
    std::thread thread_;
};

}  // namespace kessai::reconciliation::app
