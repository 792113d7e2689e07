#include <charconv>
#include <cmath>
#include <system_error>

#include "kessai/config/schema.h"

namespace kessai::config {
namespace {

Status Expected(std::string_view what, std::string_view text) {
    std::string message = "expected ";
    message += what;
    message += ", not \"";
    message += text;
    message += '"';
    return Status(Code::kInvalidArgument, kConfigInvalid, std::move(message));
}

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr Unit kTimeUnits[] = {{"d", 86'400'000'000}, {"h", 3'600'000'000}, {"m", 60'000'000},
                               {"s", 1'000'000},      {"ms", 1'000},        {"us", 1}};
constexpr Unit kSizeUnits[] = {{"GiB", 1ULL << 30},
                               {"MiB", 1ULL << 20},
                               {"KiB", 1ULL << 10},
                               {"GB", 1'000'000'000},
                               {"MB", 1'000'000},
                               {"kB", 1'000},
                               {"B", 1}};

/// Takes the digits at the front of `text`; nothing when there are none or they are too many.
std::optional<std::uint64_t> TakeNumber(std::string_view& text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end == text.data()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

}  // namespace

Result<std::int64_t> ParseInt(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
        return Expected("a whole number", text);
    }
    return number;
}

Result<double> ParseReal(std::string_view text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
        return Expected("a number", text);
    }
    return number;
}

Result<bool> ParseBool(std::string_view text) {
    if (text == "true") return true;
    if (text == "false") return false;
    return Expected("true or false", text);
}

Result<Duration> ParseDuration(std::string_view text) {
    constexpr std::string_view kWhat = "a duration such as 250ms, 5s or 1h30m";
    constexpr auto kHighest = static_cast<std::uint64_t>(Duration::max().count());
    if (text == "0") return Duration(0);
    std::uint64_t total = 0;
    std::string_view rest = text;
    do {
        const auto number = TakeNumber(rest);
        if (!number) return Expected(kWhat, text);
        std::size_t length = 0;
        while (length < rest.size() && (rest[length] < '0' || rest[length] > '9')) ++length;
        const Unit* unit = nullptr;
        for (const Unit& candidate : kTimeUnits) {
            if (candidate.name == rest.substr(0, length)) unit = &candidate;
        }
        if (unit == nullptr || *number > (kHighest - total) / unit->factor) {
            return Expected(kWhat, text);
        }
        total += *number * unit->factor;
        rest.remove_prefix(length);
    } while (!rest.empty());
    return Duration(static_cast<std::int64_t>(total));
}

Result<std::uint64_t> ParseSize(std::string_view text) {
    constexpr std::string_view kWhat = "a size in bytes such as 4096, 64KiB or 1MiB";
    std::string_view rest = text;
    const auto number = TakeNumber(rest);
    if (!number) return Expected(kWhat, text);
    std::uint64_t factor = rest.empty() ? 1 : 0;
    for (const Unit& unit : kSizeUnits) {
        if (unit.name == rest) factor = unit.factor;
    }
    if (factor == 0 || *number > std::numeric_limits<std::uint64_t>::max() / factor) {
        return Expected(kWhat, text);
    }
    return *number * factor;
}

Result<HostPort> ParseHostPort(std::string_view text) {
    constexpr std::string_view kWhat = "host:port";
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return Expected(kWhat, text);
    std::string_view host = text.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return Expected("host:port, a v6 address in brackets", text);
    }
    const auto port = ParseInt(text.substr(colon + 1));
    if (host.empty() || host.find_first_of(" \t/@[]") != std::string_view::npos || !port.ok() ||
        *port < 1 || *port > 65'535) {
        return Expected(kWhat, text);
    }
    return HostPort{std::string(host), static_cast<std::uint16_t>(*port)};
}

std::string HostPort::ToString() const {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

std::string FormatDuration(Duration duration) {
    auto micros = static_cast<std::uint64_t>(duration.count());
    if (duration.count() <= 0) return "0s";
    std::string text;
    for (const Unit& unit : kTimeUnits) {
        if (micros / unit.factor == 0) continue;
        text += std::to_string(micros / unit.factor);
        text += unit.name;
        micros %= unit.factor;
    }
    return text;
}

std::string FormatSize(std::uint64_t bytes) {
    for (const Unit& unit : kSizeUnits) {
        const bool binary = unit.name.size() == 3;
        if (binary && bytes >= unit.factor && bytes % unit.factor == 0) {
            return std::to_string(bytes / unit.factor) + std::string(unit.name);
        }
    }
    return std::to_string(bytes);
}

}  // namespace kessai::config
