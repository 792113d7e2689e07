#include <gtest/gtest.h>

#include <cstdlib>

#include "kessai/faults/fault_point.h"

namespace kessai::faults {
namespace {

#ifndef KESSAI_FAULTS

// Goal: an ordinary build has no points, and a test that asks for one hears of it.
TEST(FaultsOffTest, AFaultIsRefusedWherePointsAreNotCompiledIn) {
    KESSAI_FAULT_POINT("test.never");
    EXPECT_FALSE(Compiled());
    EXPECT_TRUE(Names().empty());
    ::unsetenv("KESSAI_TEST_FAULT");
    EXPECT_TRUE(ArmFromEnvironment().ok());
    ::setenv("KESSAI_TEST_FAULT", "test.never", 1);
    const Status status = ArmFromEnvironment();
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    EXPECT_EQ(status.reason(), "FAULT_UNKNOWN");
}

#endif

}  // namespace
}  // namespace kessai::faults
