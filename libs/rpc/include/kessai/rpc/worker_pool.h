#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kessai/result/result.h"
#include "kessai/rpc/reason.h"

namespace kessai::rpc {

/// Threads for handlers that block (on MySQL, above all): gRPC's own few must never wait. The queue
/// is bounded; a full one refuses at once. Thread safe.
class WorkerPool {
 public:
    struct Options {
        /// For thread names and messages.
        std::string name = {};
        std::size_t threads = 8;
        std::size_t queue_max = 256;
    };

    explicit WorkerPool(Options options);
    /// Stops as Stop() does.
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    /// Runs `work()` on one of the threads. RESOURCE_EXHAUSTED QUEUE_FULL, or UNAVAILABLE DRAINING
    /// once stopped; `work` is then destroyed without having run. It may be move-only; it must not
    /// throw.
    template <class F>
    Status Submit(F work) {
        return Enqueue(std::make_unique<TaskOf<F>>(std::move(work)));
    }

    /// Takes no more, finishes what was accepted, ends the threads. Not from one of them.
    void Stop();

    struct Counts {
        std::size_t queued;
        std::size_t running;
        std::uint64_t refused;
    };
    Counts counts() const;
    const Options& options() const { return options_; }

 private:
    struct Task {
        virtual ~Task() = default;
        virtual void Run() = 0;
    };
    template <class F>
    struct TaskOf final : Task {
        explicit TaskOf(F run) : work(std::move(run)) {}
        void Run() override { work(); }
        F work;
    };

    Status Enqueue(std::unique_ptr<Task> task);
    void Work();

    const Options options_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::unique_ptr<Task>> queue_;
    std::size_t running_ = 0;
    std::uint64_t refused_ = 0;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace kessai::rpc
