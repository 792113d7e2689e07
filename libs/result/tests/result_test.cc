#include "kessai/result/result.h"

#include <gtest/gtest.h>

namespace kessai {
namespace {

Result<int> Half(int number) {
    if (number % 2 != 0) return Status(Code::kInvalidArgument, "ODD", "cannot halve");
    return number / 2;
}

Result<int> Quarter(int number) {
    KESSAI_ASSIGN_OR_RETURN(const int half, Half(number));
    KESSAI_RETURN_IF_ERROR(Half(half));
    return half / 2;
}

// Goal: a refusal keeps its code, reason and message through the macros.
// Method: refuse at the first and at the second step.
TEST(ResultTest, RefusalsPassThroughTheMacros) {
    EXPECT_EQ(Quarter(8).value(), 2);
    for (const int number : {3, 6}) {
        const auto refused = Quarter(number);
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.status().code(), Code::kInvalidArgument);
        EXPECT_EQ(refused.status().reason(), "ODD");
        EXPECT_EQ(refused.status().message(), "cannot halve");
    }
}

// Goal: an ok status costs nothing and says so.
TEST(StatusTest, OkIsOnePointerWithoutReason) {
    EXPECT_EQ(sizeof(Status), sizeof(void*));
    const Status fine;
    EXPECT_TRUE(fine.ok());
    EXPECT_EQ(fine.code(), Code::kOk);
    EXPECT_EQ(fine.ToString(), "OK");
    EXPECT_TRUE(fine.WithContext("x").ok());
}

TEST(StatusTest, ContextIsPutBeforeTheMessage) {
    const Status status(Code::kNotFound, "PAYMENT_UNKNOWN", "no payment 12");
    const Status copy = status;
    EXPECT_EQ(copy.WithContext("refund").ToString(),
              "NOT_FOUND PAYMENT_UNKNOWN: refund: no payment 12");
    EXPECT_EQ(copy, status);
}

TEST(ResultDeathTest, TakingTheValueOfARefusalStopsTheProcess) {
    EXPECT_DEATH((void)Half(3).value(), "INVALID_ARGUMENT ODD");
}

}  // namespace
}  // namespace kessai
