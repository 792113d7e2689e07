#include "app/outside_rules.h"

#include <cstdint>
#include <string>
#include <utility>

#include "kessai/config/schema.h"

namespace kessai::reconciliation::domain {

void Describe(config::Schema& schema, OutsideRule& rule) {
    schema.Text("name", &rule.name,
                {.description = "What matches say made them", .max_length = 64, .required = true});
    schema.Choice("cardinality", &rule.cardinality,
                  {{"one_to_one", OutsideCardinality::kOneToOne},
                   {"one_to_many", OutsideCardinality::kOneToMany},
                   {"many_to_one", OutsideCardinality::kManyToOne}},
                  {.description = "How many expected items make up how many booked ones"});
    schema.Choice("action", &rule.action,
                  {{"match", OutsideAction::kMatch}, {"suggest", OutsideAction::kSuggest}},
                  {.description = "Whether what is beyond doubt is matched", .required = true});
    schema.Bool("reference_equal", &rule.reference_equal,
                {.description = "They have a reference in common", .required = true});
    schema.Int(
        "amount_tolerance", &rule.amount_tolerance,
        {.description = "How far amounts or sums may be apart", .unit = "minor units", .min = 0});
    schema.Int("days_before", &rule.days_before,
               {.description = "How long before the day expected it may be booked",
                .unit = "days",
                .min = 0,
                .max = OutsideRule::kDaysMax,
                .required = true});
    schema.Int("days_after", &rule.days_after,
               {.description = "How long after it",
                .unit = "days",
                .min = 0,
                .max = OutsideRule::kDaysMax,
                .required = true});
    schema.Int("group_max", &rule.group_max,
               {.description = "Items of a group on the side of several",
                .min = 2,
                .max = OutsideRule::kGroupMax});
    schema.Int("candidates_max", &rule.candidates_max,
               {.description = "Items to choose groups from",
                .min = 2,
                .max = OutsideRule::kCandidatesMax});
    schema.Int("work_max", &rule.work_max,
               {.description = "Sums tried for one item, or items compared with it",
                .min = 1,
                .max = OutsideRule::kWorkMax});
}

}  // namespace kessai::reconciliation::domain

namespace kessai::reconciliation::app {

Result<std::vector<domain::OutsideRule>> ParseOutsideRules(std::string_view yaml) {
    std::vector<domain::OutsideRule> rules;
    config::Schema schema;
    schema.List("rules", &rules,
                {.description = "In order: the first that finds something for an item takes it",
                 .max_items = domain::kOutsideRulesMax,
                 .required = true});
    schema.Check([&rules]() -> Status {
        const Status status = domain::CheckOutsideRules(rules);
        if (status.ok()) return {};
        return Status(Code::kInvalidArgument, config::kConfigInvalid,
                      std::string(status.message()));
    });
    KESSAI_RETURN_IF_ERROR(schema.Load({.document = config::Document{"rules", std::string(yaml)}}));
    return rules;
}

}  // namespace kessai::reconciliation::app
