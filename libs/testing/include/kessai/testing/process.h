#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::testing {

struct ProcessOptions {
    /// The program (looked up in PATH) and its arguments.
    std::vector<std::string> command;
    /// "NAME=value", in addition to this process's environment.
    std::vector<std::string> environment;
    std::string working_directory;
    /// Where standard output and error are appended; empty: /dev/null.
    std::string output_file;
};

/// A child process. It is killed when this is destroyed, and by the kernel when the test process
/// dies in whatever way. Signals go to it alone and never after it was reaped, so no other
/// process that got its pid is hit. Thread safe.
class Process {
 public:
    static Result<std::unique_ptr<Process>> Start(ProcessOptions options);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    pid_t pid() const { return pid_; }
    bool Running();
    /// Nothing happens if it ended already.
    void Signal(int signal);
    /// Waits for its end; the status as waitpid gives it, nullopt if it still runs after `within`.
    std::optional<int> Wait(Duration within);
    /// SIGKILL, and reaps it.
    void Kill9();
    /// SIGTERM, then SIGKILL after `within`.
    void Terminate(Duration within);

 private:
    explicit Process(pid_t pid) : pid_(pid) {}

    const pid_t pid_;
    std::mutex mutex_;
    std::optional<int> status_;
};

}  // namespace kessai::testing
