#include "app/match_outside.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "app/outside_rules.h"
#include "domain/outside_match.h"
#include "kessai/faults/fault_point.h"

namespace kessai::reconciliation::app {
namespace {

using domain::OutsideItem;
using domain::OutsideItemId;
using domain::OutsideMatchRecord;
using domain::OutsideMatchState;
using domain::OutsideSide;

/// How often it begins again when others change the account.
constexpr int kAttemptsMax = 5;

/// The days from which items bear on what is beyond doubt within `days`: an item of a match, those
/// that fit it, and those that fit these.
DayRange DaysAround(const DayRange& days, const std::vector<domain::OutsideRule>& rules) {
    constexpr int kSteps = 3;
    int reach = 0;
    for (const auto& rule : rules) reach = std::max({reach, rule.days_before, rule.days_after});
    const DayRange all = DayRange::All();
    const auto first = all.first.PlusDays(kSteps * reach);
    const auto last = all.last.PlusDays(-kSteps * reach);
    return {days.first < first ? all.first : days.first.PlusDays(-kSteps * reach),
            days.last > last ? all.last : days.last.PlusDays(kSteps * reach)};
}

/// What a run works on.
struct Work {
    AccountState account = {};
    StoredText rules = {};
    std::vector<domain::OutsideRule> parsed = {};
    std::vector<OutsideItem> expected = {};
    std::vector<OutsideItem> booked = {};
    std::vector<domain::OutsideApart> apart = {};
};

/// A set of items by their ids.
using Members = std::pair<std::vector<OutsideItemId>, std::vector<OutsideItemId>>;
Members MembersOf(const OutsideMatchRecord& record) {
    return {record.expected, record.booked};
}

/// Turns what was found into changes of records.
class Changes {
 public:
    /// What has no item of `days` is not touched.
    Changes(const Work& work, const DayRange& days, std::string_view actor, Instant now)
        : work_(work), actor_(actor), now_(now) {
        for (const auto* side : {&work.expected, &work.booked}) {
            for (const OutsideItem& item : *side) {
                amounts_.emplace(item.id, item.amount);
                if (item.date >= days.first && item.date <= days.last) asked_.insert(item.id);
            }
        }
    }

    bool IsAskedFor(const domain::OutsideMatch& match) const {
        const auto asked = [&](OutsideItemId id) { return asked_.contains(id); };
        return std::ranges::any_of(match.expected, asked) ||
               std::ranges::any_of(match.booked, asked);
    }

    OutsideMatchRecord RecordOf(const std::string& account, const domain::OutsideMatch& match,
                                const domain::OutsideSuggestion* suggestion) const {
        OutsideMatchRecord record;
        record.account = account;
        record.state =
            suggestion == nullptr ? OutsideMatchState::kMatched : OutsideMatchState::kSuggested;
        record.rules_version = work_.rules.version;
        record.rule = work_.parsed[match.rule].name;
        record.score = suggestion == nullptr ? 100 : suggestion->score;
        record.why = suggestion == nullptr ? "beyond doubt" : suggestion->Why();
        record.difference = Money(match.difference, amounts_.at(match.expected.front()).currency());
        record.expected = match.expected;
        record.booked = match.booked;
        return record;
    }

    /// What was found, against the record that the set has, if it has one.
    void Add(OutsideMatchRecord found, const OutsideMatchRecord* kept, MatchingRun& run) {
        if (kept != nullptr) {
            // What a person said of a set stands.
            const bool decided = kept->state == OutsideMatchState::kRejected ||
                                 kept->state == OutsideMatchState::kTakenApart;
            if (kept->state == found.state || decided) return;
            found.id = kept->id;
            found.step_count = kept->step_count;
        }
        for (const auto* ids : {&found.expected, &found.booked}) {
            if (found.state == OutsideMatchState::kMatched) taken_.insert(ids->begin(), ids->end());
        }
        ++(found.state == OutsideMatchState::kMatched ? run.matches_made : run.suggestions_made);
        Append(std::move(found),
               "rule \"" + found.rule + "\" of rules " + std::to_string(work_.rules.version));
    }

