#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app/outside_books.h"

namespace kessai::reconciliation::testing {

/// What is kept of accounts outside, in memory. A refused transaction leaves nothing.
class FakeOutsideBooks final : public app::OutsideBooks, public app::OutsideTransactions {
 public:
    /// Every commit's reply is lost once, so all work runs twice.
    bool replies_are_lost = false;
    /// Called before each transaction.
    std::function<void()> before_transaction = [] {};

    Status Run(const std::function<Status(app::OutsideBooks&)>& work) override {
        before_transaction();
        const State before = state_;
        Status done = work(*this);
        if (done.ok() && replies_are_lost) done = work(*this);
        if (!done.ok()) state_ = before;
        return done;
    }

    Result<app::StoredText> PutText(app::TextKind kind, std::string_view name,
                                    std::string_view yaml, std::string_view actor,
                                    Instant now) override {
        auto& versions = state_.texts[{kind, std::string(name)}];
        if (!versions.empty() && versions.back().yaml == yaml) return versions.back();
        versions.push_back({kind, std::string(name),
                            static_cast<std::uint32_t>(versions.size() + 1), std::string(yaml),
                            std::string(actor), now});
        return versions.back();
    }
    Result<std::optional<app::StoredText>> LatestText(app::TextKind kind,
                                                      std::string_view name) override {
        const auto found = state_.texts.find({kind, std::string(name)});
        if (found == state_.texts.end()) return std::optional<app::StoredText>();
        return std::optional(found->second.back());
    }

    Status LockImports() override { return OkStatus(); }
    Result<std::optional<app::StatementImport>> FindImportOf(std::string_view sha256) override {
        for (const auto& [id, import] : state_.imports) {
            if (import.sha256 == sha256) return std::optional(import);
        }
        return std::optional<app::StatementImport>();
    }
    Result<app::StatementImport> FindImport(domain::StatementImportId id) override {
        const auto found = state_.imports.find(id);
        if (found != state_.imports.end()) return found->second;
        return Status(Code::kNotFound, app::reason::kImportUnknown, "none");
    }
    Result<std::vector<app::StatementImport>> ListImports(domain::StatementImportId before,
                                                          int limit) override {
        std::vector<app::StatementImport> found;
        for (auto at = state_.imports.rbegin(); at != state_.imports.rend(); ++at) {
            if (!before.is_none() && at->first >= before) continue;
            if (found.size() == static_cast<std::size_t>(limit)) break;
            found.push_back(at->second);
        }
        return found;
    }
    Result<domain::StatementImportId> NextImportId() override {
        return domain::StatementImportId(++state_.last_id);
    }
    Status InsertImport(const app::StatementImport& import) override {
        state_.imports[import.id] = import;
        return OkStatus();
    }
    Result<std::set<std::string>> KnownEntries(std::span<const std::string> identities) override {
        std::set<std::string> known;
        for (const std::string& identity : identities) {
            if (state_.identities.contains({domain::OutsideSide::kBooked, identity})) {
                known.insert(identity);
            }
        }
        return known;
    }
    Status InsertItems(std::span<const app::NewOutsideItem> items) override {
        for (const app::NewOutsideItem& item : items) {
            if (!state_.identities.insert({item.record.side, item.identity}).second) {
                return Status(Code::kAlreadyExists, "DUPLICATE_KEY", item.identity);
            }
            domain::OutsideRecord record = item.record;
            record.id = domain::OutsideItemId(++state_.last_id);
            state_.items[record.id] = record;
        }
        return OkStatus();
    }
    Result<std::vector<app::KnownExpected>> FindExpected(
        std::span<const domain::ExpectedKey> keys) override {
        std::vector<app::KnownExpected> known;
        for (const auto& [id, item] : state_.items) {
            if (item.side != domain::OutsideSide::kExpected) continue;
            if (std::ranges::binary_search(keys, item.key)) {
                known.push_back({item.key, item.content});
            }
        }
        return known;
    }

