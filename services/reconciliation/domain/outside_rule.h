#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/result/result.h"

namespace kessai::reconciliation::domain {

namespace reason {
/// INVALID_ARGUMENT: rules that can't be meant; the message names the rule and what is wrong.
inline constexpr std::string_view kOutsideRulesInvalid = "OUTSIDE_RULES_INVALID";
/// INVALID_ARGUMENT: an id twice among the items of a side.
inline constexpr std::string_view kOutsideItemTwice = "OUTSIDE_ITEM_TWICE";
}  // namespace reason

/// How many items of each side make a match.
enum class OutsideCardinality : std::uint8_t {
    kOneToOne = 1,
    /// One expected item came in several: instalments.
    kOneToMany = 2,
    /// Several expected items came in one: a batch.
    kManyToOne = 3,
};

enum class OutsideAction : std::uint8_t {
    /// What is beyond doubt is matched, the rest suggested.
    kMatch = 1,
    /// Everything is suggested.
    kSuggest = 2,
};

/// What makes items of both sides fit. Account and currency are always the same, and so is the
/// direction.
struct OutsideRule {
    std::string name = {};
    OutsideCardinality cardinality = OutsideCardinality::kOneToOne;
    OutsideAction action = OutsideAction::kMatch;
    /// Both have a normal reference in common; in a group, the one item with each of the others.
    bool reference_equal = true;
    /// How far the amounts may be apart, of a group its sum; minor units.
    std::int64_t amount_tolerance = 0;
    /// How many days the statement may be before and after the day expected.
    int days_before = 0;
    int days_after = 0;
    /// Of groups: how many items on the side of several, 2 to kGroupMax.
    int group_max = 5;
    /// Of groups: with more items to choose from, an item's groups are not looked for.
    int candidates_max = 40;
    /// Of groups: how many sums are tried for one item, and with a tolerance how many items are
    /// compared with one.
    std::int64_t work_max = 100'000;

    static constexpr int kGroupMax = 20;
    static constexpr int kCandidatesMax = 200;
    static constexpr int kDaysMax = 366;
    static constexpr std::int64_t kWorkMax = 100'000'000;

    bool operator==(const OutsideRule&) const = default;
};

inline constexpr std::size_t kOutsideRulesMax = 32;

/// Refuses with OUTSIDE_RULES_INVALID: none or more than kOutsideRulesMax, a name that is empty or
/// there twice, a bound that is exceeded.
Status CheckOutsideRules(const std::vector<OutsideRule>& rules);

}  // namespace kessai::reconciliation::domain
