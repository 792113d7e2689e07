#include "app/outside_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "kessai/testing/matchers.h"

namespace kessai::reconciliation::app {
namespace {

using domain::OutsideAction;
using domain::OutsideCardinality;
using domain::OutsideRule;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Refuses;

constexpr std::string_view kGood = R"(rules:
  - {name: reference, action: match, reference_equal: true, days_before: 1, days_after: 5}
  - name: instalments
    cardinality: one_to_many
    action: suggest
    reference_equal: false
    amount_tolerance: 880
    days_before: 0
    days_after: 10
    group_max: 4
    candidates_max: 20
    work_max: 5000
)";

TEST(OutsideRulesTest, AreReadInOrder) {
    ASSERT_OK_AND_ASSIGN(const auto rules, ParseOutsideRules(kGood));
    EXPECT_THAT(rules,
                ElementsAre(OutsideRule{.name = "reference", .days_before = 1, .days_after = 5},
                            OutsideRule{.name = "instalments",
                                        .cardinality = OutsideCardinality::kOneToMany,
                                        .action = OutsideAction::kSuggest,
                                        .reference_equal = false,
                                        .amount_tolerance = 880,
                                        .days_after = 10,
                                        .group_max = 4,
                                        .candidates_max = 20,
                                        .work_max = 5'000}));
}

// Goal: rules that can't be meant are refused, and the message says which rule and what.
TEST(OutsideRulesTest, RefusalsNameThePlace) {
    const std::string good(kGood);
    const auto with = [&](std::string_view what, std::string_view by) {
        std::string yaml = good;
        return yaml.replace(yaml.find(what), what.size(), by);
    };
    const struct {
        std::string yaml;
        std::string_view says;
    } bad[] = {
        {"", "missing key rules"},
        {"rules: []", "rules is empty"},
        {"rules: [", "rules:1: not YAML"},
        {with("name: reference, ", ""), "rules[0]: rules:2: missing key name"},
        {with("action: suggest", "action: guess"),
         "rules[1]: rules:5: action: expected one of match, suggest"},
        {with("    action: suggest\n", ""), "rules[1]: rules:3: missing key action"},
        {with("group_max: 4", "group_max: 21"), "rules[1]: rules:10: group_max"},
        {with("880", "-1"), "rules[1]: rules:7: amount_tolerance"},
        {with("work_max", "work_limit"), "rules[1]: rules:12: unknown key work_limit"},
        {with("name: instalments", "name: reference"),
         "rules[1] \"reference\" has an earlier rule's name"},
    };
    for (const auto& [yaml, says] : bad) {
        const auto read = ParseOutsideRules(yaml);
        ASSERT_THAT(read, Refuses(Code::kInvalidArgument, "CONFIG_INVALID")) << says;
        EXPECT_THAT(std::string(read.status().message()), HasSubstr(std::string(says)));
    }
}

}  // namespace
}  // namespace kessai::reconciliation::app
