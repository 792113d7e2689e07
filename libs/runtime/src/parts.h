#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kessai/runtime/main.h"
#include "kessai/runtime/options.h"

namespace kessai::runtime {

/// Why the process is to end.
enum class Ending { kNone, kSignal, kFailure };

/// Lets any thread ask for the end, and one wait for it.
class EndRequest {
 public:
    void Ask(Ending ending, const Status& reason = {});
    /// Waits until it is asked for, or `until`.
    Ending WaitUntil(SteadyInstant until);
    Ending ending() const;
    /// Of a failure.
    Status reason() const;

 private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Ending ending_ = Ending::kNone;
    Status reason_;
};

/// Everything a process owns; destroyed from the end.
struct Context::Parts {
    const Options& options;
    std::string version;
    const Clock& clock;
    metrics::Registry& metrics;
    tracing::Tracer& tracer;
    EndRequest end = {};
    std::vector<Component> components = {};
    std::vector<std::shared_ptr<void>> kept = {};

    ~Parts() {
        while (!kept.empty()) kept.pop_back();
    }
};

}  // namespace kessai::runtime
