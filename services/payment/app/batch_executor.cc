#include "app/batch_executor.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "domain/refusal.h"
#include "kessai/faults/fault_point.h"

namespace kessai::payment::app {
namespace {

/// A transaction that fails like this left nothing behind and may succeed when run again.
bool WorthRunningAgain(const Status& status) {
    return status.code() == Code::kAborted || status.code() == Code::kUnavailable ||
           status.code() == Code::kUnknown || status.code() == Code::kAlreadyExists;
}

/// Another replica's row is found by the next run. So many collisions in a row are no race.
constexpr int kCollisionsMax = 3;

/// Batches that read all their rows after one that guessed wrong.
constexpr int kReadingAfterWrongGuess = 8;

/// Whether a batch that recalled rows may have failed for that. Of the two others one is the
/// server's state, and the other may have been committed.
bool MayBeWrongGuess(const Status& status) {
    return status.code() != Code::kUnavailable && status.code() != Code::kUnknown;
}

}  // namespace

struct BatchExecutor::Pending {
    Submission submission;
    /// A commit that held this command may have happened though its reply was lost.
    bool maybe_committed = false;
    std::optional<Result<domain::Outcome>> outcome;

    /// Ends without having been run to an end. `why` holds for the last attempt only.
    void Fail(Status why) {
        outcome = maybe_committed ? Status(Code::kUnknown, "OUTCOME_UNKNOWN",
                                           "the commit's reply was lost; then " + why.ToString())
                                  : std::move(why);
    }
};

BatchExecutor::BatchExecutor(ExecutorOptions options, LedgerStore& store,
                             const BatchServices& services, const Clock& clock,
                             ExecutorObserver& observer)
    : options_(options),
      store_(store),
      services_(services),
      clock_(clock),
      observer_(observer),
      known_(options_.known) {
    KESSAI_CHECK(options_.executors > 0 && options_.batch_max > 0 && options_.queue_max > 0,
                 "executor options are positive");
}

BatchExecutor::~BatchExecutor() {
    Stop();
}

void BatchExecutor::Start() {
    {
        const std::lock_guard lock(mutex_);
        KESSAI_CHECK(threads_.empty(), "started once");
        accepting_ = true;
    }
    for (int i = 0; i < options_.executors; ++i) {
        threads_.emplace_back([this, slot = options_.first_gate_slot + i](std::stop_token stop) {
            Loop(stop, slot);
        });
    }
}

void BatchExecutor::Stop() {
    {
        const std::lock_guard lock(mutex_);
        accepting_ = false;
    }
    for (std::jthread& thread : threads_) thread.request_stop();
    arrived_.notify_all();
    threads_.clear();
}

std::size_t BatchExecutor::queue_depth() const {
    const std::lock_guard lock(mutex_);
    return queue_.size();
}

void BatchExecutor::Submit(Submission submission) {
    Submit({&submission, 1});
}

void BatchExecutor::Submit(std::span<Submission> submissions) {
    std::vector<std::pair<Submission*, Status>> refused;
    for (Submission& submission : submissions) {
        Status valid = domain::Validate(submission.command, services_.policy);
        if (!valid.ok()) refused.emplace_back(&submission, std::move(valid));
    }
    std::size_t next_refused = 0;
    {
        const std::lock_guard lock(mutex_);
        const std::size_t invalid = refused.size();
        for (Submission& submission : submissions) {
            if (next_refused < invalid && refused[next_refused].first == &submission) {
                ++next_refused;
                continue;
            }
            if (!accepting_) {
                refused.emplace_back(&submission, Status(Code::kUnavailable, "SHUTTING_DOWN",
                                                         "the service is shutting down"));
            } else if (queue_.size() >= static_cast<std::size_t>(options_.queue_max)) {
                refused.emplace_back(&submission, domain::Refuse(domain::Refusal::kQueueFull,
                                                                 "too many commands are waiting"));
            } else {
                queue_.push_back(Pending{std::move(submission), false, std::nullopt});
            }
        }
    }
    arrived_.notify_one();
    for (auto& [submission, why] : refused) {
        submission->reply->Deliver(submission->tag, std::move(why));
    }
}

void BatchExecutor::Loop(std::stop_token stop, int slot) {
    while (true) {
        std::vector<Pending> batch = TakeBatch(stop);
        if (batch.empty()) return;
        std::vector<Pending*> open;
        open.reserve(batch.size());
        for (Pending& pending : batch) open.push_back(&pending);
        Run(std::move(open), slot);

        std::unordered_set<ReplySink*> sinks;
        for (Pending& pending : batch) {
            Submission& submission = pending.submission;
            submission.reply->Deliver(submission.tag, std::move(*pending.outcome));
            sinks.insert(submission.reply.get());
        }
        for (ReplySink* sink : sinks) sink->Flush();
        const std::lock_guard lock(mutex_);
        --busy_;
    }
}

std::vector<BatchExecutor::Pending> BatchExecutor::TakeBatch(std::stop_token stop) {
    const auto batch_max = static_cast<std::size_t>(options_.batch_max);
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, stop, [this] { return !queue_.empty(); });
    if (queue_.empty()) return {};  // Stopped, and all that was accepted is done.
    if (busy_ > 0 && options_.gather.count() > 0 && queue_.size() < batch_max) {
        // Another batch is on its way: what arrives until then is cheaper to take along.
        arrived_.wait_for(lock, stop, options_.gather,
                          [&] { return queue_.size() >= batch_max || busy_ == 0; });
    }
    std::vector<Pending> batch;
    batch.reserve(std::min(queue_.size(), batch_max));
    while (!queue_.empty() && batch.size() < batch_max) {
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    // While gathering, the other executor may have taken all.
    if (batch.empty()) {
        lock.unlock();
        return TakeBatch(stop);
    }
    ++busy_;
    return batch;
}

void BatchExecutor::DropExpired(std::vector<Pending*>& open) {
    const SteadyInstant now = clock_.SteadyNow();
    std::erase_if(open, [&](Pending* pending) {
        if (pending->submission.deadline > now) return false;
        observer_.OnDropped();
        pending->Fail(Status(Code::kDeadlineExceeded, "DEADLINE_EXCEEDED",
                             "the command's time was over before it was applied"));
        return true;
    });
}

void BatchExecutor::BackOff(Duration& wait) {
    // Jitter keeps replicas that collided from colliding again; any fast-moving number will do.
    const auto jitter_percent = clock_.SteadyNow().time_since_epoch().count() / 64 % 100;
    clock_.SleepFor(wait / 2 + wait * jitter_percent / 200);
    wait = std::min(wait * 2, options_.retry_backoff_max);
}

void BatchExecutor::Run(std::vector<Pending*> open, int slot) {
    Duration wait = options_.retry_backoff;
    int collisions = 0;
    Reading reading = NextReading();
    while (true) {
        DropExpired(open);
        if (open.empty()) return;
        auto result = RunOnce(open, slot, reading);
        if (result.ok()) {
            for (std::size_t i = 0; i < open.size(); ++i) {
                open[i]->outcome.emplace(std::move(result->outcomes[i]));
            }
            return;
        }
        const Status status = std::move(result).status();
        if (std::exchange(reading, Reading::kAll) == Reading::kUnknown && MayBeWrongGuess(status)) {
            observer_.OnGuessedWrong(status);
            reading_all_ = kReadingAfterWrongGuess;
            continue;
        }
        if (status.code() == Code::kUnknown) {
            for (Pending* pending : open) pending->maybe_committed = true;
        }
        const bool collided = status.code() == Code::kAlreadyExists;
        collisions = collided ? collisions + 1 : 0;
        if (!WorthRunningAgain(status) || collisions == kCollisionsMax) {
            if (open.size() > 1) break;
            observer_.OnFailed(status);
            open.front()->Fail(collided ? Status(Code::kInternal, "KEY_COLLISION",
                                                 "what the command writes is there already")
                                        : status);
            return;
        }
        // Shutting down, what was accepted still gets its retries: they end with its deadlines.
        observer_.OnRetry(status);
        BackOff(wait);
    }
    // A permanent error, or a row that is always there already: one command is at fault, and the
    // others need not fail with it.
    observer_.OnSplit();
    const auto middle = open.begin() + static_cast<std::ptrdiff_t>(open.size() / 2);
    Run({open.begin(), middle}, slot);
    Run({middle, open.end()}, slot);
}

Reading BatchExecutor::NextReading() {
    const bool remembers = options_.known.codes_max > 0 && options_.known.wallets_max > 0;
    if (!remembers) return Reading::kAll;
    if (reading_all_ == 0) return Reading::kUnknown;
    // Executors may count it down together: how many batches read is no exact number.
    if (--reading_all_ < 0) reading_all_ = 0;
    return Reading::kAll;
}

Result<BatchOutcome> BatchExecutor::RunOnce(std::span<Pending* const> batch, int slot,
                                            Reading reading) {
    const SteadyInstant began = clock_.SteadyNow();
    std::vector<BatchCommand> commands;
    commands.reserve(batch.size());
    for (const Pending* pending : batch) {
        commands.push_back({&pending->submission.command, pending->submission.traceparent});
    }
    KESSAI_ASSIGN_OR_RETURN(const auto transaction, store_.Begin(slot));
    KESSAI_ASSIGN_OR_RETURN(BatchOutcome outcome,
                            ExecuteBatch(*transaction, commands, services_, known_, reading));
    if (outcome.changed) {
        KESSAI_RETURN_IF_ERROR(transaction->Commit());
        KESSAI_FAULT_POINT("payment.after_commit");
    }
    known_.Keep(std::move(outcome.rows));
    observer_.OnBatch(batch.size(), outcome.events, outcome.recalled,
                      std::chrono::duration_cast<Duration>(clock_.SteadyNow() - began));
    return outcome;
}

}  // namespace kessai::payment::app