    Status MarkDue(std::string_view account) override {
        ++state_.accounts[std::string(account)].added;
        return OkStatus();
    }
    Result<std::vector<std::string>> ListDue() override {
        std::vector<std::string> due;
        for (const auto& [account, state] : state_.accounts) {
            if (state.added != state.seen) due.push_back(account);
        }
        return due;
    }
    Result<app::AccountState> FindAccount(std::string_view account) override {
        return state_.accounts[std::string(account)];
    }
    Result<app::AccountState> LockAccount(std::string_view account) override {
        return FindAccount(account);
    }
    Status UpdateAccount(std::string_view account, const app::AccountState& state) override {
        state_.accounts[std::string(account)] = state;
        return OkStatus();
    }

    Result<app::UnmatchedCounts> CountUnmatched(std::string_view account,
                                                const app::DayRange& days) override {
        app::UnmatchedCounts counts;
        counts.expected = static_cast<std::int64_t>(
            LoadUnmatched(account, domain::OutsideSide::kExpected, days)->size());
        counts.booked = static_cast<std::int64_t>(
            LoadUnmatched(account, domain::OutsideSide::kBooked, days)->size());
        return counts;
    }
    Result<std::vector<domain::OutsideItem>> LoadUnmatched(std::string_view account,
                                                           domain::OutsideSide side,
                                                           const app::DayRange& days) override {
        std::vector<domain::OutsideItem> found;
        for (const auto& [id, item] : state_.items) {
            if (item.account != account || item.side != side || !item.match.is_none()) continue;
            if (item.date < days.first || item.date > days.last) continue;
            domain::OutsideItem one{id, item.account, item.amount, item.date};
            for (const auto& [kind, value] : item.references) {
                if (domain::MayBeOurs(kind)) one.references.push_back(value);
            }
            found.push_back(std::move(one));
        }
        return found;
    }
    Result<std::vector<domain::OutsideApart>> ListApart(std::string_view account) override {
        std::vector<domain::OutsideApart> sets;
        for (const auto& [id, match] : state_.matches) {
            const bool is_apart = match.state == domain::OutsideMatchState::kRejected ||
                                  match.state == domain::OutsideMatchState::kTakenApart;
            if (match.account == account && is_apart) {
                sets.push_back({match.expected, match.booked});
            }
        }
        return sets;
    }
    Result<std::vector<domain::OutsideMatchRecord>> ListOf(
        std::string_view account, domain::OutsideMatchState state) override {
        return ListMatches({.account = std::string(account), .state = state, .limit = 1 << 20});
    }
    Result<std::vector<domain::OutsideMatchRecord>> FindSets(
        std::string_view account, std::span<const domain::OutsideMatchRecord> sets) override {
        std::vector<domain::OutsideMatchRecord> found;
        for (const auto& [id, match] : state_.matches) {
            for (const auto& set : sets) {
                if (match.account == account && match.expected == set.expected &&
                    match.booked == set.booked) {
                    found.push_back(match);
                }
            }
        }
        return found;
    }
    Status Store(std::span<const app::MatchChange> changes) override {
        for (const app::MatchChange& change : changes) {
            domain::OutsideMatchRecord record = change.record;
            if (record.id.is_none()) record.id = domain::OutsideMatchId(++state_.last_id);
            for (const auto* ids : {&record.expected, &record.booked}) {
                for (const domain::OutsideItemId id : *ids) {
                    domain::OutsideMatchId& match = state_.items.at(id).match;
                    if (record.state == domain::OutsideMatchState::kMatched) {
                        if (!match.is_none()) {
                            return Status(Code::kFailedPrecondition, app::reason::kItemMatched, "");
                        }
                        match = record.id;
                    } else if (record.state == domain::OutsideMatchState::kTakenApart) {
                        match = domain::OutsideMatchId();
                    }
                }
            }
            state_.matches[record.id] = record;
            state_.steps[record.id].push_back(change.step);
        }
        return OkStatus();
    }

