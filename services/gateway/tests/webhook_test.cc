// Goal: retries spread out along the ladder and end, and a notification's signature is what
// receivers compute.

#include "domain/webhook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kessai::gateway::domain {
namespace {

using namespace std::chrono_literals;

TEST(RetryLadderTest, WaitsByAttemptAndEnds) {
    const RetryLadder ladder{{1s, 1min}};
    EXPECT_EQ(ladder.WaitAfter(1, 0), Duration(1s));
    EXPECT_EQ(ladder.WaitAfter(2, 0), Duration(1min));
    EXPECT_EQ(ladder.WaitAfter(3, 0), std::nullopt);
    EXPECT_EQ(ladder.WaitAfter(0, 0), std::nullopt);
    EXPECT_EQ(RetryLadder{}.WaitAfter(1, 0), std::nullopt);
}

TEST(RetryLadderTest, JitterShortensByAQuarterAtMost) {
    const RetryLadder ladder{{8s}};
    EXPECT_EQ(ladder.WaitAfter(1, 0.5), Duration(7s));
    EXPECT_EQ(ladder.WaitAfter(1, 1), Duration(6s));
    EXPECT_EQ(ladder.WaitAfter(1, 9), Duration(6s));
    EXPECT_EQ(ladder.WaitAfter(1, -9), Duration(8s));
}

// Method: against HMAC-SHA256 over "1700000000." and the body, computed with Python's hmac.
TEST(SignWebhookTest, IsWhatReceiversCompute) {
    EXPECT_EQ(SignWebhook("whsec_key", 1'700'000'000, R"({"state":"COMPLETED"})"),
              "t=1700000000,v1=c551266bd11ce5dcff36af72122f106b85d8502b8c58d7fae72bcf1808e38cec");
}

}  // namespace
}  // namespace kessai::gateway::domain
