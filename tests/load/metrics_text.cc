#include "load/metrics_text.h"

#include <charconv>
#include <limits>

namespace kessai::load {

std::string_view MetricSample::Label(std::string_view label) const {
    std::size_t at = 0;
    while (at < labels.size()) {
        const std::size_t equals = labels.find("=\"", at);
        if (equals == std::string_view::npos) return {};
        const std::string_view found = labels.substr(at, equals - at);
        std::size_t end = equals + 2;
        while (end < labels.size() && labels[end] != '"') end += labels[end] == '\\' ? 2 : 1;
        if (end >= labels.size()) return {};
        if (found == label) return labels.substr(equals + 2, end - equals - 2);
        at = end + 1;
        if (at < labels.size() && labels[at] == ',') ++at;
    }
    return {};
}

void VisitMetrics(std::string_view text, std::string_view prefix,
                  const std::function<void(const MetricSample&)>& visit) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (!line.starts_with(prefix) || line.starts_with('#')) continue;
        MetricSample sample;
        const std::size_t name_end = line.find_first_of("{ ");
        if (name_end == std::string_view::npos) continue;
        sample.name = line.substr(0, name_end);
        line.remove_prefix(name_end);
        if (line.front() == '{') {
            // A quoted value may hold braces and blanks.
            std::size_t close = 1;
            bool quoted = false;
            while (close < line.size() && (quoted || line[close] != '}')) {
                if (line[close] == '\\') {
                    close += 2;
                    continue;
                }
                if (line[close] == '"') quoted = !quoted;
                ++close;
            }
            if (close >= line.size()) continue;
            sample.labels = line.substr(1, close - 1);
            line.remove_prefix(close + 1);
        }
        if (line.empty() || line.front() != ' ') continue;
        line.remove_prefix(1);
        const std::string_view value = line.substr(0, line.find(' '));
        if (value == "+Inf" || value == "-Inf" || value == "Nan" || value == "NaN") continue;
        const auto read = std::from_chars(value.data(), value.data() + value.size(), sample.value);
        if (read.ec != std::errc() || read.ptr != value.data() + value.size()) continue;
        visit(sample);
    }
}

}  // namespace kessai::load
