#pragma once

#include <string>

#include "kessai/testing/process.h"

namespace kessai::testing {

/// Waits until somebody accepts connections at host:port; false when the process ended first, or
/// after a minute.
bool EventuallyListening(Process& process, const std::string& host, int port);

}  // namespace kessai::testing