    Result<domain::OutsideMatchRecord> FindMatch(domain::OutsideMatchId id) override {
        const auto found = state_.matches.find(id);
        if (found != state_.matches.end()) return found->second;
        return Status(Code::kNotFound, app::reason::kMatchUnknown, "none");
    }
    Result<std::vector<domain::OutsideStep>> Steps(domain::OutsideMatchId id) override {
        return state_.steps[id];
    }
    Result<std::vector<domain::OutsideMatchRecord>> ListMatches(
        const app::MatchFilter& filter) override {
        std::vector<domain::OutsideMatchRecord> found;
        for (auto at = state_.matches.rbegin(); at != state_.matches.rend(); ++at) {
            const domain::OutsideMatchRecord& match = at->second;
            if (!filter.account.empty() && match.account != filter.account) continue;
            if (filter.state && match.state != *filter.state) continue;
            if (!filter.before.is_none() && match.id >= filter.before) continue;
            if (found.size() == static_cast<std::size_t>(filter.limit)) break;
            found.push_back(match);
        }
        return found;
    }
    Result<std::vector<domain::OutsideMatchRecord>> SuggestionsOf(
        std::span<const domain::OutsideItemId> items) override {
        std::vector<domain::OutsideMatchRecord> found;
        for (const auto& [id, match] : state_.matches) {
            const auto has = [&](domain::OutsideItemId item) {
                return std::ranges::find(match.expected, item) != match.expected.end() ||
                       std::ranges::find(match.booked, item) != match.booked.end();
            };
            if (match.state == domain::OutsideMatchState::kSuggested &&
                std::ranges::any_of(items, has)) {
                found.push_back(match);
            }
        }
        return found;
    }
    Result<std::vector<domain::OutsideRecord>> FindItems(
        std::span<const domain::OutsideItemId> ids) override {
        std::vector<domain::OutsideRecord> found;
        for (const domain::OutsideItemId id : std::set(ids.begin(), ids.end())) {
            if (state_.items.contains(id)) found.push_back(state_.items.at(id));
        }
        return found;
    }
    Result<std::vector<domain::OutsideRecord>> ListUnmatched(
        const app::UnmatchedFilter& filter) override {
        std::vector<domain::OutsideRecord> found;
        for (const auto& [id, item] : state_.items) {
            if (item.account == filter.account && item.side == filter.side &&
                item.match.is_none() &&
                std::pair(item.date, id) > std::pair(filter.after_date, filter.after)) {
                found.push_back(item);
            }
        }
        std::ranges::sort(found, {},
                          [](const auto& item) { return std::pair(item.date, item.id); });
        if (found.size() > static_cast<std::size_t>(filter.limit)) {
            found.resize(static_cast<std::size_t>(filter.limit));
        }
        return found;
    }
    Result<std::vector<app::UnmatchedDay>> UnmatchedDays() override {
        std::vector<app::UnmatchedDay> days;
        for (const auto& [id, item] : state_.items) {
            if (!item.match.is_none()) continue;
            days.push_back({item.account, item.side, item.date, 1, std::abs(item.amount.minor())});
        }
        return days;
    }

 private:
    struct State {
        std::int64_t last_id = 0;
        std::map<std::pair<app::TextKind, std::string>, std::vector<app::StoredText>> texts;
        std::map<domain::StatementImportId, app::StatementImport> imports;
        std::set<std::pair<domain::OutsideSide, std::string>> identities;
        std::map<domain::OutsideItemId, domain::OutsideRecord> items;
        std::map<std::string, app::AccountState> accounts;
        std::map<domain::OutsideMatchId, domain::OutsideMatchRecord> matches;
        std::map<domain::OutsideMatchId, std::vector<domain::OutsideStep>> steps;
    };
    State state_;
};

}  // namespace kessai::reconciliation::testing
