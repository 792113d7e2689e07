#include "time_zone.h"

namespace kessai::filetemplate::internal {
namespace {

struct Zone {
    std::string_view name;
    int offset_minutes;
};

constexpr Zone kZones[] = {
    {"UTC", 0},
    {"Asia/Tokyo", 540},
    {"Asia/Seoul", 540},
    {"Asia/Shanghai", 480},
    {"Asia/Hong_Kong", 480},
    {"Asia/Taipei", 480},
    {"Asia/Manila", 480},
    {"Asia/Singapore", 480},
    {"Asia/Kuala_Lumpur", 480},
    {"Asia/Bangkok", 420},
    {"Asia/Ho_Chi_Minh", 420},
    {"Asia/Jakarta", 420},
    {"Asia/Kolkata", 330},
    {"Asia/Dubai", 240},
    {"Pacific/Honolulu", -600},
};
constexpr int kOffsetMinutesMax = 14 * 60;

std::optional<int> TwoDigits(std::string_view text) {
    for (const char digit : text) {
        if (digit < '0' || digit > '9') return std::nullopt;
    }
    return 10 * (text[0] - '0') + (text[1] - '0');
}

}  // namespace

std::optional<int> ZoneOffsetMinutes(std::string_view zone) {
    for (const Zone& known : kZones) {
        if (known.name == zone) return known.offset_minutes;
    }
    constexpr std::string_view kShape = "+hh:mm";
    if (zone.size() != kShape.size() || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') {
        return std::nullopt;
    }
    const auto hours = TwoDigits(zone.substr(1, 2));
    const auto minutes = TwoDigits(zone.substr(4, 2));
    if (!hours || !minutes || *minutes > 59) return std::nullopt;
    const int offset = *hours * 60 + *minutes;
    if (offset > kOffsetMinutesMax) return std::nullopt;
    return zone[0] == '-' ? -offset : offset;
}

}  // namespace kessai::filetemplate::internal
