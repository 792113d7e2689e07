#pragma once

#include <cstddef>
#include <string_view>

namespace kessai::payout::domain {

/// A merchant's own id of a store is at most so many characters, as the partner contract has it
/// (storeId): of UTF-8 text, so up to 1,020 bytes.
inline constexpr std::size_t kStoreCharactersMax = 255;

/// Whether a text is within that. Precondition: it is UTF-8.
bool FitsStoreId(std::string_view utf8);

/// Whether a text is one that payment takes for a store: within that, and without controls but tab
/// and line ends.
bool IsStoreId(std::string_view utf8);

}  // namespace kessai::payout::domain
