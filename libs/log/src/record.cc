#include "record.h"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "kessai/time/business_date.h"

namespace kessai::log::internal {
namespace {

constexpr std::string_view kLevelNames[] = {"debug", "info", "warn", "error", "off"};
constexpr std::string_view kReservedNames[] = {"ts",       "level",   "service",   "event",
                                               "trace_id", "span_id", "request_id"};
/// Room for what follows the last field.
constexpr std::size_t kTailBytes = 32;

/// The length of the UTF-8 sequence at the front of `text`; 0 when it is not one.
std::size_t SequenceLength(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    const std::size_t length = lead < 0x80                    ? 1
                               : lead >= 0xc2 && lead < 0xe0  ? 2
                               : lead >= 0xe0 && lead < 0xf0  ? 3
                               : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                              : 0;
    if (length == 0 || length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
    }
    // Overlong forms, surrogates, and what lies above U+10FFFF.
    if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f) ||
        (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f)) {
        return 0;
    }
    return length;
}

void AppendEscaped(std::string& line, unsigned char c) {
    switch (c) {
        case '"':
            line += "\\\"";
            return;
        case '\\':
            line += "\\\\";
            return;
        case '\n':
            line += "\\n";
            return;
        case '\r':
            line += "\\r";
            return;
        case '\t':
            line += "\\t";
            return;
        default: {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
            line += escaped;
        }
    }
}

/// `text` as a JSON string, cut after kTextBytesMax bytes.
void AppendText(std::string& line, std::string_view text) {
    line += '"';
    const std::size_t start = line.size();
    while (!text.empty()) {
        if (line.size() - start >= kTextBytesMax) {
            line += "…";
            break;
        }
        const auto lead = static_cast<unsigned char>(text.front());
        if (lead < 0x20 || lead == '"' || lead == '\\' || lead == 0x7f) {
            AppendEscaped(line, lead);
            text.remove_prefix(1);
            continue;
        }
        const std::size_t length = SequenceLength(text);
        if (length == 0) {
            line += "\xef\xbf\xbd";
            text.remove_prefix(1);
        } else {
            line += text.substr(0, length);
            text.remove_prefix(length);
        }
    }
    line += '"';
}

template <class Number>
void AppendNumber(std::string& line, Number number) {
    char text[32];
    const auto written = std::to_chars(text, text + sizeof text, number);
    line.append(text, written.ptr);
}

void AppendPadded(std::string& line, std::int64_t number, int width) {
    char text[24];
    const int length =
        std::snprintf(text, sizeof text, "%0*lld", width, static_cast<long long>(number));
    line.append(text, static_cast<std::size_t>(length));
}

void AppendInstant(std::string& line, Instant at) {
    line += '"';
    // To the second by libs/time, then the microseconds in front of the Z.
    const auto second = std::chrono::floor<std::chrono::seconds>(at);
    line += FormatUtc(second);
    line.back() = '.';
    AppendPadded(line, std::chrono::duration_cast<Duration>(at - second).count(), 6);
    line += "Z\"";
}

void AppendAccountNumber(std::string& line, std::string_view digits) {
    std::string masked = "***";
    if (digits.size() >= 8) masked += digits.substr(digits.size() - 4);
    AppendText(line, masked);
}

struct ValueAppender {
    std::string& line;

    void operator()(std::string_view value) const { AppendText(line, value); }
    void operator()(std::int64_t value) const { AppendNumber(line, value); }
    void operator()(std::uint64_t value) const { AppendNumber(line, value); }
    void operator()(double value) const {
        if (std::isfinite(value)) {
            AppendNumber(line, value);
        } else {
            line += "null";
        }
    }
    void operator()(bool value) const { line += value ? "true" : "false"; }
    void operator()(Duration value) const { AppendNumber(line, value.count()); }
    void operator()(Instant value) const { AppendInstant(line, value); }
    void operator()(Secret) const { line += "\"***\""; }
    void operator()(AccountNumber value) const { AppendAccountNumber(line, value.digits); }
    void operator()(const Status* value) const { AppendText(line, value->ToString()); }
};

void AppendName(std::string& line, const Field& field) {
    std::string_view name = field.name();
    std::string changed;
    for (const std::string_view reserved : kReservedNames) {
        if (name == reserved) name = changed.append(name).append("_");
    }
    if (std::holds_alternative<Duration>(field.value()) && !name.ends_with("_us")) {
        changed = std::string(name) + "_us";
        name = changed;
    }
    line += ',';
    AppendText(line, name);
    line += ':';
}

template <std::size_t N>
void AppendContext(std::string& line, std::string_view name, const std::array<char, N>& text) {
    if (text[0] == '\0') return;
    std::size_t length = 0;
    while (length < N && text[length] != '\0') ++length;
    line.append(",\"").append(name).append("\":");
    AppendText(line, std::string_view(text.data(), length));
}

}  // namespace

void Render(std::string& line, Instant at, Level level, std::string_view service,
            const Context& context, std::string_view event, Fields fields) {
    const std::size_t start = line.size();
    line += "{\"ts\":";
    AppendInstant(line, at);
    line += ",\"level\":\"";
    line += kLevelNames[static_cast<std::size_t>(level)];
    line += "\",\"service\":";
    AppendText(line, service);
    line += ",\"event\":";
    AppendText(line, event);
    AppendContext(line, "trace_id", context.trace_id);
    AppendContext(line, "span_id", context.span_id);
    AppendContext(line, "request_id", context.request_id);
    for (const Field& field : fields) {
        const std::size_t before = line.size();
        AppendName(line, field);
        std::visit(ValueAppender{line}, field.value());
        if (line.size() - start > kLineBytesMax - kTailBytes) {
            line.resize(before);
            line += ",\"cut\":true";
            break;
        }
    }
    line += "}\n";
}

}  // namespace kessai::log::internal
