#include "app/commit_queue.h"

#include <algorithm>
#include <utility>

namespace kessai::reconciliation::app {

CommitQueue::CommitQueue(filestore::FileStore& store, FileProgress& progress)
    : store_(store), progress_(progress), together_max_(store.together_max()) {
    if (together_max_ > 1) thread_ = std::thread([this] { Run(); });
}

CommitQueue::~CommitQueue() {
    {
        const std::lock_guard lock(mutex_);
        dropped_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

Status CommitQueue::Add(FinishedMerchant finished) {
    if (together_max_ <= 1) {
        std::vector<FinishedMerchant> alone;
        alone.push_back(std::move(finished));
        return Commit(std::move(alone));
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !failure_.ok() || waiting_files_ < together_max_; });
    if (!failure_.ok()) return failure_;
    waiting_files_ += std::max<std::size_t>(1, finished.sealed.size());
    waiting_.push_back(std::move(finished));
    changed_.notify_all();
    return OkStatus();
}

Status CommitQueue::Finish() {
    {
        const std::lock_guard lock(mutex_);
        adding_ended_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
    return failure_;
}

void CommitQueue::Run() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return dropped_ || adding_ended_ || !waiting_.empty(); });
        if (dropped_ || waiting_.empty()) return;
        auto finished = std::exchange(waiting_, {});
        waiting_files_ = 0;
        changed_.notify_all();
        lock.unlock();
        Status status = Commit(std::move(finished));
        lock.lock();
        if (status.ok()) continue;
        failure_ = std::move(status);
        changed_.notify_all();
        return;
    }
}

Status CommitQueue::Commit(std::vector<FinishedMerchant> finished) {
    std::vector<filestore::FileToCommit> files;
    for (const FinishedMerchant& of : finished) {
        for (const SealedFile& file : of.sealed) files.push_back(file.ToCommit());
    }
    const std::vector<Status> outcomes = store_.CommitTogether(files);
    Status first;
    auto outcome = outcomes.begin();
    for (FinishedMerchant& of : finished) {
        Status committed;
        for (std::size_t i = 0; i < of.sealed.size(); ++i, ++outcome) {
            if (committed.ok()) committed = *outcome;
        }
        Status told = Tell(std::move(of), committed);
        if (first.ok()) first = std::move(told);
    }
    return first;
}

Status CommitQueue::Tell(FinishedMerchant finished, const Status& committed) {
    if (!committed.ok() && !IsOfFile(committed)) return committed;
    FileRunTotals more;
    if (committed.ok()) {
        more.merchants = 1;
        for (SealedFile& file : finished.sealed) finished.made.push_back(std::move(file.made));
        more.files = finished.made.size();
        for (const MadeFile& file : finished.made) {
            more.rows += file.written.rows;
            more.bytes += file.written.bytes;
        }
    } else {
        more.refused = 1;
    }
    finished.sealed.clear();
    KESSAI_RETURN_IF_ERROR(committed.ok()
                               ? progress_.Made(finished.merchant, std::move(finished.made))
                               : progress_.Refused(finished.merchant, committed));
    const std::lock_guard lock(mutex_);
    totals_.Add(more);
    return OkStatus();
}

}  // namespace kessai::reconciliation::app
