#include <gtest/gtest.h>

#include "domain/outside_item.h"

namespace kessai::reconciliation::domain {
namespace {

// Goal: what is written differently by people and systems is the same reference.
TEST(OutsideReferenceTest, IsComparedWithoutItsDress) {
    EXPECT_EQ(NormalReference("INV-001/2"), "INV0012");
    EXPECT_EQ(NormalReference("inv 001.2"), "INV0012");
    EXPECT_EQ(NormalReference("ＩＮＶ－００１　２"), "INV0012");
    EXPECT_EQ(NormalReference("00000000010000001043"), "10000001043");
    EXPECT_EQ(NormalReference(" 10000001043 "), "10000001043");
    EXPECT_EQ(NormalReference("カ）ヤマダ"), NormalReference("ｶ)ﾔﾏﾀﾞ"));
    EXPECT_EQ(NormalReference("請求 a-1"), "請求A1");
    EXPECT_NE(NormalReference("INV-01"), NormalReference("INV-1"));
}

TEST(OutsideReferenceTest, NothingReferred) {
    for (const char* none :
         {"", " ", "-", "0", "0000000000", "NOTPROVIDED", "notprovided", "--/ "}) {
        EXPECT_EQ(NormalReference(none), "") << none;
    }
}

}  // namespace
}  // namespace kessai::reconciliation::domain
