#pragma once

#include <string>
#include <vector>

#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::load {

struct CommandOutput {
    int exit_code = 0;
    /// Standard output and error; at most a megabyte.
    std::string text;
};

/// Runs a program to its end. `show` passes its output on to our standard error, and keeps none.
/// UNAVAILABLE COMMAND_FAILED (it could not start, or died by a signal), DEADLINE_EXCEEDED
/// COMMAND_DEADLINE (it was killed).
Result<CommandOutput> RunCommand(const std::vector<std::string>& command, Duration timeout,
                                 bool show = false);

}  // namespace kessai::load
