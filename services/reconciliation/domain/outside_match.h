#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/outside_item.h"
#include "domain/outside_rule.h"
#include "kessai/result/result.h"

namespace kessai::reconciliation::domain {

/// Items that belong together: one on one side, one or more on the other. Ids rise.
struct OutsideMatch {
    /// Position among the rules, from 0.
    std::size_t rule = 0;
    std::vector<OutsideItemId> expected = {};
    std::vector<OutsideItemId> booked = {};
    /// What was booked above what was expected; minor units.
    std::int64_t difference = 0;

    bool operator==(const OutsideMatch&) const = default;
};

/// Items that a person has said do not belong together: a set, as a match or suggestion has it.
struct OutsideApart {
    std::vector<OutsideItemId> expected = {};
    std::vector<OutsideItemId> booked = {};

    bool operator==(const OutsideApart&) const = default;
};

/// Why a person is asked.
enum class SuggestionCause : std::uint8_t {
    /// The rule does not match by itself.
    kRuleSuggests = 1,
    /// One of the items fits in another way too.
    kAmbiguous = 2,
    /// Whether it fits in another way was not looked at to the end: the rule's bounds.
    kBoundReached = 3,
};

struct OutsideSuggestion {
    OutsideMatch match = {};
    SuggestionCause cause = SuggestionCause::kRuleSuggests;
    /// 1 to 100: a common reference is 50, equal amounts 30, the same day 20; less the more ways
    /// there are.
    int score = 0;
    bool shares_reference = false;
    /// The greatest distance between the one item and the others.
    int days_apart = 0;
    /// In how many ways the one item fits, this one included; as far as was looked.
    int ways = 1;

    /// "common reference; amounts differ by 5; 2 days apart; one of 3 ways", for people.
    std::string Why() const;

    bool operator==(const OutsideSuggestion&) const = default;
};

struct OutsideUnmatched {
    OutsideSide side = OutsideSide::kExpected;
    OutsideItemId id{};
    /// Days since its date; below zero of one that is expected later.
    int age_days = 0;
    /// The rule that found something for it, but not beyond doubt.
    std::optional<std::size_t> rule = {};

    bool operator==(const OutsideUnmatched&) const = default;
};

struct OutsideOutcome {
    /// By rule, then by the first expected id.
    std::vector<OutsideMatch> matches = {};
    /// By rule, then by the items; the best of them at most kSuggestionsMax an item.
    std::vector<OutsideSuggestion> suggestions = {};
    /// Expected before booked, by id.
    std::vector<OutsideUnmatched> unmatched = {};
    /// How often a rule's bounds, or the run's, kept an item from being looked at to the end.
    std::int64_t bounds_reached = 0;

    static constexpr std::size_t kSuggestionsMax = 5;

    bool operator==(const OutsideOutcome&) const = default;
};

/// Steps of some nanoseconds that a run takes at most.
inline constexpr std::int64_t kOutsideRunWorkMax = 1'000'000'000;

/// Matches what is expected with what was booked. Pure; the order of the items decides nothing.
///
/// Rules go in order, each over the items that no earlier one took. A rule takes an item for which
/// it finds anything: matched where that is beyond doubt, otherwise suggested; so a later rule
/// never overtakes a better one. Beyond doubt is
/// - a pair of which neither fits any other item, under this rule;
/// - a group that is the only one for its one item, and none of whose items is in a group of
/// another. Where bounds keep a rule from knowing that, it suggests.
///
/// So running again over what is unmatched gives the same suggestions and no match, and confirming
/// a suggestion, which takes its items away, changes nothing but for items that fit those items or
/// are linked to them by others that fit.
///
/// What is `apart` fits no more, so that other items and weaker rules have their turn; sets of
/// items that are not all there are ignored.
///
/// Time: rules without tolerance for pairs, n log n; of groups each item has the rule's `work_max`.
/// Together they have `run_work_max` steps; what is left when these are used up is not looked at,
/// by no later rule either, so that nothing is taken for beyond doubt that is not.
/// Refuses with OUTSIDE_RULES_INVALID, OUTSIDE_ITEM_TWICE.
Result<OutsideOutcome> MatchOutside(const std::vector<OutsideItem>& expected,
                                    const std::vector<OutsideItem>& booked,
                                    const std::vector<OutsideRule>& rules, BusinessDate today,
                                    const std::vector<OutsideApart>& apart = {},
                                    std::int64_t run_work_max = kOutsideRunWorkMax);

}  // namespace kessai::reconciliation::domain
