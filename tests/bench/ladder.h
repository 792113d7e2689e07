#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "load/payment_load.h"
#include "load/series.h"

namespace kessai::bench {

/// Looks for the highest rate that is held: up by a factor until one is not, then by halves between
/// the highest held and the lowest not held. Pure: says what to try and is told what came of it.
class RateSearch {
 public:
    struct Options {
        double first = 500;
        double max = 100'000;
        double min = 10;
        double growth = 2.0;
        /// It ends when the lowest rate not held is within this of the highest held.
        double resolution = 0.05;
        int steps_max = 16;
    };
    explicit RateSearch(Options options) : options_(options) {}

    /// The next rate to try; nothing when it is over.
    std::optional<double> Next() const;
    /// `generator_late`: the load generator itself did not keep its times.
    void Told(double rate, bool held, bool generator_late = false);

    /// Nothing was held, and the generator was late at two rates, the second lower than the first:
    /// it is the machine that has no time, and a still lower rate would show nothing of the stack.
    bool hopeless() const { return hopeless_; }
    /// The highest rate that was held; 0 when none was.
    double best() const { return held_; }
    /// The lowest that was not; 0 when all were held.
    double not_held() const { return not_held_; }

 private:
    const Options options_;
    double held_ = 0;
    double not_held_ = 0;
    double late_at_ = 0;  // of the step before, when its generator was late
    bool hopeless_ = false;
    int steps_ = 0;
};

/// To two digits and a half (6,250; 780), as rates are written.
double Rounded(double rate);

/// What must be so for a rate to count as held. Times in seconds.
struct HoldingRules {
    /// Of the payments offered, so many must be completed in the measured time.
    double completed_share_min = 0.99;
    double failures_share_max = 0.001;
    /// Beyond it callers give up: a backlog, not a latency.
    double p99_s_max = 1.0;
    /// What an outbox's oldest row may age by over the window, and a consumer fall behind by, in
    /// seconds' worth of the offered rate; a lag of so few messages is none.
    double outbox_growth_s_max = 0.5;
    double lag_growth_s_max = 0.5;
    double lag_growth_messages_min = 100;
    /// Of the readings that a window should have; with fewer nobody knows.
    double readings_share_min = 0.8;
    /// Our own lateness beyond which the load was not what it should have been.
    double lateness_p99_s_max = 0.05;
};

struct QueueTrend {
    std::string name;
    bool is_outbox = false;
    load::Series::Trend trend;
};

struct StepFacts {
    double rate = 0;
    double measured_s = 0;
    double window_s = 0;  // of the trends
    load::LoadResult load;
    std::vector<QueueTrend> queues;
    bool gave_up = false;
};

bool GeneratorWasLate(const StepFacts& step, const HoldingRules& rules);
/// Why the rate was not held; empty when it was.
std::vector<std::string> WhyNotHeld(const StepFacts& step, const HoldingRules& rules);

}  // namespace kessai::bench
