#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "kessai/net/loop.h"
#include "kessai/time/clock.h"
#include "load/histogram.h"

namespace kessai::load {

/// Evenly spaced moments: the n-th is at `first` + n / `per_second`, computed from n, so that
/// nothing drifts. Precondition: per_second > 0.
class Schedule {
 public:
    Schedule(SteadyInstant first, double per_second) : first_(first), per_second_(per_second) {}

    SteadyInstant At(std::uint64_t n) const;
    /// How many are at or before `now`.
    std::uint64_t DueBy(SteadyInstant now) const;

 private:
    SteadyInstant first_;
    double per_second_;
};

/// Calls back at the moments of schedules, never before them and within a quarter of a millisecond
/// when the loop is free (moments closer than that share a wake-up). After a stall it makes up for
/// what was missed in small portions, so that answers are read in between; what was late keeps its
/// intended moment. Loop's thread only.
class Pacer {
 public:
    /// `intended` is the moment of the schedule, however late the call is.
    using OnDue = std::function<void(std::uint64_t n, SteadyInstant intended)>;

    explicit Pacer(net::Loop& loop, const Clock& clock = SystemClock());
    ~Pacer();
    Pacer(const Pacer&) = delete;
    Pacer& operator=(const Pacer&) = delete;

    /// Before Start. `count` moments are called, then the lane is done.
    void Add(const Schedule& schedule, std::uint64_t count, OnDue on_due);
    /// `on_done` is called after the last moment of all lanes, and not after Stop.
    void Start(net::Work on_done);
    void Stop();

    /// How late the calls were.
    const Histogram& lateness() const;

 private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace kessai::load
