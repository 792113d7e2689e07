#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

namespace kessai {

/// A point in time, UTC, in microseconds: what the database and the events carry.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;
using SteadyInstant = std::chrono::steady_clock::time_point;

/// Where time comes from. Passed in, so that tests decide it. Thread safe.
class Clock {
 public:
    virtual ~Clock() = default;
    /// Wall clock. May jump; money rules never use it (they use their batch's database time).
    virtual Instant Now() const = 0;
    /// For deadlines and durations; never goes back.
    virtual SteadyInstant SteadyNow() const = 0;
    /// Blocks this thread. For short, bounded back-offs only: whatever must stop early waits on a
    /// condition variable instead.
    virtual void SleepFor(Duration duration) const = 0;
};

/// The machine's clocks. One instance serves the process.
const Clock& SystemClock();

/// Microseconds since 1970-01-01T00:00:00Z, as columns and messages carry an Instant.
inline std::int64_t ToMicros(Instant instant) {
    return instant.time_since_epoch().count();
}
inline Instant FromMicros(std::int64_t micros) {
    return Instant(Duration(micros));
}

/// A clock that moves only when told. Thread safe.
class ManualClock final : public Clock {
 public:
    explicit ManualClock(Instant start);
    Instant Now() const override;
    SteadyInstant SteadyNow() const override;
    /// Does not block: the clock moves by `duration`.
    void SleepFor(Duration duration) const override;
    void Advance(Duration by);
    void Set(Instant to);

 private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace kessai
