#include "domain/outside_match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/testing/matchers.h"
#include "tests/outside_universe.h"

namespace kessai::reconciliation::domain {
namespace {

using kessai::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Ids;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const BusinessDate kToday = BusinessDate::Parse("2026-11-30").value();

OutsideItem Item(std::int64_t id, std::int64_t yen, int day = 0,
                 std::vector<std::string> references = {}) {
    return {OutsideItemId(id), "A", Yen(yen), kToday.PlusDays(day), std::move(references)};
}

OutsideRule ByReference() {
    return {.name = "reference", .days_before = 3, .days_after = 3};
}
OutsideRule ByAmount() {
    return {.name = "amount", .reference_equal = false, .days_before = 1, .days_after = 1};
}
OutsideRule Instalments() {
    return {.name = "instalments",
            .cardinality = OutsideCardinality::kOneToMany,
            .reference_equal = false,
            .days_before = 5,
            .days_after = 5};
}
OutsideRule Batches() {
    OutsideRule rule = Instalments();
    rule.name = "batches";
    rule.cardinality = OutsideCardinality::kManyToOne;
    return rule;
}

OutsideOutcome Match(const std::vector<OutsideItem>& expected,
                     const std::vector<OutsideItem>& booked,
                     const std::vector<OutsideRule>& rules) {
    return MatchOutside(expected, booked, rules, kToday).value();
}

Ids ValuesOf(const std::vector<OutsideItemId>& ids) {
    Ids values;
    for (const OutsideItemId id : ids) values.push_back(id.value());
    return values;
}

TEST(OutsideMatchTest, AReferenceAndAnAmountMakeAPair) {
    const OutsideOutcome outcome =
        Match({Item(1, -500, 0, {"INV-1"}), Item(2, -500, 0, {"INV-2"})},
              {Item(7, -500, 1, {"x", "inv 2"}), Item(8, -500, -1, {"ＩＮＶ１"})}, {ByReference()});
    ASSERT_THAT(outcome.matches, SizeIs(2));
    EXPECT_EQ(outcome.matches[0], (OutsideMatch{0, {OutsideItemId(1)}, {OutsideItemId(8)}, 0}));
    EXPECT_EQ(outcome.matches[1], (OutsideMatch{0, {OutsideItemId(2)}, {OutsideItemId(7)}, 0}));
    EXPECT_THAT(outcome.unmatched, IsEmpty());
    EXPECT_THAT(outcome.suggestions, IsEmpty());
}

TEST(OutsideMatchTest, WhatDoesNotFitStaysUnmatchedWithItsAge) {
    const std::vector<OutsideItem> expected = {Item(1, 500, -4, {"R"})};
    OutsideItem other_account = Item(2, 500, -4, {"R"});
    other_account.account = "B";
    for (const OutsideItem& booked :
         {Item(2, 501, -4, {"R"}), Item(2, -500, -4, {"R"}), Item(2, 500, -4, {"S"}),
          Item(2, 500, 0, {"R"}), Item(2, 500, -8, {"R"}), Item(2, 500, -4), other_account}) {
        const OutsideOutcome outcome = Match(expected, {booked}, {ByReference()});
        EXPECT_THAT(outcome.matches, IsEmpty());
        ASSERT_THAT(outcome.unmatched, SizeIs(2));
        EXPECT_EQ(outcome.unmatched[0],
                  (OutsideUnmatched{OutsideSide::kExpected, OutsideItemId(1), 4, std::nullopt}));
    }
    EXPECT_THAT(Match(expected, {Item(2, 500, -1, {"R"})}, {ByReference()}).matches, SizeIs(1));
    EXPECT_THAT(Match(expected, {Item(2, 500, -7, {"R"})}, {ByReference()}).matches, SizeIs(1));
}

TEST(OutsideMatchTest, ATolerance) {
    OutsideRule rule = ByReference();
    rule.amount_tolerance = 10;
    const OutsideOutcome outcome = Match({Item(1, 500, 0, {"R"}), Item(2, 5, 0, {"S"})},
                                         {Item(7, 490, 0, {"R"}), Item(8, -5, 0, {"S"})}, {rule});
    ASSERT_THAT(outcome.matches, SizeIs(1));
    EXPECT_EQ(outcome.matches[0].difference, -10);
    EXPECT_THAT(Match({Item(1, 500, 0, {"R"})}, {Item(7, 489, 0, {"R"})}, {rule}).matches,
                IsEmpty());
}

TEST(OutsideMatchTest, AmountsAtTheEndOfTheirRange) {
    OutsideRule rule = ByAmount();
    rule.amount_tolerance = INT64_MAX;
    EXPECT_THAT(Match({Item(1, INT64_MAX)}, {Item(7, 1)}, {rule}).matches, SizeIs(1));
    EXPECT_THAT(Match({Item(1, INT64_MIN)}, {Item(7, -1)}, {rule}).matches, SizeIs(1));
    OutsideRule group = Instalments();
    EXPECT_THAT(Match({Item(1, INT64_MAX)}, {Item(7, INT64_MAX - 1), Item(8, 1)}, {group}).matches,
                SizeIs(1));
    EXPECT_THAT(Match({Item(1, 5)}, {Item(7, INT64_MAX), Item(8, INT64_MAX)}, {group}).matches,
                IsEmpty());
}

TEST(OutsideMatchTest, AnAmbiguousPairIsSuggested) {
    const OutsideOutcome outcome =
        Match({Item(1, 500, -1), Item(2, 900)}, {Item(7, 500), Item(8, 500, -1)}, {ByAmount()});
    EXPECT_THAT(outcome.matches, IsEmpty());
    ASSERT_THAT(outcome.suggestions, SizeIs(2));
    const OutsideSuggestion& best = outcome.suggestions[0];
    EXPECT_EQ(best.match.booked, std::vector{OutsideItemId(8)});
    EXPECT_EQ(best.cause, SuggestionCause::kAmbiguous);
    EXPECT_EQ(best.ways, 2);
    EXPECT_GT(best.score, outcome.suggestions[1].score);
    EXPECT_EQ(best.Why(), "no common reference; amounts are equal; the same day; one of 2 ways");
    ASSERT_THAT(outcome.unmatched, SizeIs(4));
    EXPECT_EQ(outcome.unmatched[0].rule, std::optional<std::size_t>(0));
    EXPECT_EQ(outcome.unmatched[1].rule, std::nullopt);
}

TEST(OutsideMatchTest, ARuleThatSuggestsNeverMatches) {
    OutsideRule rule = ByReference();
    rule.action = OutsideAction::kSuggest;
    const OutsideOutcome outcome =
        Match({Item(1, 500, 0, {"R"})}, {Item(7, 500, 2, {"R"})}, {rule});
    EXPECT_THAT(outcome.matches, IsEmpty());
    ASSERT_THAT(outcome.suggestions, SizeIs(1));
    EXPECT_EQ(outcome.suggestions[0].cause, SuggestionCause::kRuleSuggests);
    EXPECT_EQ(outcome.suggestions[0].score, 90);
    EXPECT_EQ(outcome.suggestions[0].days_apart, 2);
}

// Goal: the only booked item of the later rule's only candidate stays with the earlier rule.
TEST(OutsideMatchTest, ALaterRuleDoesNotOvertake) {
    const OutsideOutcome outcome = Match(
        {Item(1, 500, 0, {"R"})}, {Item(7, 500, 2, {"R"}), Item(8, 500, 3, {"R"}), Item(9, 500, 0)},
        {ByReference(), ByAmount()});
    EXPECT_THAT(outcome.matches, IsEmpty());
    EXPECT_THAT(outcome.suggestions, SizeIs(2));
    EXPECT_EQ(outcome.unmatched[3].rule, std::nullopt);
    const OutsideOutcome matched =
        Match({Item(1, 500, 0, {"R"}), Item(2, 500, 0)}, {Item(7, 500, 1, {"R"}), Item(8, 500, 0)},
              {ByReference(), ByAmount()});
    ASSERT_THAT(matched.matches, SizeIs(2));
    EXPECT_EQ(matched.matches[1].rule, 1u);
}

// Goal: nor does it where more items fit than an earlier rule lists.
TEST(OutsideMatchTest, ALaterRuleDoesNotTakeWhatALongListLeftOut) {
    std::vector<OutsideItem> booked;
    for (int i = 1; i < 70; ++i) booked.push_back(Item(i, 500, 0, {"R"}));
    booked.push_back(Item(70, 500, 2, {"R"}));
    const OutsideOutcome outcome =
        Match({Item(1, 500, 0, {"R"}), Item(2, 500, 3)}, booked, {ByReference(), ByAmount()});
    EXPECT_THAT(outcome.matches, IsEmpty());
    EXPECT_THAT(outcome.suggestions, SizeIs(OutsideOutcome::kSuggestionsMax));
    EXPECT_EQ(outcome.suggestions[0].cause, SuggestionCause::kBoundReached);
    EXPECT_EQ(outcome.bounds_reached, 1);
    EXPECT_EQ(outcome.unmatched.back().rule, std::optional<std::size_t>(0));
}

TEST(OutsideMatchTest, GroupsOfEitherSide) {
    const OutsideOutcome instalments =
        Match({Item(1, 1'000)}, {Item(7, 300), Item(8, 450), Item(9, 250), Item(10, 77)},
              {Instalments()});
    ASSERT_THAT(instalments.matches, SizeIs(1));
    EXPECT_THAT(ValuesOf(instalments.matches[0].booked), ElementsAre(7, 8, 9));
    const OutsideOutcome batch = Match({Item(1, -300), Item(2, -450), Item(3, -250), Item(4, 300)},
                                       {Item(7, -1'000)}, {Batches()});
    ASSERT_THAT(batch.matches, SizeIs(1));
    EXPECT_THAT(ValuesOf(batch.matches[0].expected), ElementsAre(1, 2, 3));
}

TEST(OutsideMatchTest, AGroupNeedsTheReferenceInEachOfItsItems) {
    OutsideRule rule = Instalments();
    rule.reference_equal = true;
    const std::vector<OutsideItem> expected = {Item(1, 1'000, 0, {"R"})};
    EXPECT_THAT(Match(expected, {Item(7, 600, 0, {"R"}), Item(8, 400, 0, {"R"})}, {rule}).matches,
                SizeIs(1));
    EXPECT_THAT(Match(expected, {Item(7, 600, 0, {"R"}), Item(8, 400)}, {rule}).matches, IsEmpty());
}

TEST(OutsideMatchTest, GroupsThatAreNotBeyondDoubtAreSuggested) {
    // Two groups of one item.
    const OutsideOutcome two =
        Match({Item(1, 1'000)}, {Item(7, 600), Item(8, 400), Item(9, 400)}, {Instalments()});
    EXPECT_THAT(two.matches, IsEmpty());
    ASSERT_THAT(two.suggestions, SizeIs(2));
    EXPECT_EQ(two.suggestions[0].ways, 2);
    EXPECT_EQ(two.suggestions[0].cause, SuggestionCause::kAmbiguous);
    // One group each, with an item in common.
    const OutsideOutcome common =
        Match({Item(1, 1'000), Item(2, 700)}, {Item(7, 600), Item(8, 400), Item(9, 300)},
              {Instalments()});
    EXPECT_THAT(common.matches, IsEmpty());
    ASSERT_THAT(common.suggestions, SizeIs(2));
    EXPECT_THAT(common.suggestions[0].Why(), HasSubstr("its items fit others too"));
}

TEST(OutsideMatchTest, GroupsAreBounded) {
    OutsideRule rule = Instalments();
    rule.group_max = 2;
    EXPECT_THAT(Match({Item(1, 6)}, {Item(7, 1), Item(8, 2), Item(9, 3)}, {rule}).matches,
                IsEmpty());
    rule.group_max = 3;
    EXPECT_THAT(Match({Item(1, 6)}, {Item(7, 1), Item(8, 2), Item(9, 3)}, {rule}).matches,
                SizeIs(1));
    // Too many to choose from: nothing is said of it, and the bound is counted.
    rule.candidates_max = 2;
    const OutsideOutcome bounded =
        Match({Item(1, 6)}, {Item(7, 1), Item(8, 2), Item(9, 3)}, {rule});
    EXPECT_THAT(bounded.matches, IsEmpty());
    EXPECT_THAT(bounded.suggestions, IsEmpty());
    EXPECT_EQ(bounded.bounds_reached, 1);
}

// Goal: where one item was not looked at to the end, what it may have needed is not given away.
TEST(OutsideMatchTest, WhatIsNotKnownIsNotMatched) {
    OutsideRule rule = Instalments();
    rule.candidates_max = 3;
    std::vector<OutsideItem> booked = {Item(7, 1), Item(8, 2), Item(9, 50), Item(10, 60)};
    const OutsideOutcome outcome = Match({Item(1, 3), Item(2, 112)}, booked, {rule});
    EXPECT_EQ(outcome.bounds_reached, 1);
    EXPECT_THAT(outcome.matches, IsEmpty());
    ASSERT_THAT(outcome.suggestions, SizeIs(1));
    EXPECT_THAT(ValuesOf(outcome.suggestions[0].match.booked), ElementsAre(7, 8));
}

TEST(OutsideMatchTest, TheWorkForOneItemIsBounded) {
    OutsideRule rule = Instalments();
    rule.group_max = 20;
    rule.candidates_max = 200;
    std::vector<OutsideItem> booked;
    for (int i = 0; i < 150; ++i) booked.push_back(Item(100 + i, 2'000'000 + 2 * i));
    const OutsideOutcome outcome = Match({Item(1, 30'000'001)}, booked, {rule});
    EXPECT_THAT(outcome.matches, IsEmpty());
    EXPECT_EQ(outcome.bounds_reached, 1);
}

TEST(OutsideMatchTest, RefusesWhatItCantKnow) {
    EXPECT_THAT(MatchOutside({Item(1, 5), Item(1, 6)}, {}, {ByAmount()}, kToday),
                Refuses(Code::kInvalidArgument, reason::kOutsideItemTwice));
    EXPECT_THAT(MatchOutside({}, {Item(1, 5), Item(1, 6)}, {ByAmount()}, kToday),
                Refuses(Code::kInvalidArgument, reason::kOutsideItemTwice));
    EXPECT_THAT(MatchOutside({}, {}, {}, kToday),
                Refuses(Code::kInvalidArgument, reason::kOutsideRulesInvalid));
    for (const auto& spoil : std::vector<void (*)(OutsideRule&)>{
             [](OutsideRule& rule) { rule.name.clear(); },
             [](OutsideRule& rule) { rule.amount_tolerance = -1; },
             [](OutsideRule& rule) { rule.days_before = -1; },
             [](OutsideRule& rule) { rule.days_after = 367; },
             [](OutsideRule& rule) { rule.group_max = 1; },
             [](OutsideRule& rule) { rule.group_max = 21; },
             [](OutsideRule& rule) { rule.candidates_max = 201; },
             [](OutsideRule& rule) { rule.work_max = 0; },
         }) {
        OutsideRule rule = ByAmount();
        spoil(rule);
        EXPECT_THAT(CheckOutsideRules({rule}),
                    Refuses(Code::kInvalidArgument, reason::kOutsideRulesInvalid));
    }
    EXPECT_THAT(CheckOutsideRules({ByAmount(), ByAmount()}),
                Refuses(Code::kInvalidArgument, reason::kOutsideRulesInvalid));
}

/// Small universes in which much fits: few amounts, days, references and accounts.
class RandomUniverse {
 public:
    explicit RandomUniverse(std::uint64_t seed) : random_(seed) {}

    std::vector<OutsideItem> Items(std::int64_t first_id) {
        std::vector<OutsideItem> items;
        for (std::uint64_t n = random_() % 8; n > 0; --n) {
            OutsideItem item = Item(first_id++, static_cast<std::int64_t>(random_() % 9) - 2,
                                    static_cast<int>(random_() % 4));
            if (random_() % 6 == 0) item.account = "B";
            for (std::uint64_t r = random_() % 3; r > 0; --r) {
                item.references.push_back(std::string(1, static_cast<char>('P' + random_() % 4)));
            }
            items.push_back(std::move(item));
        }
        return items;
    }
    std::vector<OutsideRule> Rules() {
        std::vector<OutsideRule> rules;
        for (std::uint64_t n = 1 + random_() % 4; n > 0; --n) {
            OutsideRule rule{.name = std::to_string(n)};
            rule.cardinality = static_cast<OutsideCardinality>(1 + random_() % 3);
            rule.action = random_() % 4 == 0 ? OutsideAction::kSuggest : OutsideAction::kMatch;
            rule.reference_equal = random_() % 2 == 0;
            rule.amount_tolerance = random_() % 3 == 0 ? 1 : 0;
            rule.days_before = static_cast<int>(random_() % 3);
            rule.days_after = static_cast<int>(random_() % 3);
            rule.group_max = 2 + static_cast<int>(random_() % 3);
            rules.push_back(rule);
        }
        return rules;
    }
    template <class T>
    void Shuffle(std::vector<T>& items) {
        std::shuffle(items.begin(), items.end(), random_);
    }
    std::uint64_t Number() { return random_(); }

 private:
    std::mt19937_64 random_;
};

constexpr std::uint64_t kSeed = 20261130;
constexpr std::size_t kGroupsLookedFor = 8;

/// Ids of items that fit each other under any rule, directly or over others: expected ids, and
/// booked ones below zero.
std::set<std::int64_t> LinkedWith(const OutsideMatch& match,
                                  const std::vector<OutsideItem>& expected,
                                  const std::vector<OutsideItem>& booked,
                                  const std::vector<OutsideRule>& rules) {
    std::vector<std::set<std::int64_t>> links;
    for (const OutsideRule& rule : rules) {
        for (const auto& [es, bs] : testing::WaysOf(rule, expected, booked)) {
            std::set<std::int64_t>& link = links.emplace_back(es.begin(), es.end());
            for (const std::int64_t b : bs) link.insert(-b);
        }
    }
    std::set<std::int64_t> linked;
    for (const OutsideItemId e : match.expected) linked.insert(e.value());
    for (const OutsideItemId b : match.booked) linked.insert(-b.value());
    for (bool grown = true; grown;) {
        grown = false;
        for (const auto& link : links) {
            if (std::ranges::none_of(link, [&](auto id) { return linked.contains(id); })) continue;
            for (const std::int64_t id : link) grown = linked.insert(id).second || grown;
        }
    }
    return linked;
}

bool Touches(const std::set<std::int64_t>& linked, const OutsideMatch& match) {
    return std::ranges::any_of(match.expected,
                               [&](auto id) { return linked.contains(id.value()); }) ||
           std::ranges::any_of(match.booked, [&](auto id) { return linked.contains(-id.value()); });
}

template <class Predicate>
std::vector<OutsideItem> Kept(std::vector<OutsideItem> items, Predicate&& keep) {
    std::erase_if(items, [&](const OutsideItem& item) { return !keep(item.id); });
    return items;
}

/// What every outcome must be.
void CheckInvariants(const OutsideOutcome& outcome, const std::vector<OutsideItem>& expected,
                     const std::vector<OutsideItem>& booked,
                     const std::vector<OutsideRule>& rules) {
    std::map<std::int64_t, std::int64_t> amounts;
    for (const OutsideItem& item : expected) amounts[item.id.value()] = item.amount.minor();
    for (const OutsideItem& item : booked) amounts[-item.id.value()] = item.amount.minor();
    std::set<std::int64_t> matched;
    for (const OutsideMatch& match : outcome.matches) {
        std::int64_t difference = 0;
        for (const OutsideItemId id : match.expected) {
            EXPECT_TRUE(matched.insert(id.value()).second) << "in two matches";
            difference -= amounts.at(id.value());
        }
        for (const OutsideItemId id : match.booked) {
            EXPECT_TRUE(matched.insert(-id.value()).second) << "in two matches";
            difference += amounts.at(-id.value());
        }
        EXPECT_EQ(match.difference, difference);
        EXPECT_LE(std::abs(difference), rules[match.rule].amount_tolerance);
        EXPECT_EQ(rules[match.rule].action, OutsideAction::kMatch);
    }
    for (const OutsideSuggestion& suggestion : outcome.suggestions) {
        EXPECT_FALSE(Touches(matched, suggestion.match)) << "suggested and matched";
        EXPECT_LE(std::abs(suggestion.match.difference),
                  rules[suggestion.match.rule].amount_tolerance);
        EXPECT_GE(suggestion.score, 1);
        EXPECT_LE(suggestion.score, 100);
    }
    EXPECT_EQ(matched.size() + outcome.unmatched.size(), expected.size() + booked.size());
}

// Goal: the engine says what the definition says, computed slowly; and the order of the items
// decides nothing.
TEST(OutsideMatchTest, SaysWhatTheDefinitionSays) {
    int compared = 0;
    int matches = 0;
    int suggestions = 0;
    for (std::uint64_t seed = kSeed; seed < kSeed + 20'000; ++seed) {
        SCOPED_TRACE(seed);
        RandomUniverse universe(seed);
        auto expected = universe.Items(1);
        auto booked = universe.Items(101);
        const auto rules = universe.Rules();
        const OutsideOutcome outcome = Match(expected, booked, rules);
        CheckInvariants(outcome, expected, booked, rules);
        universe.Shuffle(expected);
        universe.Shuffle(booked);
        ASSERT_EQ(Match(expected, booked, rules), outcome);

        const testing::SlowOutcome slow = testing::MatchSlowly(expected, booked, rules);
        if (slow.groups_of_one_max > kGroupsLookedFor) continue;
        ++compared;
        ASSERT_EQ(outcome.bounds_reached, 0);
        std::set<std::tuple<std::size_t, Ids, Ids>> found;
        for (const OutsideMatch& match : outcome.matches) {
            found.insert({match.rule, ValuesOf(match.expected), ValuesOf(match.booked)});
        }
        ASSERT_EQ(found, slow.matches);
        matches += static_cast<int>(found.size());
        suggestions += static_cast<int>(outcome.suggestions.size());
        for (const OutsideUnmatched& unmatched : outcome.unmatched) {
            const auto& taken =
                unmatched.side == OutsideSide::kExpected ? slow.expected_taken : slow.booked_taken;
            const auto by = taken.find(unmatched.id.value());
            ASSERT_EQ(unmatched.rule.has_value(), by != taken.end());
            if (unmatched.rule) {
                ASSERT_EQ(*unmatched.rule, by->second);
            }
        }
        if (::testing::Test::HasFailure()) break;
    }
    std::printf("seeds from %llu: %d compared, %d matches, %d suggestions\n",
                static_cast<unsigned long long>(kSeed), compared, matches, suggestions);
    EXPECT_GT(compared, 15'000);
    EXPECT_GT(matches, 1'000);
}

// Goal: a second run over what is left says the same again; and confirming a suggestion changes
// nothing that is not linked with it.
TEST(OutsideMatchTest, RunningAgainAndConfirmingChangeNothingElse) {
    int confirmed = 0;
    for (std::uint64_t seed = kSeed; seed < kSeed + 20'000; ++seed) {
        SCOPED_TRACE(seed);
        RandomUniverse universe(seed);
        const auto expected = universe.Items(1);
        const auto booked = universe.Items(101);
        const auto rules = universe.Rules();
        const OutsideOutcome outcome = Match(expected, booked, rules);
        if (outcome.bounds_reached > 0) continue;
        std::set<std::int64_t> matched;
        for (const OutsideMatch& match : outcome.matches) {
            for (const OutsideItemId id : match.expected) matched.insert(id.value());
            for (const OutsideItemId id : match.booked) matched.insert(-id.value());
        }
        const auto left_expected =
            Kept(expected, [&](auto id) { return !matched.contains(id.value()); });
        const auto left_booked =
            Kept(booked, [&](auto id) { return !matched.contains(-id.value()); });
        const OutsideOutcome again = Match(left_expected, left_booked, rules);
        ASSERT_THAT(again.matches, IsEmpty());
        ASSERT_EQ(again.suggestions, outcome.suggestions);
        ASSERT_EQ(again.unmatched, outcome.unmatched);
        if (outcome.suggestions.empty()) continue;

        ++confirmed;
        const OutsideMatch& chosen =
            outcome.suggestions[universe.Number() % outcome.suggestions.size()].match;
        const auto is_chosen = [](const std::vector<OutsideItemId>& ids, OutsideItemId id) {
            return std::ranges::find(ids, id) != ids.end();
        };
        const OutsideOutcome after =
            Match(Kept(left_expected, [&](auto id) { return !is_chosen(chosen.expected, id); }),
                  Kept(left_booked, [&](auto id) { return !is_chosen(chosen.booked, id); }), rules);
        const auto linked = LinkedWith(chosen, left_expected, left_booked, rules);
        for (const OutsideMatch& match : after.matches) {
            ASSERT_TRUE(Touches(linked, match));
        }
        const auto apart = [&](const OutsideOutcome& of) {
            std::vector<OutsideSuggestion> untouched;
            for (const OutsideSuggestion& suggestion : of.suggestions) {
                if (!Touches(linked, suggestion.match)) untouched.push_back(suggestion);
            }
            return untouched;
        };
        ASSERT_EQ(apart(after), apart(again));
    }
    std::printf("seeds from %llu: %d confirmed\n", static_cast<unsigned long long>(kSeed),
                confirmed);
    EXPECT_GT(confirmed, 1'000);
}

constexpr int kManyItems = 100'000;

OutsideOutcome MatchMany(std::string_view what, const std::vector<OutsideItem>& expected,
                         const std::vector<OutsideItem>& booked,
                         const std::vector<OutsideRule>& rules) {
    const auto start = std::chrono::steady_clock::now();
    OutsideOutcome outcome = Match(expected, booked, rules);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::printf("%zu x %zu, %.*s, in %.2f s: %zu matches, %zu suggestions, %zu unmatched\n",
                expected.size(), booked.size(), static_cast<int>(what.size()), what.data(),
                took.count(), outcome.matches.size(), outcome.suggestions.size(),
                outcome.unmatched.size());
    return outcome;
}

// Goal: a day of 100,000 items on each side takes seconds. Prints what it took.
TEST(OutsideMatchTest, AHundredThousandOnEachSide) {
    std::vector<OutsideItem> expected;
    std::vector<OutsideItem> booked;
    std::mt19937_64 random(kSeed);  // NOLINT: the same each time
    for (int i = 0; i < kManyItems; ++i) {
        const auto yen = static_cast<std::int64_t>(100 + random() % 5'000);
        const std::string reference = "T-" + std::to_string(1'000'000 + i);
        expected.push_back(Item(i + 1, -yen, -static_cast<int>(random() % 3), {reference}));
        // One in 50 without its reference, for the second rule to try.
        booked.push_back(Item(i + 1, -yen, 0,
                              random() % 50 == 0 ? std::vector<std::string>{}
                                                 : std::vector<std::string>{"0", reference}));
    }
    std::shuffle(booked.begin(), booked.end(), random);
    const OutsideOutcome outcome =
        MatchMany("references", expected, booked, {ByReference(), ByAmount()});
    EXPECT_GT(outcome.matches.size(), 95'000u);
}

// Goal: items that all fit each other, and groups that could be any, end too.
TEST(OutsideMatchTest, AHundredThousandThatAllFit) {
    std::vector<OutsideItem> items;
    for (int i = 0; i < kManyItems; ++i) items.push_back(Item(i + 1, 1'000));
    const OutsideOutcome pairs = MatchMany("all equal", items, items, {ByAmount()});
    EXPECT_THAT(pairs.matches, IsEmpty());
    EXPECT_EQ(pairs.bounds_reached, kManyItems);
    std::vector<OutsideItem> parts;
    for (int i = 0; i < kManyItems; ++i) parts.push_back(Item(i + 1, 1 + i % 500));
    const OutsideOutcome groups = MatchMany("groups of any", items, parts, {Instalments()});
    EXPECT_THAT(groups.matches, IsEmpty());
    EXPECT_EQ(groups.bounds_reached, kManyItems);
}

// Goal: whatever rules and items there are, a run ends, and what it did not look at is not taken
// for beyond doubt. Method: items that each take a rule's whole work, and one clear pair at each
// end, with as much work for the run as for some of them; then as much as it may have.
TEST(OutsideMatchTest, ARunHasItsWork) {
    OutsideRule near = ByAmount();
    near.amount_tolerance = 600;
    std::vector<OutsideItem> expected{Item(1, 5'000'000)};
    std::vector<OutsideItem> booked{Item(1, 5'000'000)};
    for (int i = 2; i < 2'000; ++i) {
        expected.push_back(Item(i, 1'000 + i % 500));
        booked.push_back(Item(i, 1'000 + i % 500, 300));
    }
    expected.push_back(Item(2'000, 7'000'000));
    booked.push_back(Item(2'000, 7'000'000));
    const auto run = [&](std::int64_t work) {
        return MatchOutside(expected, booked, {near}, kToday, {}, work).value();
    };
    EXPECT_THAT(run(kOutsideRunWorkMax).matches, SizeIs(2));
    EXPECT_EQ(run(kOutsideRunWorkMax).bounds_reached, 0);
    const OutsideOutcome some = run(100'000);
    EXPECT_THAT(some.matches, SizeIs(1)) << "the one that was looked at to the end";
    EXPECT_THAT(some.suggestions, IsEmpty());
    EXPECT_GT(some.bounds_reached, 1'900);
    EXPECT_EQ(some, run(100'000));

    std::vector<OutsideItem> many;
    std::vector<OutsideItem> parts;
    for (int i = 0; i < kManyItems; ++i) {
        many.push_back(Item(i + 1, 40'001 + 2 * (i % 100), i / 200));
        parts.push_back(Item(i + 1, 2 * (100 + i * 7'919 % 4'000), i / 200));
    }
    OutsideRule groups = Instalments();
    groups.reference_equal = false;
    groups.days_before = groups.days_after = 0;
    groups.group_max = OutsideRule::kGroupMax;
    groups.candidates_max = OutsideRule::kCandidatesMax;
    groups.work_max = OutsideRule::kWorkMax;
    const OutsideOutcome hard = MatchMany("hard groups", many, parts, {groups});
    EXPECT_THAT(hard.matches, IsEmpty());
    EXPECT_GT(hard.bounds_reached, 0);
}

}  // namespace
}  // namespace kessai::reconciliation::domain
