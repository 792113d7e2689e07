// Goal: every call gets deadline, token, rule, trace, refusals and accounts from the library, and
// handlers see none of it.
// Method: a real server of the payment contract on loopback, whose handlers the tests decide,
// called through the library's client.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <thread>

#include "kessai/rpc/status.h"
#include "test_service.h"

namespace kessai::rpc {
namespace {

using ::testing::HasSubstr;

class UnaryTest : public ::testing::Test {
 protected:
    CallOptions AsMerchant(Duration timeout = seconds(5)) {
        token_ = tokens_.Merchant();
        return {.timeout = timeout, .token = token_};
    }

    TestTokens tokens_;
    std::string token_;
};

pb::GetPaymentRequest RequestFor(const std::string& id) {
    pb::GetPaymentRequest request;
    request.set_merchant_payment_id(id);
    return request;
}

Result<pb::Payment> Echo(const CallContext& call, const pb::GetPaymentRequest& request) {
    pb::Payment payment;
    payment.set_merchant_id(call.principal().merchant_id);
    payment.set_merchant_payment_id(request.merchant_payment_id());
    return payment;
}

TEST_F(UnaryTest, HandlerGetsWhoCallsAndAnswers) {
    RecordingObserver observer;
    TestServer server(
        tokens_,
        {.get_payment = [](const CallContext& call,
                           const pb::GetPaymentRequest& request) -> Result<pb::Payment> {
            EXPECT_EQ(call.method(), "GetPayment");
            EXPECT_EQ(call.traceparent(), "child-of-00-abc");
            EXPECT_FALSE(call.cancelled());
            EXPECT_TRUE(RecordingObserver::InCall());
            const auto left = call.deadline() - SystemClock().SteadyNow();
            EXPECT_GT(left, seconds(1));
            // gRPC rounds a time-out up on the wire.
            EXPECT_LE(left, milliseconds(2'100));
            return Echo(call, request);
        }},
        {}, &observer);
    const Channel channel = ChannelTo(server.address());
    CallOptions options = AsMerchant(seconds(2));
    options.traceparent = "00-abc";

    const auto payment = Call(channel, GetPaymentMethod(), RequestFor("order-1"), options);

    ASSERT_TRUE(payment.ok()) << payment.status().ToString();
    EXPECT_EQ(payment->merchant_id(), 7);
    EXPECT_EQ(payment->merchant_payment_id(), "order-1");
    const auto seen = observer.seen();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(observer.started(), 1U);
    EXPECT_EQ(seen[0].method, "GetPayment");
    EXPECT_EQ(seen[0].code, Code::kOk);
    EXPECT_EQ(seen[0].subject, "key-7");
    EXPECT_EQ(seen[0].parent, "00-abc");
}

}  // namespace
}  // namespace kessai::rpc
