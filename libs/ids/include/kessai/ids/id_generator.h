#pragma once

#include <cstdint>
#include <mutex>

#include "kessai/time/clock.h"

namespace kessai {

/// Makes 63-bit ids that are unique over all workers and rise with time:
///
///     41 bits milliseconds since 2024-01-01T00:00:00Z | 10 bits worker | 12 bits sequence
///
/// (until 2093). An id is always larger than every id this generator gave or observed before, even
/// when the machine's clock goes back: it then runs ahead of the clock instead. The worker number
/// is leased (see libs/lease), so no two processes use one at a time; `floor_ms` comes from that
/// lease's row, so a worker number taken over never repeats its predecessor's ids.
/// Thread safe.
class IdGenerator {
 public:
    static constexpr int kWorkers = 1024;

    /// Preconditions: 0 ≤ worker < kWorkers.
    IdGenerator(int worker, const Clock& clock, std::int64_t floor_ms = 0);

    std::int64_t Next();
    /// Makes every later id larger than `id`, which may come from any worker.
    void Observe(std::int64_t id);

    /// The highest millisecond (since the ids' epoch) used so far, to be kept in the lease's row.
    std::int64_t highest_ms() const;

    /// An instant as such a millisecond, rounded down.
    static std::int64_t MillisAt(Instant instant);

    /// The instant an id was made at, to the millisecond.
    static Instant TimeOf(std::int64_t id);
    static int WorkerOf(std::int64_t id);
    /// The smallest id that can be made at or after `instant`.
    static std::int64_t LowestAt(Instant instant);

 private:
    mutable std::mutex mutex_;
    const Clock& clock_;
    const std::int64_t worker_;
    std::int64_t last_ms_;
    std::int64_t sequence_;
};

}  // namespace kessai
