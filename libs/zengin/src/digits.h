#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace kessai::zengin::internal {

inline bool AreDigits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Exactly `count` of them.
inline bool AreDigits(std::string_view text, std::size_t count) {
    return text.size() == count && AreDigits(text);
}

}  // namespace kessai::zengin::internal
