#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "kessai/time/clock.h"

namespace kessai::testing {

/// How long tests wait for what must happen: long enough for a sanitizer build on a busy machine.
inline constexpr Duration kEventuallyWithin = std::chrono::seconds(30);

/// Asks `condition` again and again until it is true; false when it was not within `within`.
/// The one place where tests wait.
[[nodiscard]] bool Eventually(const std::function<bool()>& condition,
                              Duration within = kEventuallyWithin);

}  // namespace kessai::testing

#define EXPECT_EVENTUALLY(condition)                                                  \
    EXPECT_TRUE(::kessai::testing::Eventually([&]() -> bool { return (condition); })) \
        << "never became true: " #condition
#define ASSERT_EVENTUALLY(condition)                                                  \
    ASSERT_TRUE(::kessai::testing::Eventually([&]() -> bool { return (condition); })) \
        << "never became true: " #condition
