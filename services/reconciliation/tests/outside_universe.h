#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "domain/outside_match.h"

/// Outside matching done slowly, straight from its definition, to hold the engine against.
namespace kessai::reconciliation::testing {

using domain::OutsideAction;
using domain::OutsideCardinality;
using domain::OutsideItem;
using domain::OutsideRule;

inline bool CommonReference(const OutsideItem& a, const OutsideItem& b) {
    for (const std::string& one : a.references) {
        for (const std::string& other : b.references) {
            const std::string normal = domain::NormalReference(one);
            if (!normal.empty() && normal == domain::NormalReference(other)) return true;
        }
    }
    return false;
}

/// But for the amounts.
inline bool MayBelongTogether(const OutsideRule& rule, const OutsideItem& expected,
                              const OutsideItem& booked) {
    const auto days = (booked.date.day() - expected.date.day()).count();
    return expected.account == booked.account &&
           expected.amount.currency() == booked.amount.currency() &&
           expected.amount.is_negative() == booked.amount.is_negative() &&
           days >= -rule.days_before && days <= rule.days_after &&
           (!rule.reference_equal || CommonReference(expected, booked));
}

inline bool Fits(const OutsideRule& rule, const OutsideItem& expected, const OutsideItem& booked) {
    return MayBelongTogether(rule, expected, booked) &&
           std::abs(expected.amount.minor() - booked.amount.minor()) <= rule.amount_tolerance;
}

using Ids = std::vector<std::int64_t>;
/// What belongs together: expected, and booked, each rising.
using Together = std::pair<Ids, Ids>;

/// Every way in which items that are left can belong together under one rule.
inline std::vector<Together> WaysOf(const OutsideRule& rule,
                                    const std::vector<OutsideItem>& expected,
                                    const std::vector<OutsideItem>& booked) {
    std::vector<Together> ways;
    if (rule.cardinality == OutsideCardinality::kOneToOne) {
        for (const OutsideItem& e : expected) {
            for (const OutsideItem& b : booked) {
                if (Fits(rule, e, b)) ways.push_back({{e.id.value()}, {b.id.value()}});
            }
        }
        return ways;
    }
    const bool one_is_expected = rule.cardinality == OutsideCardinality::kOneToMany;
    const auto& ones = one_is_expected ? expected : booked;
    const auto& others = one_is_expected ? booked : expected;
    for (const OutsideItem& one : ones) {
        if (one.amount.is_zero()) continue;
        for (std::uint32_t set = 0; set < (1u << others.size()); ++set) {
            std::int64_t sum = 0;
            Ids ids;
            bool fits = true;
            for (std::size_t i = 0; i < others.size(); ++i) {
                if ((set >> i & 1u) == 0) continue;
                sum += others[i].amount.minor();
                ids.push_back(others[i].id.value());
                fits = fits && !others[i].amount.is_zero() &&
                       (one_is_expected ? MayBelongTogether(rule, one, others[i])
                                        : MayBelongTogether(rule, others[i], one));
            }
            if (!fits || ids.size() < 2 || ids.size() > static_cast<std::size_t>(rule.group_max) ||
                std::abs(sum - one.amount.minor()) > rule.amount_tolerance) {
                continue;
            }
            std::ranges::sort(ids);
            const Ids just_one = {one.id.value()};
            ways.push_back(one_is_expected ? Together{just_one, ids} : Together{ids, just_one});
        }
    }
    return ways;
}

/// What the definition says of a whole run: matches by rule, and which rule took whom.
struct SlowOutcome {
    std::set<std::tuple<std::size_t, Ids, Ids>> matches;
    std::map<std::int64_t, std::size_t> expected_taken;
    std::map<std::int64_t, std::size_t> booked_taken;
    std::set<std::int64_t> expected_matched;
    std::set<std::int64_t> booked_matched;
    /// The most groups that one item had: above what the engine looks for, it may only suggest.
    std::size_t groups_of_one_max = 0;
};

inline SlowOutcome MatchSlowly(std::vector<OutsideItem> expected, std::vector<OutsideItem> booked,
                               const std::vector<OutsideRule>& rules) {
    SlowOutcome outcome;
    for (std::size_t rule = 0; rule < rules.size(); ++rule) {
        const std::vector<Together> ways = WaysOf(rules[rule], expected, booked);
        std::map<std::int64_t, int> expected_ways;
        std::map<std::int64_t, int> booked_ways;
        for (const auto& [es, bs] : ways) {
            for (const std::int64_t e : es) ++expected_ways[e];
            for (const std::int64_t b : bs) ++booked_ways[b];
        }
        const bool many_to_one = rules[rule].cardinality == OutsideCardinality::kManyToOne;
        if (rules[rule].cardinality != OutsideCardinality::kOneToOne) {
            for (const auto& [id, count] : many_to_one ? booked_ways : expected_ways) {
                outcome.groups_of_one_max =
                    std::max(outcome.groups_of_one_max, static_cast<std::size_t>(count));
            }
        }
        for (const auto& [es, bs] : ways) {
            const auto only = [](const Ids& ids, const std::map<std::int64_t, int>& counts) {
                return std::ranges::all_of(ids, [&](auto id) { return counts.at(id) == 1; });
            };
            if (rules[rule].action == OutsideAction::kMatch && only(es, expected_ways) &&
                only(bs, booked_ways)) {
                outcome.matches.insert({rule, es, bs});
                outcome.expected_matched.insert(es.begin(), es.end());
                outcome.booked_matched.insert(bs.begin(), bs.end());
            }
        }
        const auto take = [&](std::vector<OutsideItem>& items, const auto& counts, auto& taken) {
            for (const auto& [id, count] : counts) taken.emplace(id, rule);
            std::erase_if(items,
                          [&](const auto& item) { return counts.contains(item.id.value()); });
        };
        take(expected, expected_ways, outcome.expected_taken);
        take(booked, booked_ways, outcome.booked_taken);
    }
    return outcome;
}

}  // namespace kessai::reconciliation::testing
