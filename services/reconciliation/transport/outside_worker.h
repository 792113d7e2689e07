#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "app/match_outside.h"
#include "app/outside_enquiries.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"
#include "transport/outside_metrics.h"

namespace kessai::reconciliation::transport {

/// The thread that matches accounts whose imports were not followed by a run (the process was
/// killed in between, or the account had no rules yet), and keeps the gauges of what is unmatched.
/// Thread safe.
class OutsideWorker {
 public:
    /// All must outlive it.
    OutsideWorker(Duration poll_every, app::MatchOutside& match, app::OutsideEnquiries& enquiries,
                  OutsideMetrics& metrics)
        : poll_every_(poll_every), match_(match), enquiries_(enquiries), metrics_(metrics) {}
    ~OutsideWorker() { Stop(); }
    OutsideWorker(const OutsideWorker&) = delete;
    OutsideWorker& operator=(const OutsideWorker&) = delete;

    void Start();
    /// Waits for the run under way.
    void Stop();

    /// Once; for tests.
    void Poll();

 private:
    const Duration poll_every_;
    app::MatchOutside& match_;
    app::OutsideEnquiries& enquiries_;
    OutsideMetrics& metrics_;

    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread thread_;
};

}  // namespace kessai::reconciliation::transport
