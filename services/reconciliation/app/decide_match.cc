#include "app/decide_match.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace kessai::reconciliation::app {
namespace {

using domain::OutsideMatchRecord;
using domain::OutsideMatchState;

OutsideMatchState StateAfter(MatchDecision decision) {
    switch (decision) {
        case MatchDecision::kConfirm:
            return OutsideMatchState::kMatched;
        case MatchDecision::kReject:
            return OutsideMatchState::kRejected;
        case MatchDecision::kTakeApart:
            break;
    }
    return OutsideMatchState::kTakenApart;
}

bool IsAllowed(MatchDecision decision, OutsideMatchState from) {
    switch (decision) {
        case MatchDecision::kConfirm:
            return from != OutsideMatchState::kMatched;
        case MatchDecision::kReject:
            return from == OutsideMatchState::kSuggested || from == OutsideMatchState::kWithdrawn;
        case MatchDecision::kTakeApart:
            break;
    }
    return from == OutsideMatchState::kMatched;
}

MatchChange ChangeOf(OutsideMatchRecord record, OutsideMatchState to, std::string_view actor,
                     std::string note, Instant now) {
    record.state = to;
    record.changed_at = now;
    ++record.step_count;
    MatchChange change;
    change.step = {.number = record.step_count,
                   .state = to,
                   .actor = std::string(actor),
                   .note = std::move(note),
                   .at = now};
    change.record = std::move(record);
    return change;
}

/// What else was suggested of the items is so no longer.
Status WithdrawOthers(OutsideBooks& books, const OutsideMatchRecord& matched,
                      std::string_view actor, Instant now, std::vector<MatchChange>& changes) {
    std::vector<domain::OutsideItemId> items = matched.expected;
    items.insert(items.end(), matched.booked.begin(), matched.booked.end());
    KESSAI_ASSIGN_OR_RETURN(auto others, books.SuggestionsOf(items));
    for (OutsideMatchRecord& other : others) {
        if (other.id == matched.id) continue;
        changes.push_back(ChangeOf(std::move(other), OutsideMatchState::kWithdrawn, actor,
                                   "an item was matched otherwise", now));
    }
    return OkStatus();
}

/// All of the items, which are of one account.
Result<std::vector<domain::OutsideRecord>> FindOfOneAccount(
    OutsideBooks& books, std::span<const domain::OutsideItemId> ids) {
    KESSAI_ASSIGN_OR_RETURN(auto items, books.FindItems(ids));
    for (const domain::OutsideItemId id : ids) {
        if (!std::ranges::binary_search(items, id, {}, &domain::OutsideRecord::id)) {
            return Status(Code::kNotFound, reason::kItemUnknown, "no item " + id.ToString());
        }
    }
    for (const domain::OutsideRecord& item : items) {
        if (item.account != items.front().account) {
            return Status(Code::kInvalidArgument, reason::kItemsMixed,
                          "item " + item.id.ToString() + " is of account \"" + item.account +
                              "\", others are of \"" + items.front().account + '"');
        }
    }
    return items;
}

/// The set of the items, as it is if nobody spoke of it before.
Result<OutsideMatchRecord> SetOf(const std::vector<domain::OutsideRecord>& items) {
    OutsideMatchRecord record;
    record.account = items.front().account;
    record.difference = Money(0, items.front().amount.currency());
    for (const domain::OutsideRecord& item : items) {
        if (item.side == domain::OutsideSide::kExpected) {
            record.expected.push_back(item.id);
            KESSAI_ASSIGN_OR_RETURN(record.difference, record.difference.Subtract(item.amount));
        } else {
            record.booked.push_back(item.id);
            KESSAI_ASSIGN_OR_RETURN(record.difference, record.difference.Add(item.amount));
        }
    }
    return record;
}

}  // namespace

Result<OutsideMatchRecord> DecideMatch::MatchItems(std::span<const domain::OutsideItemId> items,
                                                   std::string_view actor, std::string_view note) {
    std::vector<domain::OutsideItemId> ids(items.begin(), items.end());
    std::ranges::sort(ids);
    const auto rest = std::ranges::unique(ids);
    ids.erase(rest.begin(), rest.end());
    OutsideMatchRecord matched;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](OutsideBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(auto found, FindOfOneAccount(books, ids));
        KESSAI_ASSIGN_OR_RETURN(AccountState state, books.LockAccount(found.front().account));
        KESSAI_ASSIGN_OR_RETURN(found, FindOfOneAccount(books, ids));
        KESSAI_ASSIGN_OR_RETURN(const OutsideMatchRecord set, SetOf(found));
        const std::vector sets{set};
        KESSAI_ASSIGN_OR_RETURN(const auto known, books.FindSets(set.account, sets));
        matched = known.empty() ? set : known.front();
        if (!known.empty() && matched.state == OutsideMatchState::kMatched) return OkStatus();
        for (const domain::OutsideRecord& item : found) {
            if (item.match.is_none()) continue;
            return Status(Code::kFailedPrecondition, reason::kItemMatched,
                          "item " + item.id.ToString() + " is in match " + item.match.ToString());
        }
        matched.rules_version = 0;
        matched.rule.clear();
        matched.score = 100;
        matched.why = "put together by hand";
        const Instant now = clock_.Now();
        std::vector<MatchChange> changes;
        changes.push_back(
            ChangeOf(matched, OutsideMatchState::kMatched, actor, std::string(note), now));
        KESSAI_RETURN_IF_ERROR(WithdrawOthers(books, matched, actor, now, changes));
        KESSAI_RETURN_IF_ERROR(books.Store(changes));
        ++state.revision;
        KESSAI_RETURN_IF_ERROR(books.UpdateAccount(set.account, state));
        // With the id that it was given.
        KESSAI_ASSIGN_OR_RETURN(const auto stored, books.FindSets(set.account, sets));
        matched = stored.front();
        return OkStatus();
    }));
    return matched;
}

Result<OutsideMatchRecord> DecideMatch::Run(domain::OutsideMatchId id, MatchDecision decision,
                                            std::string_view actor, std::string_view note) {
    OutsideMatchRecord decided;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](OutsideBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(decided, books.FindMatch(id));
        // Whoever changes matches of an account holds its lock, so what is read behind it stands.
        KESSAI_ASSIGN_OR_RETURN(AccountState state, books.LockAccount(decided.account));
        KESSAI_ASSIGN_OR_RETURN(decided, books.FindMatch(id));
        const OutsideMatchState to = StateAfter(decision);
        if (decided.state == to) return OkStatus();
        if (!IsAllowed(decision, decided.state)) {
            return Status(Code::kFailedPrecondition, reason::kStateNotAllowed,
                          "match " + id.ToString() + " is " +
                              std::string(domain::NameOf(decided.state)) + ": it can't become " +
                              std::string(domain::NameOf(to)));
        }
        const Instant now = clock_.Now();
        std::vector<MatchChange> changes;
        changes.push_back(ChangeOf(decided, to, actor, std::string(note), now));
        if (to == OutsideMatchState::kMatched) {
            KESSAI_RETURN_IF_ERROR(WithdrawOthers(books, decided, actor, now, changes));
        }
        decided = changes.front().record;
        KESSAI_RETURN_IF_ERROR(books.Store(changes));
        ++state.revision;
        return books.UpdateAccount(decided.account, state);
    }));
    return decided;
}

}  // namespace kessai::reconciliation::app
