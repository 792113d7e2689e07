#include "kessai/tracing/trace_context.h"

#include <algorithm>

namespace kessai::tracing {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

int HexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

template <std::size_t N>
bool ParseHex(std::string_view text, std::array<std::uint8_t, N>& bytes) {
    for (std::size_t i = 0; i < N; ++i) {
        const int high = HexDigit(text[2 * i]);
        const int low = HexDigit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return true;
}

template <std::size_t N>
char* FormatHex(const std::array<std::uint8_t, N>& bytes, char* out) {
    for (const std::uint8_t byte : bytes) {
        *out++ = kDigits[byte >> 4];
        *out++ = kDigits[byte & 15];
    }
    return out;
}

template <std::size_t N>
bool IsZero(const std::array<std::uint8_t, N>& bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

bool SpanContext::valid() const {
    return !IsZero(trace_id) && !IsZero(span_id);
}

std::optional<SpanContext> ParseTraceparent(std::string_view text) {
    constexpr std::size_t kLength = 55;
    if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') {
        return std::nullopt;
    }
    std::array<std::uint8_t, 1> version{};
    std::array<std::uint8_t, 1> flags{};
    SpanContext context;
    if (!ParseHex(text.substr(0, 2), version) || version[0] == 0xff ||
        !ParseHex(text.substr(3, 32), context.trace_id) ||
        !ParseHex(text.substr(36, 16), context.span_id) || !ParseHex(text.substr(53, 2), flags) ||
        !context.valid()) {
        return std::nullopt;
    }
    // Later versions may only add fields after another dash.
    if (text.size() > kLength && (version[0] == 0 || text[kLength] != '-')) return std::nullopt;
    context.sampled = (flags[0] & 1) != 0;
    return context;
}

std::string FormatTraceparent(const SpanContext& context) {
    if (!context.valid()) return {};
    std::string text(55, '-');
    text[0] = text[1] = text[53] = '0';
    FormatHex(context.trace_id, text.data() + 3);
    FormatHex(context.span_id, text.data() + 36);
    text[54] = context.sampled ? '1' : '0';
    return text;
}

std::string TraceIdOf(const SpanContext& context) {
    std::string text(32, '0');
    FormatHex(context.trace_id, text.data());
    return text;
}

std::string SpanIdOf(const SpanContext& context) {
    std::string text(16, '0');
    FormatHex(context.span_id, text.data());
    return text;
}

log::Context LogContextOf(const SpanContext& context, std::string_view request_id) {
    log::Context lines;
    if (context.valid()) {
        FormatHex(context.trace_id, lines.trace_id.data());
        FormatHex(context.span_id, lines.span_id.data());
    }
    lines.SetRequestId(request_id);
    return lines;
}

}  // namespace kessai::tracing
