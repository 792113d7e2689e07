// Goal: a service can't be started with a method that has no rule, no handler, or other types than
// its contract; nor can a client be written against a method that isn't there.
// Method: make each mistake in a process of its own and look for its name in what the process says
// as it stops.
#include "kessai/rpc/service.h"

#include <gtest/gtest.h>

#include "test_service.h"

namespace kessai::rpc {
namespace {

constexpr const char* kServiceName = "kessai.payment.v1.PaymentService";

class ServiceDeathTest : public ::testing::Test {
 protected:
    ServiceDeathTest() { ::testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST_F(ServiceDeathTest, PolicyMustFitTheContract) {
    EXPECT_DEATH(Service(kServiceName, auth::MethodPolicy({{"GetCode", {auth::User()}}})),
                 "CreateCode has no rule");
    EXPECT_DEATH(Service("kessai.payment.v1.Nothing", auth::MethodPolicy({})),
                 "no contract is linked in");
}

TEST_F(ServiceDeathTest, HandlersMustFitTheContract) {
    WorkerPool pool({.name = "test", .threads = 1});
    const auto answer = [](const CallContext&, const pb::GetCodeRequest&) {
        return Result<pb::Payment>(pb::Payment());
    };
    EXPECT_DEATH(
        (MinimalService().Blocking<pb::GetCodeRequest, pb::Payment>("GetCode", pool, answer)),
        "registered twice");
    EXPECT_DEATH(
        (MinimalService().Blocking<pb::GetCodeRequest, pb::Payment>("Steal", pool, answer)),
        "has no method Steal");
    EXPECT_DEATH(
        (MinimalService().Blocking<pb::GetCodeRequest, pb::Payment>("GetWallet", pool, answer)),
        "other types than its contract");
}

TEST_F(ServiceDeathTest, EveryMethodMustBeRegistered) {
    std::vector<auth::MethodRule> rules;
    const auto* contract = pb::Payment::descriptor()->file()->FindServiceByName("PaymentService");
    for (int i = 0; i < contract->method_count(); ++i) {
        rules.push_back({contract->method(i)->name(), {auth::AnyService()}});
    }
    TestTokens tokens;
    EXPECT_DEATH(
        {
            Server server({}, SystemClock(), tokens.verifier, nullptr);
            server.Add(Service(kServiceName, auth::MethodPolicy(rules)));
        },
        "is in the contract and has no handler");
}

TEST_F(ServiceDeathTest, CalledMethodMustBeInTheContract) {
    EXPECT_DEATH(
        (Method<pb::GetCodeRequest, pb::Payment>("kessai.payment.v1.PaymentService.Steal")),
        "has method");
    EXPECT_DEATH(
        (Method<pb::GetCodeRequest, pb::Wallet>("kessai.payment.v1.PaymentService.GetCode")),
        "other types");
    EXPECT_EQ(GetCodeMethod().path(), "/kessai.payment.v1.PaymentService/GetCode");
}

}  // namespace
}  // namespace kessai::rpc
