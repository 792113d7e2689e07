#include "domain/fee_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/payment_change.h"
#include "tests/random_plans.h"

namespace kessai::payout::domain {
namespace {

BusinessDate Day(std::int32_t yyyymmdd) {
    return BusinessDate::FromNumber(yyyymmdd).value();
}

FeeTerms Rate(std::uint32_t basis_points) {
    return {.rate_basis_points = basis_points};
}

FeePlan PlanOf(std::vector<FeeRule> rules, std::uint32_t rate = 200) {
    FeePlan plan;
    plan.id = PlanId(2);
    plan.version = 1;
    plan.merchant = MerchantId(7);
    plan.terms = Rate(rate);
    plan.rules = std::move(rules);
    plan.effective_from = Day(20261101);
    return plan;
}

FeeCase CaseOn(std::int32_t day, std::string_view store = {}, std::int64_t volume = 0) {
    return {store, Day(day), Day(20261101), volume};
}

TEST(FeeRuleTest, MethodsAreChargedByTheirTerms) {
    const FeePlan plan = PlanOf({{.method = Method::kCreditCard, .terms = Rate(324)},
                                 {.method = Method::kPoint, .terms = {}}});
    ASSERT_TRUE(Validate(plan).ok());
    const FeeCase fee_case = CaseOn(20261110);
    EXPECT_EQ(FeeOf(plan, fee_case, 10'000, {}), 200);
    EXPECT_EQ(FeeOf(plan, fee_case, 10'000, {{Method::kCreditCard, 10'000}}), 324);
    EXPECT_EQ(
        FeeOf(plan, fee_case, 10'000,
              {{Method::kWallet, 5'000}, {Method::kPoint, 2'000}, {Method::kCreditCard, 3'000}}),
        100 + 0 + 97);
}

// Goal: a payment that no rule tells apart costs what it always did, whatever it was paid with.
TEST(FeeRuleTest, MethodsUnderTheSameTermsAreChargedTogether) {
    FeePlan plan = PlanOf({{.method = Method::kPoint, .terms = Rate(100)}});
    plan.terms.fixed = 10;
    plan.terms.minimum = 30;
    const MethodSplit split{
        {Method::kWallet, 333}, {Method::kCreditCard, 333}, {Method::kCoupon, 333}};
    EXPECT_EQ(FeeOf(plan, CaseOn(20261110), 999, split), 30);  // floor(19.98) + 10, at least 30
}

TEST(FeeRuleTest, OrderOfRulesIsFirstDaysDatesStoreMethod) {
    const std::vector<FeeRule> rules{
        {.method = Method::kCreditCard, .terms = Rate(1)},
        {.store = "A", .terms = Rate(2)},
        {.store = "A", .method = Method::kCreditCard, .terms = Rate(3)},
        {.from = Day(20261201), .to = Day(20261231), .terms = Rate(4)},
        {.store = "A", .from = Day(20261201), .to = Day(20261231), .terms = Rate(5)},
        {.first_days = 10, .terms = {}}};
    ASSERT_TRUE(Validate(std::span<const FeeRule>(rules)).ok());
    const auto rate = [&](std::int32_t day, std::string_view store, Method method) {
        const FeeRule* rule = ApplyingRule(rules, CaseOn(day, store), method);
        return rule == nullptr ? -1 : static_cast<int>(rule->terms.rate_basis_points);
    };
    EXPECT_EQ(rate(20261120, "B", Method::kWallet), -1);
    EXPECT_EQ(rate(20261120, "B", Method::kCreditCard), 1);
    EXPECT_EQ(rate(20261120, "A", Method::kWallet), 2);
    EXPECT_EQ(rate(20261120, "A", Method::kCreditCard), 3);
    EXPECT_EQ(rate(20261201, "B", Method::kCreditCard), 4);
    EXPECT_EQ(rate(20261231, "A", Method::kCreditCard), 5);
    EXPECT_EQ(rate(20270101, "A", Method::kCreditCard), 3);
    EXPECT_EQ(rate(20261110, "A", Method::kCreditCard), 0);  // The tenth day is free,
    EXPECT_EQ(rate(20261111, "A", Method::kCreditCard), 3);  // the eleventh is not.
}

TEST(FeeRuleTest, TiersFollowTheVolume) {
    FeePlan plan = PlanOf({{.store = "A", .terms = Rate(150), .tiers = {{2'000, Rate(50)}}}});
    plan.tiers = {{1'000, Rate(180)}, {5'000, Rate(160)}};
    ASSERT_TRUE(Validate(plan).ok());
    const auto fee = [&](std::int64_t volume, std::string_view store = {}) {
        return FeeOf(plan, CaseOn(20261110, store, volume), 10'000, {});
    };
    EXPECT_EQ(fee(-5), 200);  // More returned than sold.
    EXPECT_EQ(fee(999), 200);
    EXPECT_EQ(fee(1'000), 180);
    EXPECT_EQ(fee(4'999), 180);
    EXPECT_EQ(fee(5'000), 160);
    EXPECT_EQ(fee(1'999, "A"), 150);
    EXPECT_EQ(fee(2'000, "A"), 50);
}

TEST(FeeRuleTest, ImpossibleRulesAreRefusedByName) {
    const auto reason = [](std::vector<FeeRule> rules) {
        return std::string(Validate(PlanOf(std::move(rules))).reason());
    };
    EXPECT_EQ(reason({{.store = "A"}, {.store = "B"}, {.method = Method::kPoint}}), "");
    EXPECT_EQ(reason({{.terms = Rate(10'001)}}), "PLAN_INVALID");
    EXPECT_EQ(reason({{.terms = {}, .tiers = {{5, Rate(10'001)}}}}), "PLAN_INVALID");
    EXPECT_EQ(reason({{.tiers = {{0, Rate(1)}}}}), "TIERS_NOT_RISING");
    EXPECT_EQ(reason({{.tiers = {{5, Rate(1)}, {5, Rate(2)}}}}), "TIERS_NOT_RISING");
    EXPECT_EQ(reason({{.tiers = {{5, Rate(1)}, {4, Rate(2)}}}}), "TIERS_NOT_RISING");
    EXPECT_EQ(reason({{.tiers = std::vector<FeeTier>(21, FeeTier{5, Rate(1)})}}), "PLAN_INVALID");
    EXPECT_EQ(reason({{.store = std::string(256, 'x')}}), "STORE_INVALID");
    EXPECT_EQ(reason({{.store = std::string("a\0b", 3)}}), "STORE_INVALID");
    std::string longest;
    for (int i = 0; i < 255; ++i) longest += "店";
    EXPECT_EQ(reason({{.store = longest}}), "");  // As payment takes it: characters, not bytes.
    EXPECT_EQ(reason({{.store = longest + "店"}}), "STORE_INVALID");
    EXPECT_EQ(reason({{.store = "a\tb"}}), "");
    EXPECT_EQ(reason({{.from = Day(20261202), .to = Day(20261201)}}), "CAMPAIGN_INVALID");
    EXPECT_EQ(reason({{.to = Day(20261031)}}), "CAMPAIGN_INVALID");  // Before the plan begins.
    EXPECT_EQ(reason({{.from = Day(20261201), .first_days = 3}}), "CAMPAIGN_INVALID");
    EXPECT_EQ(reason({{.first_days = 3'661}}), "CAMPAIGN_INVALID");
    EXPECT_EQ(reason({{.store = "A"}, {.store = "A", .terms = Rate(5)}}), "RULES_OVERLAP");
    EXPECT_EQ(reason({{.first_days = 3}, {.first_days = 30}}), "RULES_OVERLAP");
    EXPECT_EQ(reason({{.from = Day(20261201), .to = Day(20261210)}, {.from = Day(20261210)}}),
              "RULES_OVERLAP");
    EXPECT_EQ(reason({{.from = Day(20261201), .to = Day(20261210)}, {.from = Day(20261211)}}), "");
    EXPECT_EQ(reason({{.from = Day(20261201)}, {.store = "A", .from = Day(20261201)}}), "");
    std::vector<FeeRule> many(201);
    for (std::size_t i = 0; i < many.size(); ++i) many[i].store = std::to_string(i);
    EXPECT_EQ(reason(many), "PLAN_INVALID");
    many.pop_back();
    EXPECT_EQ(reason(many), "");
}

TEST(FeeRuleTest, PlanOfAllOthersHasNoTiersNoFirstDaysAndNoEnd) {
    FeePlan plan = PlanOf({});
    plan.merchant = MerchantId();
    EXPECT_TRUE(Validate(plan).ok());
    plan.tiers = {{1'000, Rate(1)}};
    EXPECT_EQ(Validate(plan).reason(), "PLAN_INVALID");
    plan.tiers.clear();
    plan.rules = {{.first_days = 30}};
    EXPECT_EQ(Validate(plan).reason(), "PLAN_INVALID");
    plan.rules = {{.method = Method::kPoint}};
    EXPECT_TRUE(Validate(plan).ok());
    plan.effective_to = Day(20991231);
    EXPECT_EQ(Validate(plan).reason(), "PLAN_INVALID");
}

TEST(FeeRuleTest, SharedPlanHasNoEnd) {
    FeePlan plan = PlanOf({});
    plan.merchant = kSharedPlan;
    EXPECT_TRUE(Validate(plan).ok());
    plan.effective_to = Day(20261231);
    EXPECT_EQ(Validate(plan).reason(), "PLAN_INVALID");
}

// Goal: the fee is that of the rules' words for any plan, store, day, volume and split.
// Method: two hundred thousand random plans and payments against a reference that tries every kind
// of rule in the order of the words and computes in 128 bits.
TEST(FeeRuleProperty, FeeIsThatOfTheWords) {
    Seeded random;
    const BusinessDate begins = Day(20261101);
    std::int64_t by_rule = 0;
    std::int64_t by_tier = 0;
    for (int plans = 0; plans < 20'000; ++plans) {
        const FeePlan plan = RandomPlan(random, begins);
        ASSERT_TRUE(Validate(plan).ok());
        for (int payments = 0; payments < 10; ++payments) {
            const std::string store = RandomStore(random);
            const FeeCase fee_case{store, begins.PlusDays(static_cast<int>(random.Between(0, 70))),
                                   begins.PlusDays(static_cast<int>(random.Between(-5, 5))),
                                   random.UpTo(3'000'000) - 10};
            const std::int64_t amount = random.UpTo(kMaxAmount);
            const MethodSplit split = RandomSplit(random, amount);
            ASSERT_EQ(FeeOf(plan, fee_case, amount, split),
                      ReferenceFee(plan, fee_case, amount, split));
            if (ReferenceRule(plan, fee_case, Method::kWallet) != 0) ++by_rule;
            if (&TermsFor(plan.terms, plan.tiers, fee_case.volume) != &plan.terms) ++by_tier;
        }
    }
    EXPECT_GT(by_rule, 10'000);
    EXPECT_GT(by_tier, 10'000);
}

TEST(MethodSplitTest, HasOneForm) {
    using Parts = std::vector<MethodAmount>;
    EXPECT_EQ(MakeSplit({}, 500).value(), MethodSplit());
    EXPECT_EQ(MakeSplit(Parts{{Method::kWallet, 500}}, 500).value(), MethodSplit());
    EXPECT_EQ(MakeSplit(Parts{{Method::kWallet, 200}, {Method::kWallet, 300}}, 500).value(),
              MethodSplit());
    EXPECT_EQ(MakeSplit(Parts{{Method::kCoupon, 100},
                              {Method::kPoint, 200},
                              {Method::kCoupon, 200},
                              {Method::kWallet, 0}},
                        500)
                  .value(),
              (MethodSplit{{Method::kPoint, 200}, {Method::kCoupon, 300}}));
    EXPECT_EQ(MakeSplit(Parts{{Method::kPoint, 499}}, 500).status().reason(), "FIELD_INVALID");
    EXPECT_EQ(MakeSplit(Parts{{Method::kPoint, 501}, {Method::kCoupon, -1}}, 500).status().reason(),
              "FIELD_INVALID");
    EXPECT_EQ(MakeSplit(Parts{{static_cast<Method>(8), 500}}, 500).status().reason(),
              "FIELD_INVALID");
}

TEST(MethodSplitTest, PartIsTakenOffByMethod) {
    const MethodSplit whole{{Method::kWallet, 300}, {Method::kPoint, 200}};
    EXPECT_EQ(SplitWithout(whole, 500, {{Method::kPoint, 200}}, 200).value(), MethodSplit());
    EXPECT_EQ(SplitWithout(whole, 500, {}, 300).value(), (MethodSplit{{Method::kPoint, 200}}));
    EXPECT_EQ(SplitWithout(whole, 500, {}, 301).status().reason(), "FIELD_INVALID");
    EXPECT_EQ(SplitWithout(whole, 500, {{Method::kCoupon, 1}}, 1).status().reason(),
              "FIELD_INVALID");
}

}  // namespace
}  // namespace kessai::payout::domain
