#pragma once

#include <string_view>

namespace kessai::filetemplate::internal {

/// data/cp932.txt, compiled in by cmake/EmbedText.cmake.
std::string_view CharacterTable();

}  // namespace kessai::filetemplate::internal
