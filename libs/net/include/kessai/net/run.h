#pragma once

#include <functional>

#include "kessai/net/loop.h"
#include "kessai/net/task.h"

namespace kessai::net {

/// Runs `work` on the loop and waits until it has ended. Not from a loop's thread.
void RunOn(Loop& loop, const std::function<Task<void>()>& work);

}  // namespace kessai::net
