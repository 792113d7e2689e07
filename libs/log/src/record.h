#pragma once

#include <string>
#include <string_view>

#include "kessai/log/log.h"

namespace kessai::log::internal {

/// The longest line, its end included.
inline constexpr std::size_t kLineBytesMax = 16 << 10;
/// The longest text of one field.
inline constexpr std::size_t kTextBytesMax = 4 << 10;

/// Appends one line, with its end, for the record. Always valid JSON in valid UTF-8.
void Render(std::string& line, Instant at, Level level, std::string_view service,
            const Context& context, std::string_view event, Fields fields);

}  // namespace kessai::log::internal
