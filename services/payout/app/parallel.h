#pragma once

#include <functional>

#include "kessai/result/result.h"

namespace kessai::payout::app {

/// Runs `work(item, thread)` for every item from 0 to count-1, on `threads` threads that each take
/// the next one. After a refusal no further items begin; the first refusal is returned when all
/// threads have ended.
Status RunInParallel(int count, int threads, const std::function<Status(int, int)>& work);

/// UNAVAILABLE STOPPING: the process ends; what was done is kept, and goes on in the next one.
Status Stopping();

}  // namespace kessai::payout::app
