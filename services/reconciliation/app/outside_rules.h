#pragma once

#include <string_view>
#include <vector>

#include "domain/outside_rule.h"
#include "kessai/result/result.h"

namespace kessai::reconciliation::app {

/// The rules by which statements are matched, from YAML: a list `rules`, in order, each with the
/// keys of domain::OutsideRule; README.md has an example. Refuses with INVALID_ARGUMENT
/// CONFIG_INVALID naming every problem, the rule and its line.
Result<std::vector<domain::OutsideRule>> ParseOutsideRules(std::string_view yaml);

}  // namespace kessai::reconciliation::app
