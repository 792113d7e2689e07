#include "domain/time_of_day.h"

#include <string>

namespace kessai::payout::domain {
namespace {

/// Of two digits; −1 when they are none.
int TwoDigits(std::string_view text) {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (!digit(text[0]) || !digit(text[1])) return -1;
    return (text[0] - '0') * 10 + (text[1] - '0');
}

}  // namespace

Result<std::optional<std::chrono::seconds>> ParseTimeOfDay(std::string_view text) {
    if (text.empty()) return std::optional<std::chrono::seconds>();
    if (text.size() == 5 && text[2] == ':') {
        const int hour = TwoDigits(text.substr(0, 2));
        const int minute = TwoDigits(text.substr(3, 2));
        if (hour >= 0 && hour < 24 && minute >= 0 && minute < 60) {
            return std::optional<std::chrono::seconds>(std::chrono::hours(hour) +
                                                       std::chrono::minutes(minute));
        }
    }
    return Status(Code::kInvalidArgument, "TIME_OF_DAY_MALFORMED",
                  "'" + std::string(text) + "' is no time of day like 09:00");
}

}  // namespace kessai::payout::domain
