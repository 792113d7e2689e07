// Goal: a method is open to exactly those its rule names, and no method can be forgotten.
// Method: check principals of every role against rules; give the payment contract policies with
// each kind of mistake.
#include "kessai/auth/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kessai/payout/v1/payout_service.pb.h"

namespace kessai::auth {
namespace {

using ::testing::HasSubstr;

const google::protobuf::ServiceDescriptor& Payout() {
    return *payout::v1::PayoutDay::descriptor()->file()->FindServiceByName("PayoutService");
}

std::vector<MethodRule> GoodRules() {
    std::vector<MethodRule> rules;
    for (int i = 0; i < Payout().method_count(); ++i) {
        rules.push_back({Payout().method(i)->name(), {AnyService()}});
    }
    return rules;
}

MethodRule& RuleOf(std::vector<MethodRule>& rules, std::string_view method) {
    return *std::find_if(rules.begin(), rules.end(),
                         [&](const MethodRule& rule) { return rule.method == method; });
}

std::string Offenders(const std::vector<MethodRule>& rules) {
    const Status status = MethodPolicy(rules).CheckAgainst(Payout());
    return std::string(status.message());
}

Principal WithScopes(Role role, std::vector<std::string> scopes = {}) {
    return {.role = role, .subject = "x", .scopes = std::move(scopes)};
}

TEST(MethodRuleTest, AdmitsWhomItNames) {
    const MethodRule rule{"GetMerchantBalance", {Operator("payout:read"), Merchant()}};
    EXPECT_TRUE(rule.Check(WithScopes(Role::kMerchant)).ok());
    EXPECT_TRUE(rule.Check(WithScopes(Role::kOperator, {"day:close", "payout:read"})).ok());
    for (const Principal& other :
         {WithScopes(Role::kOperator), WithScopes(Role::kOperator, {"payout:write"}),
          WithScopes(Role::kUser, {"payout:read"}), WithScopes(Role::kService, {"payout:read"}),
          WithScopes(Role::kNone)}) {
        const Status refused = rule.Check(other);
        EXPECT_EQ(refused.code(), Code::kPermissionDenied);
        EXPECT_EQ(refused.reason(), reason::kRoleNotAllowed);
    }
}

TEST(MethodPolicyTest, AcceptsOneRuleForEachMethod) {
    EXPECT_EQ(Offenders(GoodRules()), "");
}

TEST(MethodPolicyTest, NamesEveryMistake) {
    auto rules = GoodRules();
    rules.pop_back();
    EXPECT_THAT(Offenders(rules), HasSubstr("ListDayRows has no rule"));

    rules = GoodRules();
    rules.push_back({"Steal", {AnyService()}});
    EXPECT_THAT(Offenders(rules), HasSubstr("Steal is no method of it"));

    rules = GoodRules();
    rules.push_back({"GetDay", {User()}});
    EXPECT_THAT(Offenders(rules), HasSubstr("GetDay has two rules"));

    rules = GoodRules();
    RuleOf(rules, "GetDay").grants.clear();
    EXPECT_THAT(Offenders(rules), HasSubstr("GetDay admits nobody"));

    rules = GoodRules();
    RuleOf(rules, "GetDay").grants = {Grant{}};
    EXPECT_THAT(Offenders(rules), HasSubstr("GetDay grants to no role"));

    rules = GoodRules();
    RuleOf(rules, "GetDay").grants = {Operator("")};
    EXPECT_THAT(Offenders(rules), HasSubstr("GetDay admits operators without a scope"));

    rules = GoodRules();
    RuleOf(rules, "GetDay").token = MethodRule::Token::kInMessages;
    EXPECT_THAT(Offenders(rules), HasSubstr("GetDay is no stream of the caller's messages"));
    EXPECT_THAT(Offenders(rules), HasSubstr("GetDay names no peer"));
    EXPECT_THAT(Offenders(rules), HasSubstr("GetDay has grants that nothing checks"));
}

TEST(MethodPolicyTest, FindsRulesByName) {
    const MethodPolicy policy(GoodRules());
    EXPECT_EQ(policy.Get("GetDay").method, "GetDay");
    EXPECT_EQ(policy.Find("Nothing"), nullptr);
}

}  // namespace
}  // namespace kessai::auth
