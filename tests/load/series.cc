#include "load/series.h"

#include <algorithm>

namespace kessai::load {

namespace {

double Median(std::vector<double> values) {
    const std::size_t middle = values.size() / 2;
    std::sort(values.begin(), values.end());
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace

std::optional<double> Series::last() const {
    if (points_.empty()) return std::nullopt;
    return points_.back().value;
}

Series::Trend Series::Over(SteadyInstant from, SteadyInstant to) const {
    std::vector<double> window;
    for (const Point& point : points_) {
        if (point.when >= from && point.when < to) window.push_back(point.value);
    }
    Trend trend;
    trend.readings = window.size();
    if (window.empty()) return trend;
    trend.max = *std::max_element(window.begin(), window.end());
    const std::size_t third = window.size() / 3;
    if (third < 2) {
        trend.last_median = window.back();
        return trend;
    }
    const auto size = static_cast<std::ptrdiff_t>(third);
    const double first = Median({window.begin(), window.begin() + size});
    trend.last_median = Median({window.end() - size, window.end()});
    trend.growth = (trend.last_median - first) * 1.5;
    return trend;
}

}  // namespace kessai::load
