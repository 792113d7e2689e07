#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kessai/log/log.h"

namespace kessai::tracing {

/// Which span of which trace: what crosses a process border. Trivially copyable.
struct SpanContext {
    std::array<std::uint8_t, 16> trace_id{};
    std::array<std::uint8_t, 8> span_id{};
    bool sampled = false;

    /// Neither id is all zeros.
    bool valid() const;
    friend bool operator==(const SpanContext&, const SpanContext&) = default;
};

/// The header or metadata key that carries it, in lower case.
inline constexpr std::string_view kTraceparent = "traceparent";

/// Reads a W3C traceparent (https://www.w3.org/TR/trace-context/, version 00; a later version is
/// read as 00 as that text demands). Nothing when it is malformed: the receiver starts a trace
/// then. `tracestate` is not carried on: no vendor's part of it is ours, and events are bounded.
std::optional<SpanContext> ParseTraceparent(std::string_view text);

/// "00-<trace>-<span>-01"; empty when the context is not valid.
std::string FormatTraceparent(const SpanContext& context);

/// Lower-case hex.
std::string TraceIdOf(const SpanContext& context);
std::string SpanIdOf(const SpanContext& context);

/// What log lines of the span carry.
log::Context LogContextOf(const SpanContext& context, std::string_view request_id = {});

}  // namespace kessai::tracing
