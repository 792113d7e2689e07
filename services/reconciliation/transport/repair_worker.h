#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

#include "app/books.h"
#include "app/run_repairs.h"
#include "kessai/time/clock.h"
#include "transport/repair_metrics.h"

namespace kessai::reconciliation::transport {

struct RepairWorkerOptions {
    /// How often repairs are carried on.
    Duration poll_every = std::chrono::seconds(2);
    app::RepairPolicy policy{};
};

/// The thread that carries repairs on, in the replica that holds the right to. Thread safe.
class RepairWorker {
 public:
    /// `holds` says whether this replica has the right now. All must outlive it.
    RepairWorker(RepairWorkerOptions options, const app::RepairPorts& ports, RepairMetrics& metrics,
                 std::function<bool()> holds);
    ~RepairWorker();
    RepairWorker(const RepairWorker&) = delete;
    RepairWorker& operator=(const RepairWorker&) = delete;

    void Start();
    /// Ends behind the repair that is under way.
    void Stop();
    /// Carries repairs on once, on the caller's thread; for Start's thread and for tests.
    void RunOnce(const std::stop_token& stop);

 private:
    void Work(const std::stop_token& stop);

    const RepairWorkerOptions options_;
    app::Transactions& transactions_;
    RepairMetrics& metrics_;
    const std::function<bool()> holds_;
    app::RunRepairs run_;

    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread thread_;
};

}  // namespace kessai::reconciliation::transport
