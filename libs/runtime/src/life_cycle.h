#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "admin_server.h"
#include "kessai/metrics/registry.h"
#include "parts.h"

namespace kessai::runtime {

/// Takes the components of a process from start to stop, and knows at any moment whether it should
/// get traffic. Run by the main thread; `Readiness` may be asked by any.
class LifeCycle {
 public:
    explicit LifeCycle(Context::Parts& parts);

    /// Starts, serves until the end is asked for, drains and stops; gives the exit code.
    int Run();
    /// The body and status of /readyz.
    AdminReply Readiness() const;
    /// Calls that did not return in time and may still use what they were given: nothing may be
    /// destroyed then.
    bool left_running() const { return left_running_; }

 private:
    enum class State { kStarting, kServing, kDraining };
    struct Seen {
        bool ready = false;
        std::string reason;
    };

    Status StartAll();
    void Serve();
    void DrainAll();
    void StopAll();
    void Observe();
    void Publish(State state, const std::vector<Seen>& seen);
    bool Bounded(std::string_view what, const std::string& component, std::function<void()> call,
                 SteadyInstant deadline);

    Context::Parts& parts_;
    metrics::Gauge& ready_gauge_;
    std::size_t started_ = 0;
    std::vector<Seen> seen_;
    bool drain_timed_out_ = false;
    bool stop_timed_out_ = false;
    bool left_running_ = false;

    mutable std::mutex mutex_;
    AdminReply readiness_;
    bool ready_ = false;
};

}  // namespace kessai::runtime
