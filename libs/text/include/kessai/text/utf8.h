#pragma once

#include <string_view>

namespace kessai::text {

/// No character: what TakeCharacter gives for bytes that are no UTF-8.
inline constexpr char32_t kMalformedCharacter = 0xFFFFFFFF;

/// Takes the first character off `text`; kMalformedCharacter, and takes nothing, if it is no UTF-8
/// (RFC 3629): cut off, overlong, a surrogate, beyond U+10FFFF. Precondition: not empty.
char32_t TakeCharacter(std::string_view& text);

}  // namespace kessai::text
