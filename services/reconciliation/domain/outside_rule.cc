#include "domain/outside_rule.h"

#include <set>

namespace kessai::reconciliation::domain {
namespace {

std::string Problem(const OutsideRule& rule) {
    if (rule.name.empty()) return "has no name";
    if (rule.amount_tolerance < 0) return "has an amount_tolerance below zero";
    for (const int days : {rule.days_before, rule.days_after}) {
        if (days < 0 || days > OutsideRule::kDaysMax) {
            return "has days outside 0 to " + std::to_string(OutsideRule::kDaysMax);
        }
    }
    if (rule.group_max < 2 || rule.group_max > OutsideRule::kGroupMax) {
        return "has a group_max outside 2 to " + std::to_string(OutsideRule::kGroupMax);
    }
    if (rule.candidates_max < 2 || rule.candidates_max > OutsideRule::kCandidatesMax) {
        return "has a candidates_max outside 2 to " + std::to_string(OutsideRule::kCandidatesMax);
    }
    if (rule.work_max < 1 || rule.work_max > OutsideRule::kWorkMax) {
        return "has a work_max outside 1 to " + std::to_string(OutsideRule::kWorkMax);
    }
    return {};
}

}  // namespace

Status CheckOutsideRules(const std::vector<OutsideRule>& rules) {
    const auto invalid = [](std::string message) {
        return Status(Code::kInvalidArgument, reason::kOutsideRulesInvalid, std::move(message));
    };
    if (rules.empty()) return invalid("there are no rules");
    if (rules.size() > kOutsideRulesMax) {
        return invalid("there are more than " + std::to_string(kOutsideRulesMax) + " rules");
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const std::string where = "rules[" + std::to_string(i) + "] \"" + rules[i].name + "\" ";
        if (const std::string problem = Problem(rules[i]); !problem.empty()) {
            return invalid(where + problem);
        }
        if (!names.insert(rules[i].name).second)
            return invalid(where + "has an earlier rule's name");
    }
    return OkStatus();
}

}  // namespace kessai::reconciliation::domain
