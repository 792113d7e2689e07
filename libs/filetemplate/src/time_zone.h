#pragma once

#include <optional>
#include <string_view>

namespace kessai::filetemplate::internal {

inline constexpr std::string_view kZonesAllowed =
    "UTC, an offset such as +09:00, or a zone without daylight saving time: Asia/Tokyo, "
    "Asia/Seoul, Asia/Shanghai, Asia/Hong_Kong, Asia/Taipei, Asia/Manila, Asia/Singapore, "
    "Asia/Kuala_Lumpur, Asia/Bangkok, Asia/Ho_Chi_Minh, Asia/Jakarta, Asia/Kolkata, Asia/Dubai, "
    "Pacific/Honolulu";

/// Minutes east of Greenwich. Zones with daylight saving time are none of it: a day of 23 hours
/// would need their rules, which change.
std::optional<int> ZoneOffsetMinutes(std::string_view zone);

}  // namespace kessai::filetemplate::internal
