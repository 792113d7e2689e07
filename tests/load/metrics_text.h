#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace kessai::load {

/// One line of Prometheus' text format.
struct MetricSample {
    std::string_view name;
    /// As written between the braces, empty when there are none.
    std::string_view labels;
    double value = 0;

    /// The value of a label; empty when it is not there. Escapes stay as they are.
    std::string_view Label(std::string_view label) const;
};

/// Calls `visit` with every sample whose name begins with `prefix`; lines that are none are passed
/// over.
void VisitMetrics(std::string_view text, std::string_view prefix,
                  const std::function<void(const MetricSample&)>& visit);

}  // namespace kessai::load
