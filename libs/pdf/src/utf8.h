#pragma once

#include <string>
#include <string_view>

namespace kessai::pdf::internal {

/// Takes the first character off `text`; U+FFFD for a byte that is not UTF-8. Precondition: not
/// empty.
char32_t TakeCharacter(std::string_view& text);
void AppendCharacter(char32_t character, std::string& text);

}  // namespace kessai::pdf::internal
