#pragma once

#include <csignal>
#include <functional>
#include <thread>

#include "kessai/time/clock.h"

namespace kessai::runtime {

/// Blocks SIGTERM and SIGINT in the calling thread, and so in all that it starts. To be called
/// before the first thread.
void TakeSignals();

/// Waits for the signals that TakeSignals blocked: the first calls `on_first`, another one ends the
/// process with kExitForced. What comes within a second of the first is the same wish: timeout(1)
/// and some shells tell the process and then its whole group.
class SignalWatch {
 public:
    SignalWatch(std::function<void(int signal)> on_first, const Clock& clock);
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

 private:
    void Run();

    std::function<void(int)> on_first_;
    const Clock& clock_;
    int signals_ = -1;
    int closing_ = -1;
    std::thread thread_;
};

}  // namespace kessai::runtime
