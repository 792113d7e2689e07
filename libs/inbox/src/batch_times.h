#pragma once

#include "kessai/time/clock.h"

namespace kessai::inbox {

/// How long it is from `now` until the clock is `phase` past a multiple of `every`. Not the next
/// time if that is within a quarter of `every`: a batch that begins a little early, as clocks go,
/// is that time's. Preconditions: `every` is positive, and `now` is after `phase`.
inline Duration UntilNextBatch(Instant now, Duration every, Duration phase) {
    const Duration left = every - (now.time_since_epoch() - phase) % every;
    return left < every / 4 ? left + every : left;
}

}  // namespace kessai::inbox
