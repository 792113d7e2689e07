#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "kessai/tracing/tracer.h"

namespace kessai::tracing {

/// A finished or running span as it will be sent.
struct SpanData {
    SpanContext context;
    std::array<std::uint8_t, 8> parent_span_id{};
    std::string name;
    Kind kind = Kind::kInternal;
    Instant start;
    SteadyInstant steady_start;
    Duration took{};
    std::vector<std::pair<std::string, std::variant<std::string, std::int64_t, bool>>> attributes;
    bool failed = false;
    std::string failure;
};

/// Holds finished spans in a bounded queue and sends them in batches from one thread. A collector
/// that is down costs dropped spans, never time of the caller's.
class Exporter {
 public:
    Exporter(Options options, std::string_view service, std::string_view version,
             metrics::Registry& registry, const Clock& clock);
    ~Exporter();

    void Add(SpanData span);
    const Clock& clock() const { return clock_; }

 private:
    void Run();
    /// Takes the next batch; empty when closing and nothing is left.
    std::vector<SpanData> NextBatch();
    bool WaitBeforeRetry(Duration pause);

    const Options options_;
    const std::string service_;
    const std::string version_;
    const Clock& clock_;
    metrics::Counter& exported_;
    metrics::Counters dropped_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<SpanData> queue_;
    bool closing_ = false;
    SteadyInstant give_up_at_{};
    std::thread sender_;
};

/// An ExportTraceServiceRequest in OTLP's JSON.
std::string ToOtlpJson(const std::vector<SpanData>& batch, std::string_view service,
                       std::string_view version);

}  // namespace kessai::tracing