    /// Ends those of the open suggestions that were not found again, or lost an item.
    void Withdraw(const std::vector<OutsideMatchRecord>& open, const std::set<Members>& found,
                  MatchingRun& run) {
        for (const OutsideMatchRecord& record : open) {
            const bool lost = Any(record, [&](OutsideItemId id) { return taken_.contains(id); });
            const bool looked_at = !Any(record, [&](OutsideItemId id) {
                return !amounts_.contains(id);
            }) && Any(record, [&](OutsideItemId id) { return asked_.contains(id); });
            if (found.contains(MembersOf(record)) || (!lost && !looked_at)) continue;
            OutsideMatchRecord withdrawn = record;
            withdrawn.state = OutsideMatchState::kWithdrawn;
            ++run.suggestions_withdrawn;
            Append(std::move(withdrawn),
                   lost ? "an item was matched otherwise"
                        : "not found again by rules " + std::to_string(work_.rules.version));
        }
    }

    const std::vector<MatchChange>& all() const { return changes_; }

 private:
    template <class Predicate>
    static bool Any(const OutsideMatchRecord& record, Predicate predicate) {
        return std::ranges::any_of(record.expected, predicate) ||
               std::ranges::any_of(record.booked, predicate);
    }

    void Append(OutsideMatchRecord record, std::string note) {
        ++record.step_count;
        record.changed_at = now_;
        MatchChange change;
        change.step = {.number = record.step_count,
                       .state = record.state,
                       .actor = std::string(actor_),
                       .note = std::move(note),
                       .at = now_};
        change.record = std::move(record);
        changes_.push_back(std::move(change));
    }

