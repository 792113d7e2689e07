#include "domain/outside_match.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "domain/outside_index.h"

namespace kessai::reconciliation::domain {
namespace {

/// How many fitting items are looked at to suggest the best of them.
constexpr std::size_t kWaysMax = 64;
/// How many groups of one item are found before it is given up as ambiguous.
constexpr std::size_t kGroupsMax = 8;
/// Two that fit are as good as many: neither is beyond doubt.
constexpr std::size_t kTwo = 2;

/// Sums of any amounts.
__extension__ using Wide = __int128;

std::int64_t AddUpToLimit(std::int64_t a, std::int64_t b) {
    std::int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return b > 0 ? std::numeric_limits<std::int64_t>::max()
                 : std::numeric_limits<std::int64_t>::min();
}

/// One side during a run.
struct Side {
    const std::vector<IndexedItem>& items;
    /// Matched, or suggested by a rule before.
    std::vector<bool> taken;
    /// The rule that took it; only meaningful if taken.
    std::vector<std::size_t> taken_by;
    std::vector<bool> matched;

    explicit Side(const std::vector<IndexedItem>& of)
        : items(of), taken(of.size()), taken_by(of.size()), matched(of.size()) {}
};

/// The one item of a group by its position on its side, and the others by theirs.
struct Group {
    std::uint32_t one = 0;
    std::vector<std::uint32_t> others = {};
};

/// The groups that were found for one item.
struct Groups {
    std::uint32_t one = 0;
    std::vector<std::vector<std::uint32_t>> found = {};
    bool complete = true;
};

/// In how many ways an item fits, as far as was looked.
struct Ways {
    std::size_t count = 0;
    bool complete = true;
};

/// What was said to be apart, by the positions of items. Ids of both sides rise with positions.
class Apart {
 public:
    Apart(const IndexedSides& sides, const std::vector<OutsideApart>& sets) {
        for (const OutsideApart& set : sets) {
            const auto expected = PositionsOf(set.expected, sides.expected);
            const auto booked = PositionsOf(set.booked, sides.booked);
            if (expected.empty() || booked.empty()) continue;
            if (expected.size() == 1) by_expected_[expected.front()].push_back(booked);
            if (booked.size() == 1) by_booked_[booked.front()].push_back(expected);
        }
    }

    /// The sets of others that do not belong to `one`, each rising.
    const std::vector<std::vector<std::uint32_t>>& Of(std::uint32_t one, bool is_expected) const {
        static const std::vector<std::vector<std::uint32_t>> kNone;
        const auto& sets = is_expected ? by_expected_ : by_booked_;
        const auto found = sets.find(one);
        return found == sets.end() ? kNone : found->second;
    }

 private:
    /// Rising; empty if one of them is not there.
    static std::vector<std::uint32_t> PositionsOf(const std::vector<OutsideItemId>& ids,
                                                  const std::vector<IndexedItem>& items) {
        std::vector<std::uint32_t> positions;
        for (const OutsideItemId id : ids) {
            const auto at = std::ranges::lower_bound(items, id, {}, &IndexedItem::id);
            if (at == items.end() || at->id != id) return {};
            positions.push_back(static_cast<std::uint32_t>(at - items.begin()));
        }
        std::ranges::sort(positions);
        return positions;
    }

    std::unordered_map<std::uint32_t, std::vector<std::vector<std::uint32_t>>> by_expected_;
    std::unordered_map<std::uint32_t, std::vector<std::vector<std::uint32_t>>> by_booked_;
};

/// Items of which up to `group_max` are to sum to an amount within the tolerance.
class SubsetSearch {
 public:
    /// `candidates` are positions in `items`, all of the target's sign.
    /// `work_max` at most of what the rule allows.
    SubsetSearch(const std::vector<IndexedItem>& items, std::vector<std::uint32_t> candidates,
                 std::int64_t target, const OutsideRule& rule,
                 const std::vector<std::vector<std::uint32_t>>& apart, std::int64_t work_max)
        : items_(items),
          candidates_(std::move(candidates)),
          rule_(rule),
          apart_(apart),
          work_max_(std::min(rule.work_max, work_max)) {
        std::ranges::sort(candidates_, [&](std::uint32_t a, std::uint32_t b) {
            return std::pair(-SizeOf(a), a) < std::pair(-SizeOf(b), b);
        });
        rest_.assign(candidates_.size() + 1, 0);
        for (std::size_t i = candidates_.size(); i > 0; --i) {
            rest_[i - 1] = rest_[i] + SizeOf(candidates_[i - 1]);
        }
        const Wide size = target < 0 ? -Wide{target} : Wide{target};
        least_ = size - rule.amount_tolerance;
        most_ = size + rule.amount_tolerance;
    }

