#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "app/execute_batch.h"
#include "app/known_rows.h"
#include "app/ledger_store.h"
#include "domain/commands.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payment::app {

/// Where the outcomes of one caller's commands go. Called from executor threads. Outlives its
/// submissions.
class ReplySink {
 public:
    virtual ~ReplySink() = default;
    /// Exactly once for every submission, with the tag it was submitted with.
    virtual void Deliver(std::uint64_t tag, Result<domain::Outcome> outcome) = 0;
    /// After the last Deliver of a batch: time to send what has gathered.
    virtual void Flush() = 0;
};

struct Submission {
    domain::Command command;
    /// Dropped with DEADLINE_EXCEEDED when it is not applied by then.
    SteadyInstant deadline;
    /// W3C traceparent of the caller; travels with the events.
    std::string traceparent;
    std::shared_ptr<ReplySink> reply;
    std::uint64_t tag = 0;
};

struct ExecutorOptions {
    /// Threads, each with a session of its own.
    int executors = 2;
    /// Commands in one transaction; 1 is one transaction a command.
    int batch_max = 512;
    /// Commands that wait; more are refused with QUEUE_FULL.
    int queue_max = 16'384;
    /// How long a batch that is not full waits for more while another is being committed; never
    /// when all executors are idle.
    Duration gather{std::chrono::milliseconds(8)};
    /// The first back-off after a transaction that has to be run again; doubles up to the other.
    Duration retry_backoff{std::chrono::milliseconds(2)};
    Duration retry_backoff_max{std::chrono::milliseconds(500)};
    /// Rows that are remembered so that a batch need not read them; with zeros it reads all.
    KnownRows::Bounds known{.codes_max = 100'000, .wallets_max = 100'000};
    /// Which gate rows this process uses: first_gate_slot, first_gate_slot + 1, … modulo all.
    int first_gate_slot = 0;
};

/// Counts what executors do; implemented over the metrics library. Thread safe.
class ExecutorObserver {
 public:
    virtual ~ExecutorObserver() = default;
    /// `recalled`: rows that it did not have to read.
    virtual void OnBatch(std::size_t commands, std::size_t changes, std::size_t recalled,
                         Duration took) = 0;
    virtual void OnRetry(const Status& why) = 0;
    /// A batch that took rows to be as they were known failed, and runs again with all rows read.
    virtual void OnGuessedWrong(const Status& why) = 0;
    virtual void OnSplit() = 0;
    virtual void OnDropped() = 0;
    /// A command alone that the database refuses for good, and with what.
    virtual void OnFailed(const Status& why) = 0;
};

/// Executes commands in batches: what has gathered while the last transaction was on its way
/// becomes the next one. One commit and a handful of round trips serve them all; the database alone
/// makes it correct, so any number of replicas run executors side by side.
///
/// A deadlock, lost connection or lost commit reply runs the whole batch again (every command finds
/// its own outcome behind its key). So does a duplicate key, which another replica's commit
/// explains, but only some times in a row. A permanent error, and a collision that lasts, split it
/// by halves until the command at fault fails alone.
///
/// Rows that this process knows (KnownRows) are not read. A batch whose guess was wrong runs again
/// with all rows read, and so do the next few: replays and another replica's customers cost what
/// they would without a memory.
class BatchExecutor {
 public:
    BatchExecutor(ExecutorOptions options, LedgerStore& store, const BatchServices& services,
                  const Clock& clock, ExecutorObserver& observer);
    /// Stops.
    ~BatchExecutor();

    void Start();
    /// Takes no more, finishes what was accepted, then joins.
    void Stop();

    /// Validates and queues. A refusal is delivered at once, from this thread, without Flush.
    /// Thread safe.
    void Submit(Submission submission);
    /// Several of one caller under one lock.
    void Submit(std::span<Submission> submissions);

    std::size_t queue_depth() const;

 private:
    struct Pending;

    void Loop(std::stop_token stop, int slot);
    std::vector<Pending> TakeBatch(std::stop_token stop);
    /// Gives every command in `open` its outcome.
    void Run(std::vector<Pending*> open, int slot);
    Result<BatchOutcome> RunOnce(std::span<Pending* const> batch, int slot, Reading reading);
    /// For the next batch.
    Reading NextReading();
    void DropExpired(std::vector<Pending*>& open);
    void BackOff(Duration& wait);

    const ExecutorOptions options_;
    LedgerStore& store_;
    const BatchServices services_;
    const Clock& clock_;
    ExecutorObserver& observer_;
    KnownRows known_;
    /// How many of the next batches read all rows.
    std::atomic<int> reading_all_ = 0;

    mutable std::mutex mutex_;
    std::condition_variable_any arrived_;
    std::deque<Pending> queue_;
    bool accepting_ = false;
    int busy_ = 0;
    std::vector<std::jthread> threads_;
};

}  // namespace kessai::payment::app
