#include "kessai/tracing/tracer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "otlp_exporter.h"

namespace kessai::tracing {
namespace {

constexpr std::size_t kAttributesMax = 32;
constexpr std::size_t kTextBytesMax = 1024;

thread_local const SpanContext* current_span = nullptr;

/// Ids need to differ, not to be secret: splitmix64 from a seed of the machine's, per thread.
std::uint64_t NextRandom() {
    thread_local std::uint64_t state = [] {
        std::random_device device;
        return (static_cast<std::uint64_t>(device()) << 32) | device();
    }();
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

template <std::size_t N>
void FillRandom(std::array<std::uint8_t, N>& bytes) {
    for (std::size_t i = 0; i < N; i += 8) {
        std::uint64_t number = 0;
        while (number == 0) number = NextRandom();
        std::memcpy(bytes.data() + i, &number, 8);
    }
}

/// The number that ratio sampling compares, as OpenTelemetry's TraceIdRatioBased does: the same
/// trace gets the same answer everywhere.
std::uint64_t SampleNumber(const SpanContext& context) {
    std::uint64_t number = 0;
    for (std::size_t i = 8; i < 16; ++i) number = number << 8 | context.trace_id[i];
    return number >> 1;
}

std::uint64_t SampleBelow(double ratio) {
    constexpr auto kTop = std::uint64_t{1} << 63;
    if (!(ratio > 0)) return 0;
    return ratio >= 1 ? kTop : static_cast<std::uint64_t>(std::ldexp(ratio, 63));
}

}  // namespace

struct Span::Record {
    Exporter* exporter = nullptr;
    SpanData data;
};

Span::Span() = default;
Span::Span(const SpanContext& context, std::unique_ptr<Record> record)
    : context_(context), record_(std::move(record)) {}
Span::Span(Span&&) noexcept = default;
Span::~Span() {
    End();
}

Span& Span::operator=(Span&& other) noexcept {
    if (this != &other) {
        End();
        context_ = other.context_;
        record_ = std::move(other.record_);
    }
    return *this;
}

void Span::SetAttribute(std::string_view name, std::string_view value) {
    if (!record_ || record_->data.attributes.size() >= kAttributesMax) return;
    record_->data.attributes.emplace_back(name, std::string(value.substr(0, kTextBytesMax)));
}
void Span::SetNumber(std::string_view name, std::int64_t value) {
    if (record_->data.attributes.size() >= kAttributesMax) return;
    record_->data.attributes.emplace_back(name, value);
}
void Span::SetFlag(std::string_view name, bool value) {
    if (record_->data.attributes.size() >= kAttributesMax) return;
    record_->data.attributes.emplace_back(name, value);
}

void Span::SetStatus(const Status& status) {
    if (!record_ || status.ok()) return;
    record_->data.failed = true;
    record_->data.failure = CodeName(status.code());
    if (!status.reason().empty()) {
        record_->data.failure += ' ';
        record_->data.failure += status.reason();
    }
}

void Span::End() {
    if (!record_) return;
    const auto record = std::move(record_);
    SpanData& data = record->data;
    data.took = std::chrono::duration_cast<Duration>(record->exporter->clock().SteadyNow() -
                                                     data.steady_start);
    record->exporter->Add(std::move(data));
}

Tracer::Tracer(Options options, std::string_view service, std::string_view version,
               metrics::Registry& registry, const Clock& clock)
    : enabled_(!options.endpoint.empty()),
      sample_below_(SampleBelow(options.sample_ratio)),
      clock_(clock),
      exporter_(std::make_unique<Exporter>(std::move(options), service, version, registry, clock)) {
}

Tracer::~Tracer() = default;

Span Tracer::Start(std::string_view name, Kind kind, const SpanContext& parent) {
    SpanContext context;
    FillRandom(context.span_id);
    if (parent.valid()) {
        context.trace_id = parent.trace_id;
        context.sampled = parent.sampled;
    } else {
        FillRandom(context.trace_id);
        context.sampled = enabled_ && SampleNumber(context) < sample_below_;
    }
    if (!enabled_ || !context.sampled) return Span(context, nullptr);
    auto record = std::make_unique<Span::Record>();
    record->exporter = exporter_.get();
    SpanData& data = record->data;
    data.context = context;
    if (parent.valid()) data.parent_span_id = parent.span_id;
    data.name = name;
    data.kind = kind;
    data.start = clock_.Now();
    data.steady_start = clock_.SteadyNow();
    return Span(context, std::move(record));
}

Span Tracer::Start(std::string_view name, Kind kind) {
    return Start(name, kind, CurrentSpan());
}

Scope::Scope(const SpanContext& context, std::string_view request_id)
    : context_(context), before_(current_span), log_scope_(LogContextOf(context, request_id)) {
    current_span = &context_;
}

Scope::~Scope() {
    current_span = before_;
}

const SpanContext& CurrentSpan() {
    static const SpanContext none;
    return current_span == nullptr ? none : *current_span;
}

}  // namespace kessai::tracing