    const Work& work_;
    const std::string_view actor_;
    const Instant now_;
    std::map<OutsideItemId, Money> amounts_;
    /// Of the days that were asked for.
    std::set<OutsideItemId> asked_;
    std::set<OutsideItemId> taken_;
    std::vector<MatchChange> changes_;
};

/// Leaves the best `max` of the suggestions, of equal ones the earlier, in their order; gives how
/// many it left out.
std::int64_t KeepBest(std::vector<domain::OutsideSuggestion>& suggestions, std::int64_t max) {
    const auto keep = static_cast<std::size_t>(max);
    if (suggestions.size() <= keep) return 0;
    std::vector<std::size_t> order(suggestions.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::ranges::greater{},
                             [&](std::size_t at) { return suggestions[at].score; });
    const auto left_out = static_cast<std::int64_t>(suggestions.size() - keep);
    order.resize(keep);
    std::ranges::sort(order);
    std::vector<domain::OutsideSuggestion> kept;
    kept.reserve(keep);
    for (const std::size_t at : order) kept.push_back(std::move(suggestions[at]));
    suggestions = std::move(kept);
    return left_out;
}

/// Gives whether anything changed.
Result<bool> StoreOutcome(OutsideBooks& books, const std::string& account,
                          const domain::OutsideOutcome& outcome,
                          const std::vector<OutsideMatchRecord>& found, Changes changes,
                          MatchingRun& run) {
    std::map<Members, const OutsideMatchRecord*> kept;
    KESSAI_ASSIGN_OR_RETURN(const auto records, books.FindSets(account, found));
    for (const OutsideMatchRecord& record : records) kept[MembersOf(record)] = &record;
    std::set<Members> still;
    for (const OutsideMatchRecord& record : found) {
        const Members members = MembersOf(record);
        const auto earlier = kept.find(members);
        still.insert(members);
        changes.Add(record, earlier == kept.end() ? nullptr : earlier->second, run);
    }
    KESSAI_ASSIGN_OR_RETURN(const auto open, books.ListOf(account, OutsideMatchState::kSuggested));
    changes.Withdraw(open, still, run);
    run.bounds_reached = outcome.bounds_reached;
    if (changes.all().empty()) return false;
    KESSAI_RETURN_IF_ERROR(books.Store(changes.all()));
    return true;
}

}  // namespace

Result<MatchingRun> MatchOutside::Run(std::string_view account, const DayRange& days,
                                      std::string_view actor) {
    if (accounts_.Find(account) == nullptr) {
        return Status(Code::kNotFound, reason::kAccountUnknown,
                      "no account \"" + std::string(account) + "\" is configured");
    }
    const std::string name(account);
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
        MatchingRun run{.account = name};
        Work work;
        KESSAI_RETURN_IF_ERROR(transactions_.Run([&](OutsideBooks& books) -> Status {
            work = {};
            KESSAI_ASSIGN_OR_RETURN(auto rules, books.LatestText(TextKind::kRules, name));
            if (!rules) {
                return Status(Code::kFailedPrecondition, reason::kRulesMissing,
                              "account \"" + name + "\" has no rules to match by");
            }
            work.rules = *std::move(rules);
            KESSAI_ASSIGN_OR_RETURN(work.parsed, ParseOutsideRules(work.rules.yaml));
            const DayRange around = DaysAround(days, work.parsed);
            KESSAI_ASSIGN_OR_RETURN(work.account, books.FindAccount(name));
            KESSAI_ASSIGN_OR_RETURN(run.looked_at, books.CountUnmatched(name, around));
            if (run.looked_at.expected + run.looked_at.booked > options_.items_max) {
                return Status(Code::kResourceExhausted, reason::kRunTooLarge,
                              "account \"" + name + "\" has " +
                                  std::to_string(run.looked_at.expected) + " expected and " +
                                  std::to_string(run.looked_at.booked) +
                                  " booked items unmatched in these days and those around them "
                                  "that rules look at; at most " +
                                  std::to_string(options_.items_max) +
                                  " are matched at once: run it over fewer days");
            }
            KESSAI_ASSIGN_OR_RETURN(work.expected,
                                    books.LoadUnmatched(name, OutsideSide::kExpected, around));
            KESSAI_ASSIGN_OR_RETURN(work.booked,
                                    books.LoadUnmatched(name, OutsideSide::kBooked, around));
            KESSAI_ASSIGN_OR_RETURN(work.apart, books.ListApart(name));
            return OkStatus();
        }));
        run.rules_version = work.rules.version;
        run.looked_at = {static_cast<std::int64_t>(work.expected.size()),
                         static_cast<std::int64_t>(work.booked.size())};
        const Instant now = clock_.Now();
        KESSAI_ASSIGN_OR_RETURN(domain::OutsideOutcome outcome,
                                domain::MatchOutside(work.expected, work.booked, work.parsed,
                                                     BusinessDate::OfJst(now), work.apart));
        const Changes changes(work, days, actor, now);
        std::erase_if(outcome.matches,
                      [&](const auto& match) { return !changes.IsAskedFor(match); });
        std::erase_if(outcome.suggestions, [&](const auto& suggestion) {
            return !changes.IsAskedFor(suggestion.match);
        });
        run.suggestions_left_out = KeepBest(outcome.suggestions, options_.suggestions_max);
        std::vector<OutsideMatchRecord> found;
        for (const auto& match : outcome.matches) {
            found.push_back(changes.RecordOf(name, match, nullptr));
        }
        for (const auto& suggestion : outcome.suggestions) {
            found.push_back(changes.RecordOf(name, suggestion.match, &suggestion));
        }
        bool moved = false;
        KESSAI_RETURN_IF_ERROR(transactions_.Run([&](OutsideBooks& books) -> Status {
            run.matches_made = run.suggestions_made = run.suggestions_withdrawn = 0;
            KESSAI_ASSIGN_OR_RETURN(AccountState state, books.LockAccount(name));
            moved = state.revision != work.account.revision;
            if (moved) return OkStatus();
            const AccountState before = state;
            KESSAI_ASSIGN_OR_RETURN(const bool changed,
                                    StoreOutcome(books, name, outcome, found, changes, run));
            if (changed) ++state.revision;
            if (days == DayRange::All()) state.seen = std::max(state.seen, work.account.added);
            if (state != before) KESSAI_RETURN_IF_ERROR(books.UpdateAccount(name, state));
            KESSAI_FAULT_POINT("reconciliation.outside_run.before_commit");
            return OkStatus();
        }));
        if (!moved) return run;
    }
    return Status(Code::kAborted, reason::kAccountMoved,
                  "others went on matching items of account \"" + name + '"');
}

}  // namespace kessai::reconciliation::app
