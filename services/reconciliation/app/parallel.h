#pragma once

#include <functional>

#include "kessai/result/result.h"

namespace kessai::reconciliation::app {

/// Runs `work(item)` for every item from 0 to count-1, on `threads` threads that each take the next
/// one. After a refusal no further items begin; the first refusal is returned when all threads have
/// ended.
Status RunInParallel(int count, int threads, const std::function<Status(int)>& work);

}  // namespace kessai::reconciliation::app
