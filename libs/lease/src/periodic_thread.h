#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

#include "kessai/time/clock.h"

namespace kessai::lease {

/// Calls a step again and again on its own thread: at once, then each time after the wait that the
/// step itself asked for, or earlier when it is woken.
class PeriodicThread {
 public:
    ~PeriodicThread() { Stop(); }

    /// Not again before Stop.
    void Start(std::function<Duration()> step) {
        thread_ = std::jthread([this, step = std::move(step)](std::stop_token stop) {
            while (!stop.stop_requested()) {
                const Duration wait = step();
                std::unique_lock lock(mutex_);
                changed_.wait_for(lock, stop, wait, [this] { return woken_; });
                woken_ = false;
            }
        });
    }
    /// Lets a step that is under way end. Not from the step itself.
    void Stop() {
        if (!thread_.joinable()) return;
        thread_.request_stop();
        thread_.join();
    }
    void Wake() {
        {
            const std::lock_guard lock(mutex_);
            woken_ = true;
        }
        changed_.notify_all();
    }

 private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    bool woken_ = false;
    std::jthread thread_;
};

}  // namespace kessai::lease
