#include "transport/file_worker.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "kessai/log/log.h"

namespace kessai::reconciliation::transport {

namespace {

constexpr int kRunsPerRound = 32;
/// How often somebody who waits for a run of another replica looks at it.
constexpr Duration kLookEvery = std::chrono::milliseconds(300);
/// A writer is not silent for so long.
constexpr std::chrono::seconds kHalvesAge = std::chrono::hours(24);

}  // namespace

FileWorker::FileWorker(FileWorkerOptions options, Ports ports, FileMetrics& metrics,
                       const Clock& clock)
    : options_(std::move(options)), ports_(ports), metrics_(metrics), clock_(clock) {}

FileWorker::~FileWorker() {
    Stop();
}

void FileWorker::Start() {
    thread_ = std::jthread([this](const std::stop_token& stop) { Work(stop); });
}

void FileWorker::Stop() {
    {
        std::lock_guard lock(mutex_);
        stopped_ = true;
        ended_.notify_all();
    }
    if (thread_.joinable()) {
        thread_.request_stop();
        thread_.join();
    }
}

Result<domain::FileRun> FileWorker::Find(domain::FileRunId id) {
    domain::FileRun run;
    KESSAI_RETURN_IF_ERROR(ports_.transactions.Run([&](app::FileBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(run, books.FindRun(id));
        return OkStatus();
    }));
    return run;
}

Result<domain::FileRun> FileWorker::Await(domain::FileRunId id, SteadyInstant deadline) {
    std::unique_lock lock(mutex_);
    asked_ = true;
    wake_.notify_one();
    while (true) {
        lock.unlock();
        KESSAI_ASSIGN_OR_RETURN(domain::FileRun run, Find(id));
        lock.lock();
        const SteadyInstant now = clock_.SteadyNow();
        const bool under_way = run.state == domain::FileRunState::kWaiting ||
                               run.state == domain::FileRunState::kRunning;
        if (!under_way || stopped_ || now >= deadline) return run;
        ended_.wait_for(lock, std::min<SteadyInstant::duration>(kLookEvery, deadline - now));
    }
}

void FileWorker::Work(const std::stop_token& stop) {
    SteadyInstant next_sweep = clock_.SteadyNow();
    while (!stop.stop_requested()) {
        if (clock_.SteadyNow() >= next_sweep) {
            Sweep();
            next_sweep = clock_.SteadyNow() + options_.sweep_every;
        }
        Poll(stop);
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, stop, options_.poll_every, [this] { return asked_; });
        asked_ = false;
    }
}

void FileWorker::Poll(const std::stop_token& stop) {
    if (!built_in_put_) {
        const Status put = ports_.templates.PutBuiltIn();
        built_in_put_ = put.ok();
        if (!put.ok()) log::Warn("reconciliation.file_templates_not_put", {{"status", put}});
    }
    const Status ordered = ports_.orders.OrderDue(stop);
    if (!ordered.ok()) log::Warn("reconciliation.files_not_scheduled", {{"status", ordered}});
    RunDue(stop);
    SweepRuns(stop);
    RemoveOld(stop);
}

void FileWorker::RunDue(const std::stop_token& stop) {
    std::vector<domain::FileRunId> due;
    std::int64_t unfinished = 0;
    const auto list = [&] {
        return ports_.transactions.Run([&](app::FileBooks& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(due, books.ListDueRuns(clock_.Now(), kRunsPerRound));
            KESSAI_ASSIGN_OR_RETURN(unfinished, books.CountUnfinishedRuns());
            return OkStatus();
        });
    };
    if (const Status listed = list(); !listed.ok()) {
        log::Warn("reconciliation.file_runs_unknown", {{"status", listed}});
        return;
    }
    for (const domain::FileRunId id : due) {
        if (stop.stop_requested()) return;
        metrics_.OnUnfinished(unfinished);
        RunOne(id, stop);
    }
    if (!due.empty() && !list().ok()) return;
    metrics_.OnUnfinished(unfinished);
}

void FileWorker::RunOne(domain::FileRunId id, const std::stop_token& stop) {
    const auto before = Find(id);
    const auto after = before.ok() ? ports_.runs.Run(id, stop) : before;
    {
        std::lock_guard lock(mutex_);
        ended_.notify_all();
    }
    if (after.status().reason() == "FILE_RUN_RUNNING") return;
    if (!after.ok()) {
        metrics_.OnRunRefused();
        log::Warn("reconciliation.files_not_made",
                  {{"run_id", id.value()}, {"status", after.status()}});
        return;
    }
    metrics_.OnRun(*before, *after);
    const log::Fields fields{{"run_id", id.value()},
                             {"template", after->order.template_name},
                             {"business_date", after->order.business_date.ToString()},
                             {"state", domain::FileRunStateName(after->state)},
                             {"merchants_done", after->progress.merchants_done},
                             {"merchants_unchanged", after->progress.merchants_unchanged},
                             {"merchants_refused", after->progress.merchants_refused},
                             {"files", after->progress.files},
                             {"rows", after->progress.rows},
                             {"attempts", after->attempts},
                             {"reason", after->reason},
                             {"message", after->message}};
    if (after->state == domain::FileRunState::kFailed || after->progress.merchants_refused > 0) {
        log::Error("reconciliation.files_incomplete", fields);
    } else {
        log::Info("reconciliation.files_made", fields);
    }
}

void FileWorker::SweepRuns(const std::stop_token& stop) {
    const auto swept = ports_.runs.Sweep(stop);
    if (!swept.ok()) {
        log::Warn("reconciliation.file_runs_not_swept", {{"status", swept.status()}});
    } else if (*swept > 0) {
        log::Info("reconciliation.file_runs_swept", {{"files", *swept}});
    }
}

void FileWorker::RemoveOld(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        const auto removed = ports_.files.RemoveExpired();
        if (!removed.ok()) {
            log::Warn("reconciliation.files_not_removed", {{"status", removed.status()}});
            return;
        }
        metrics_.OnRemoved(*removed);
        if (*removed == 0) break;
    }
    while (!stop.stop_requested()) {
        const auto forgotten = ports_.files.ForgetOld();
        if (!forgotten.ok()) {
            log::Warn("reconciliation.files_not_forgotten", {{"status", forgotten.status()}});
            return;
        }
        if (*forgotten == 0) return;
    }
}

void FileWorker::Sweep() {
    const auto swept = ports_.store.Sweep(kHalvesAge);
    if (!swept.ok()) log::Warn("reconciliation.file_store_not_swept", {{"status", swept.status()}});
}

}  // namespace kessai::reconciliation::transport
