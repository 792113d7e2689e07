#include "app/decide_match.h"

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

}  // namespace

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
            std::vector<domain::OutsideItemId> items = decided.expected;
            items.insert(items.end(), decided.booked.begin(), decided.booked.end());
            KESSAI_ASSIGN_OR_RETURN(auto others, books.SuggestionsOf(items));
            for (OutsideMatchRecord& other : others) {
                if (other.id == id) continue;
                changes.push_back(ChangeOf(std::move(other), OutsideMatchState::kWithdrawn, actor,
                                           "an item was matched otherwise: match " + id.ToString(),
                                           now));
            }
        }
        decided = changes.front().record;
        KESSAI_RETURN_IF_ERROR(books.Store(changes));
        ++state.revision;
        return books.UpdateAccount(decided.account, state);
    }));
    return decided;
}

}  // namespace kessai::reconciliation::app