    /// Gives the work that it took.
    std::int64_t Run(Groups& into) {
        into_ = &into;
        Extend(0, 0);
        return work_;
    }

 private:
    Wide SizeOf(std::uint32_t item) const {
        const Wide amount = items_[item].amount;
        return amount < 0 ? -amount : amount;
    }

    /// Groups that go on with candidates from `at`, having summed to `sum`.
    void Extend(std::size_t at, Wide sum) {
        if (!into_->complete) return;
        if (chosen_.size() >= kTwo && sum >= least_ && sum <= most_) {
            std::vector<std::uint32_t> group = chosen_;
            std::ranges::sort(group);
            if (std::ranges::find(apart_, group) == apart_.end()) {
                if (into_->found.size() == kGroupsMax) {
                    into_->complete = false;
                    return;
                }
                into_->found.push_back(std::move(group));
            }
        }
        if (chosen_.size() == static_cast<std::size_t>(rule_.group_max)) return;
        for (; at < candidates_.size() && sum + rest_[at] >= least_; ++at) {
            if (++work_ > work_max_) into_->complete = false;
            if (!into_->complete) return;
            const Wide more = sum + SizeOf(candidates_[at]);
            if (more > most_) continue;
            chosen_.push_back(candidates_[at]);
            Extend(at + 1, more);
            chosen_.pop_back();
        }
    }

    const std::vector<IndexedItem>& items_;
    std::vector<std::uint32_t> candidates_;
    const OutsideRule& rule_;
    const std::vector<std::vector<std::uint32_t>>& apart_;
    /// Of the candidates from each on.
    std::vector<Wide> rest_;
    Wide least_ = 0;
    Wide most_ = 0;
    std::vector<std::uint32_t> chosen_;
    std::int64_t work_max_ = 0;
    std::int64_t work_ = 0;
    Groups* into_ = nullptr;
};

class Run {
 public:
    Run(const IndexedSides& sides, const std::vector<OutsideRule>& rules,
        const std::vector<OutsideApart>& apart, std::int64_t work_max)
        : rules_(rules),
          apart_(sides, apart),
          work_left_(work_max),
          expected_(sides.expected),
          booked_(sides.booked) {}

    OutsideOutcome Match(BusinessDate today) {
        for (rule_ = 0; rule_ < rules_.size(); ++rule_) {
            if (Rule().cardinality == OutsideCardinality::kOneToOne) {
                MatchPairs();
            } else {
                MatchGroups();
            }
        }
        AddUnmatched(OutsideSide::kExpected, expected_, today);
        AddUnmatched(OutsideSide::kBooked, booked_, today);
        return std::move(outcome_);
    }

 private:
    const OutsideRule& Rule() const { return rules_[rule_]; }

    /// Where what fits `item` may be: the statement is days_before to days_after the day expected.
    SearchRange RangeFor(const IndexedItem& item, bool is_expected) const {
        const std::int32_t before = is_expected ? Rule().days_before : Rule().days_after;
        const std::int32_t after = is_expected ? Rule().days_after : Rule().days_before;
        SearchRange range{AddUpToLimit(item.amount, -Rule().amount_tolerance),
                          AddUpToLimit(item.amount, Rule().amount_tolerance), item.day - before,
                          item.day + after};
        // What goes out never fits what comes in.
        if (item.amount < 0) range.amount_max = std::min<std::int64_t>(range.amount_max, -1);
        if (item.amount >= 0) range.amount_min = std::max<std::int64_t>(range.amount_min, 0);
        return range;
    }

    /// What fits `one` of its side by itself: at most `found_max`, without what is apart from it.
    Found FindFor(const OutsideIndex& others, std::uint32_t one, bool is_expected,
                  std::size_t found_max) {
        const IndexedItem& item = (is_expected ? expected_ : booked_).items[one];
        const auto& apart = apart_.Of(one, is_expected);
        Found found = Find(others, item, RangeFor(item, is_expected), found_max + apart.size());
        if (apart.empty()) return found;
        std::erase_if(found.items, [&](std::uint32_t other) {
            return std::ranges::find(apart, std::vector{other}) != apart.end();
        });
        if (found.items.size() > found_max) {
            found.items.resize(found_max);
            found.complete = false;
        }
        return found;
    }

