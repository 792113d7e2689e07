#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "kessai/time/clock.h"

namespace kessai::gateway::app {

/// Runs a piece of work on a thread of its own: at once, then every `interval` and whenever it is
/// kicked. The work may block.
class Periodic {
 public:
    Periodic(std::string name, Duration interval, std::function<void()> work);
    ~Periodic();
    Periodic(const Periodic&) = delete;
    Periodic& operator=(const Periodic&) = delete;

    void Start();
    /// Waits for work that is under way.
    void Stop();
    /// Runs it soon. Any thread; does not wait.
    void Kick();

 private:
    const std::string name_;
    const Duration interval_;
    const std::function<void()> work_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    bool kicked_ = false;
    std::jthread thread_;
};

}  // namespace kessai::gateway::app
