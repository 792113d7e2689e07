#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "kessai/metrics/registry.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"
#include "kessai/tracing/trace_context.h"

namespace kessai::tracing {

/// The numbers are OTLP's.
enum class Kind : std::uint8_t {
    kInternal = 1,
    kServer = 2,
    kClient = 3,
    kProducer = 4,
    kConsumer = 5,
};

class Exporter;

/// One timed piece of work. Ends when destroyed, if not before. Belongs to one thread at a time.
/// When it is not sampled it keeps its ids only, and everything else does nothing.
///
/// At most 32 attributes, texts up to 1 KiB each. No secrets, no account numbers, no names of
/// people: spans leave the process.
class Span {
 public:
    /// No span: has no context, records nothing.
    Span();
    ~Span();
    Span(Span&&) noexcept;
    Span& operator=(Span&&) noexcept;

    const SpanContext& context() const { return context_; }
    bool recording() const { return record_ != nullptr; }

    void SetAttribute(std::string_view name, std::string_view value);
    void SetAttribute(std::string_view name, const char* value) {
        SetAttribute(name, std::string_view(value));
    }
    void SetAttribute(std::string_view name, const std::string& value) {
        SetAttribute(name, std::string_view(value));
    }
    void SetAttribute(std::string_view name, std::integral auto value) {
        if (!recording()) return;
        if constexpr (std::same_as<decltype(value), bool>) {
            SetFlag(name, value);
        } else {
            SetNumber(name, static_cast<std::int64_t>(value));
        }
    }
    /// Marks the span failed unless `status` is ok, with its code and reason.
    void SetStatus(const Status& status);
    void End();

 private:
    friend class Tracer;
    struct Record;
    Span(const SpanContext& context, std::unique_ptr<Record> record);
    void SetNumber(std::string_view name, std::int64_t value);
    void SetFlag(std::string_view name, bool value);

    SpanContext context_;
    std::unique_ptr<Record> record_;
};

struct Options {
    /// Base address of an OTLP/HTTP collector, "http://host:4318" ("/v1/traces" is added when
    /// there is no path); empty switches export off.
    std::string endpoint = {};
    /// Of the traces that begin here, how many are sampled: 0 to 1. Others follow their parent.
    double sample_ratio = 0.01;
    /// Finished spans that wait; more are dropped and counted.
    std::size_t queue_spans = 4096;
    std::size_t batch_spans = 512;
    /// How long a span may wait for its batch to fill.
    Duration batch_delay = std::chrono::seconds(1);
    /// Of one request to the collector.
    Duration export_timeout = std::chrono::seconds(5);
};

/// Makes spans and sends the sampled ones as OTLP/HTTP JSON from a thread of its own. One a
/// process. Thread safe; outlives its spans.
class Tracer {
 public:
    Tracer(Options options, std::string_view service, std::string_view version,
           metrics::Registry& registry, const Clock& clock = SystemClock());
    /// Sends what waits, for two seconds at most.
    ~Tracer();
    Tracer(const Tracer&) = delete;
    Tracer& operator=(const Tracer&) = delete;

    /// A span that continues `parent`, or begins a trace when that is not valid. `name` is a fixed
    /// text ("payment.Capture"), never made from data.
    Span Start(std::string_view name, Kind kind, const SpanContext& parent);
    /// A child of this thread's current span (see Scope), or the first of a trace.
    Span Start(std::string_view name, Kind kind = Kind::kInternal);

 private:
    const bool enabled_;
    const std::uint64_t sample_below_;
    const Clock& clock_;
    std::unique_ptr<Exporter> exporter_;
};

/// Makes a span this thread's current one, for log lines and for children, until the end of the
/// scope. Must not live across a co_await.
class Scope {
 public:
    explicit Scope(const SpanContext& context, std::string_view request_id = {});
    explicit Scope(const Span& span, std::string_view request_id = {})
        : Scope(span.context(), request_id) {}
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

 private:
    SpanContext context_;
    const SpanContext* before_;
    log::ContextScope log_scope_;
};

/// Of this thread; not valid when there is none.
const SpanContext& CurrentSpan();

}  // namespace kessai::tracing