    /// With what is left of the run's work.
    Found Find(const OutsideIndex& others, const IndexedItem& item, const SearchRange& range,
               std::size_t found_max) {
        if (work_left_ <= 0) return {.complete = false};
        Found found = others.Find(item, range, found_max, std::min(Rule().work_max, work_left_));
        // To look costs something, whatever is there.
        work_left_ -= found.work + 1;
        return found;
    }

    void MatchPairs() {
        const OutsideIndex by_booked(booked_.items, booked_.taken, Rule().reference_equal);
        const OutsideIndex by_expected(expected_.items, expected_.taken, Rule().reference_equal);
        std::vector<std::pair<std::uint32_t, std::uint32_t>> matches;
        std::vector<std::pair<std::uint32_t, Found>> doubtful;
        for (std::uint32_t e = 0; e < expected_.items.size(); ++e) {
            if (expected_.taken[e]) continue;
            Found found = FindFor(by_booked, e, true, kWaysMax);
            if (!found.complete) ++outcome_.bounds_reached;
            if (found.items.empty()) continue;
            if (found.complete && found.items.size() == 1 &&
                Rule().action == OutsideAction::kMatch &&
                FitsOnlyOne(by_expected, found.items.front())) {
                matches.emplace_back(e, found.items.front());
            } else {
                doubtful.emplace_back(e, std::move(found));
            }
        }
        for (const auto& [e, b] : matches) AddMatch({e}, {b});
        std::vector<std::optional<Ways>> ways_back(booked_.items.size());
        for (const auto& [e, found] : doubtful) SuggestPairs(by_expected, e, found, ways_back);
        // Whoever fits somebody is taken, though the list of suggestions may leave it out.
        for (std::uint32_t b = 0; b < booked_.items.size(); ++b) {
            if (booked_.taken[b] || doubtful.empty()) continue;
            const Found found = FindFor(by_expected, b, false, 1);
            if (!found.items.empty()) Take(booked_, b);
        }
    }

    bool FitsOnlyOne(const OutsideIndex& by_expected, std::uint32_t b) {
        const Found back = FindFor(by_expected, b, false, kTwo);
        return back.complete && back.items.size() == 1;
    }

    void SuggestPairs(const OutsideIndex& by_expected, std::uint32_t e, const Found& found,
                      std::vector<std::optional<Ways>>& ways_back) {
        std::vector<OutsideSuggestion> suggestions;
        for (const std::uint32_t b : found.items) {
            if (!ways_back[b]) {
                const Found back = FindFor(by_expected, b, false, kWaysMax);
                ways_back[b] = Ways{back.items.size(), back.complete};
            }
            const std::size_t ways = std::max(found.items.size(), ways_back[b]->count);
            const bool complete = found.complete && ways_back[b]->complete;
            suggestions.push_back(SuggestionOf({e}, {b}, static_cast<int>(ways), complete));
            Take(booked_, b);
        }
        Take(expected_, e);
        AddBest(std::move(suggestions));
    }

    bool OneIsExpected() const { return Rule().cardinality == OutsideCardinality::kOneToMany; }
    Side& OneSide() { return OneIsExpected() ? expected_ : booked_; }
    Side& OtherSide() { return OneIsExpected() ? booked_ : expected_; }

    void MatchGroups() {
        const OutsideIndex others(OtherSide().items, OtherSide().taken, Rule().reference_equal);
        std::vector<Groups> all;
        // Under these keys somebody was not looked at to the end: what is there may be his.
        std::unordered_set<std::uint64_t> open_keys;
        std::unordered_map<std::uint32_t, int> wanted;
        for (std::uint32_t one = 0; one < OneSide().items.size(); ++one) {
            if (OneSide().taken[one] || OneSide().items[one].amount == 0) continue;
            Groups groups = GroupsOf(one, others);
            if (!groups.complete) {
                ++outcome_.bounds_reached;
                for (const std::uint64_t key : others.KeysOf(OneSide().items[one])) {
                    open_keys.insert(key);
                }
            }
            if (groups.found.empty()) continue;
            for (const std::uint32_t item : ItemsOf(groups)) ++wanted[item];
            all.push_back(std::move(groups));
        }
        const auto beyond_doubt = [&](const Groups& groups) {
            return Rule().action == OutsideAction::kMatch && groups.complete &&
                   groups.found.size() == 1 &&
                   std::ranges::all_of(groups.found.front(), [&](std::uint32_t item) {
                       return wanted.at(item) == 1 &&
                              std::ranges::none_of(
                                  others.KeysOf(OtherSide().items[item]),
                                  [&](std::uint64_t key) { return open_keys.contains(key); });
                   });
        };
        for (const Groups& groups : all) {
            if (beyond_doubt(groups)) {
                AddGroup({groups.one, groups.found.front()});
            } else {
                SuggestGroups(groups);
            }
        }
    }

