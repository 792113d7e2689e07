#pragma once

#include <string_view>

namespace kessai::zengin::internal {

/// data/banks.txt, compiled in by cmake/EmbedText.cmake.
std::string_view BankTable();

}  // namespace kessai::zengin::internal
