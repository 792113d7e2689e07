#pragma once

#include <string_view>

namespace kessai {

/// Prints the broken invariant to standard error and aborts: for states that no input can reach.
[[noreturn]] void CheckFailed(std::string_view condition, std::string_view message,
                              std::string_view file, int line);

}  // namespace kessai

/// Stays in release builds: a payment system that has lost an invariant must stop.
#define KESSAI_CHECK(condition, message)                                      \
    do {                                                                      \
        if (!(condition)) [[unlikely]]                                        \
            ::kessai::CheckFailed(#condition, (message), __FILE__, __LINE__); \
    } while (false)