    Groups GroupsOf(std::uint32_t one, const OutsideIndex& others) {
        const IndexedItem& item = OneSide().items[one];
        SearchRange range = RangeFor(item, OneIsExpected());
        // Each is a part: at most as large, and not nothing.
        if (item.amount > 0) range.amount_min = 1;
        if (item.amount < 0) {
            range.amount_min = AddUpToLimit(item.amount, -Rule().amount_tolerance);
            range.amount_max = -1;
        }
        Found found = Find(others, item, range, static_cast<std::size_t>(Rule().candidates_max));
        Groups groups{.one = one, .complete = found.complete};
        if (!found.complete) return groups;
        work_left_ -= SubsetSearch(OtherSide().items, std::move(found.items), item.amount, Rule(),
                                   apart_.Of(one, OneIsExpected()), work_left_)
                          .Run(groups);
        return groups;
    }

    static std::vector<std::uint32_t> ItemsOf(const Groups& groups) {
        std::vector<std::uint32_t> items;
        for (const auto& group : groups.found) {
            items.insert(items.end(), group.begin(), group.end());
        }
        std::ranges::sort(items);
        const auto rest = std::ranges::unique(items);
        items.erase(rest.begin(), rest.end());
        return items;
    }

    void AddGroup(const Group& group) {
        if (OneIsExpected()) {
            AddMatch({group.one}, group.others);
        } else {
            AddMatch(group.others, {group.one});
        }
    }

    void SuggestGroups(const Groups& groups) {
        std::vector<OutsideSuggestion> suggestions;
        const int ways = static_cast<int>(groups.found.size());
        for (const auto& others : groups.found) {
            const std::vector<std::uint32_t> one = {groups.one};
            suggestions.push_back(OneIsExpected()
                                      ? SuggestionOf(one, others, ways, groups.complete)
                                      : SuggestionOf(others, one, ways, groups.complete));
        }
        Take(OneSide(), groups.one);
        for (const std::uint32_t item : ItemsOf(groups)) Take(OtherSide(), item);
        AddBest(std::move(suggestions));
    }

    void Take(Side& side, std::uint32_t item) {
        side.taken[item] = true;
        side.taken_by[item] = rule_;
    }

    OutsideMatch MatchOf(const std::vector<std::uint32_t>& expected,
                         const std::vector<std::uint32_t>& booked) const {
        OutsideMatch match{.rule = rule_};
        Wide difference = 0;
        for (const std::uint32_t e : expected) {
            match.expected.push_back(expected_.items[e].id);
            difference -= expected_.items[e].amount;
        }
        for (const std::uint32_t b : booked) {
            match.booked.push_back(booked_.items[b].id);
            difference += booked_.items[b].amount;
        }
        // Within the tolerance, which has 64 bits.
        match.difference = static_cast<std::int64_t>(difference);
        return match;
    }

    void AddMatch(const std::vector<std::uint32_t>& expected,
                  const std::vector<std::uint32_t>& booked) {
        outcome_.matches.push_back(MatchOf(expected, booked));
        for (const std::uint32_t e : expected) {
            Take(expected_, e);
            expected_.matched[e] = true;
        }
        for (const std::uint32_t b : booked) {
            Take(booked_, b);
            booked_.matched[b] = true;
        }
    }

