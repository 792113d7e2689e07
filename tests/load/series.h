#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kessai/time/clock.h"

namespace kessai::load {

/// A gauge over time, in the order it was read. A reading that failed leaves a gap.
class Series {
 public:
    void Add(SteadyInstant when, double value) { points_.push_back({when, value}); }

    struct Point {
        SteadyInstant when;
        double value = 0;
    };
    const std::vector<Point>& points() const { return points_; }
    std::optional<double> last() const;

    /// How a window of it went.
    struct Trend {
        std::size_t readings = 0;
        double max = 0;
        /// The median of the window's last third less that of its first third, times 3/2: what it
        /// grew by over the whole window, whatever single peaks there were. 0 with less than six
        /// readings.
        double growth = 0;
        double last_median = 0;
    };
    Trend Over(SteadyInstant from, SteadyInstant to) const;

 private:
    std::vector<Point> points_;
};

}  // namespace kessai::load
