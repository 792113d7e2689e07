#pragma once

#include <csignal>
#include <functional>
#include <thread>

namespace kessai::runtime {

/// Blocks SIGTERM and SIGINT in the calling thread, and so in all that it starts. To be called
/// before the first thread.
void TakeSignals();

/// Waits for the signals that TakeSignals blocked: the first calls `on_first`, the second ends the
/// process with kExitForced.
class SignalWatch {
 public:
    explicit SignalWatch(std::function<void(int signal)> on_first);
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

 private:
    void Run();

    std::function<void(int)> on_first_;
    int signals_ = -1;
    int closing_ = -1;
    std::thread thread_;
};

}  // namespace kessai::runtime