    OutsideSuggestion SuggestionOf(const std::vector<std::uint32_t>& expected,
                                   const std::vector<std::uint32_t>& booked, int ways,
                                   bool complete) const {
        OutsideSuggestion suggestion{.match = MatchOf(expected, booked), .ways = ways};
        suggestion.shares_reference = true;
        for (const std::uint32_t e : expected) {
            for (const std::uint32_t b : booked) {
                const IndexedItem& one = expected_.items[e];
                const IndexedItem& other = booked_.items[b];
                suggestion.shares_reference =
                    suggestion.shares_reference && ShareReference(one, other);
                suggestion.days_apart =
                    std::max(suggestion.days_apart, std::abs(one.day - other.day));
            }
        }
        suggestion.cause = !complete  ? SuggestionCause::kBoundReached
                           : ways > 1 ? SuggestionCause::kAmbiguous
                           : Rule().action == OutsideAction::kSuggest
                               ? SuggestionCause::kRuleSuggests
                               : SuggestionCause::kAmbiguous;
        suggestion.score = ScoreOf(suggestion);
        return suggestion;
    }

    int ScoreOf(const OutsideSuggestion& suggestion) const {
        constexpr int kReference = 50;
        constexpr int kAmount = 30;
        constexpr int kDay = 20;
        constexpr int kPerWay = 5;
        constexpr int kForWaysMax = 40;
        const Wide apart = suggestion.match.difference < 0 ? -Wide{suggestion.match.difference}
                                                           : Wide{suggestion.match.difference};
        const Wide tolerance = Wide{Rule().amount_tolerance} + 1;
        const int window = std::max(Rule().days_before, Rule().days_after) + 1;
        const int less = std::min(kForWaysMax, kPerWay * (std::max(suggestion.ways, 1) - 1));
        const int score = (suggestion.shares_reference ? kReference : 0) + kAmount -
                          static_cast<int>(kAmount * apart / tolerance) + kDay -
                          kDay * suggestion.days_apart / window - less;
        return std::clamp(score, 1, 100);
    }

    /// The best, of equal ones the earlier; in the order of their items.
    void AddBest(std::vector<OutsideSuggestion> suggestions) {
        std::ranges::stable_sort(suggestions, std::ranges::greater{}, &OutsideSuggestion::score);
        if (suggestions.size() > OutsideOutcome::kSuggestionsMax) {
            suggestions.resize(OutsideOutcome::kSuggestionsMax);
        }
        for (OutsideSuggestion& suggestion : suggestions) {
            outcome_.suggestions.push_back(std::move(suggestion));
        }
    }

    void AddUnmatched(OutsideSide name, const Side& side, BusinessDate today) {
        for (std::size_t i = 0; i < side.items.size(); ++i) {
            if (side.matched[i]) continue;
            OutsideUnmatched unmatched{.side = name, .id = side.items[i].id};
            unmatched.age_days =
                static_cast<int>(today.day().time_since_epoch().count()) - side.items[i].day;
            if (side.taken[i]) unmatched.rule = side.taken_by[i];
            outcome_.unmatched.push_back(unmatched);
        }
    }

    const std::vector<OutsideRule>& rules_;
    const Apart apart_;
    std::size_t rule_ = 0;
    std::int64_t work_left_ = 0;
    Side expected_;
    Side booked_;
    OutsideOutcome outcome_;
};

}  // namespace

std::string OutsideSuggestion::Why() const {
    std::string why = shares_reference ? "common reference" : "no common reference";
    why += match.difference == 0
               ? "; amounts are equal"
               : "; booked and expected differ by " + std::to_string(match.difference);
    why += days_apart == 0 ? "; the same day"
                           : "; up to " + std::to_string(days_apart) + " days apart";
    if (ways > 1) why += "; one of " + std::to_string(ways) + " ways";
    if (cause == SuggestionCause::kBoundReached) why += "; not all ways were looked at";
    if (cause == SuggestionCause::kAmbiguous && ways == 1) {
        why += "; its items fit others too";
    }
    return why;
}

Result<OutsideOutcome> MatchOutside(const std::vector<OutsideItem>& expected,
                                    const std::vector<OutsideItem>& booked,
                                    const std::vector<OutsideRule>& rules, BusinessDate today,
                                    const std::vector<OutsideApart>& apart,
                                    std::int64_t run_work_max) {
    KESSAI_RETURN_IF_ERROR(CheckOutsideRules(rules));
    KESSAI_ASSIGN_OR_RETURN(const IndexedSides sides, IndexSides(expected, booked));
    return Run(sides, rules, apart, run_work_max).Match(today);
}

}  // namespace kessai::reconciliation::domain
