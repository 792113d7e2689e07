#include "app/match_changes.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "app/discrepancy_changes.h"
#include "app/waiting_sums.h"
#include "domain/history_check.h"

namespace kessai::reconciliation::app {

namespace {

using domain::ChangeKey;
using domain::Match;
using domain::MatchState;

/// Both topics complete matches of the same partition's objects at the same time: each has rows of
/// its own to add to.
int SlotOf(domain::Source source, int partition) {
    return partition * 2 + (source == domain::Source::kPayout ? 1 : 0);
}

MatchState AwaitingState(const domain::PaymentClaim&) {
    return MatchState::kWaitingForPayment;
}
MatchState AwaitingState(const domain::PayoutClaim&) {
    return MatchState::kWaitingForPayout;
}

/// What a batch does, before any of it is stored.
struct Outcome {
    std::vector<Match> begun;
    std::vector<Match> joined;
    std::vector<domain::Finding> findings;
    std::map<ChangeKey, std::vector<domain::DiscrepancyKind>> settled;
    WaitingSums waiting;
};

// What is checked against the payment's earlier changes: the few that follow others. Everything
// else costs no look-up.
bool NeedsHistory(const domain::PaymentClaim& claim) {
    return claim.kind != 0 && claim.key.version > 1;
}
bool NeedsHistory(const domain::PayoutClaim& claim) {
    return claim.told_fee.noted() && claim.terms.gross.is_negative();
}

/// The earlier changes of payments, those of the batch among them.
class Histories {
 public:
    template <class Claim>
    Status Load(Books& books, std::span<const Claim* const> claims) {
        std::vector<domain::PaymentId> payments;
        for (const Claim* claim : claims) {
            const bool is_new = payments.empty() || payments.back() != claim->key.payment;
            if (is_new && NeedsHistory(*claim)) payments.push_back(claim->key.payment);
        }
        if (payments.empty()) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const auto known, books.payout.ChangesOf(payments));
        for (const auto payment : payments) changes_[payment];
        for (const Match& match : known) Note(match);
        return OkStatus();
    }
    void Note(const Match& match) {
        const auto of_payment = changes_.find(match.key.payment);
        if (of_payment != changes_.end()) of_payment->second[match.key.version] = match;
    }
    std::vector<Match> Before(const ChangeKey& key) const {
        std::vector<Match> before;
        const auto of_payment = changes_.find(key.payment);
        if (of_payment == changes_.end()) return before;
        for (const auto& [version, match] : of_payment->second) {
            if (version < key.version) before.push_back(match);
        }
        return before;
    }

 private:
    std::map<domain::PaymentId, std::map<std::uint32_t, Match>> changes_;
};

std::vector<domain::Finding> Check(const domain::PaymentClaim& claim, const Match&,
                                   std::vector<Match> before) {
    // What payout alone told of has not come from payment.
    std::erase_if(before, [](const Match& match) { return !match.PaymentEffect(); });
    return domain::CheckHistory(claim, before);
}

std::vector<domain::Finding> Check(const domain::PayoutClaim& claim, const Match& match,
                                   const std::vector<Match>& before) {
    return domain::CheckFee(claim, match.kind, before);
}

/// As rows are stored, so that no two batches wait for each other.
template <class Claim>
std::vector<const Claim*> InOrder(std::span<const Claim> claims) {
    std::vector<const Claim*> sorted;
    sorted.reserve(claims.size());
    for (const Claim& claim : claims) sorted.push_back(&claim);
    std::ranges::sort(sorted, {}, [](const Claim* claim) { return claim->key; });
    return sorted;
}

template <class Claim>
Status ApplyOne(const Claim& claim, const Match* known, Instant now, Outcome& outcome) {
    if (known == nullptr) {
        outcome.begun.push_back(domain::Begin(claim));
        outcome.waiting.Begin(outcome.begun.back());
        return OkStatus();
    }
    if (known->state != AwaitingState(claim)) {
        return Status(Code::kInternal, "EFFECT_REPEATED",
                      "change " + claim.key.payment.ToString() + "/" +
                          std::to_string(claim.key.version) + " was applied before");
    }
    domain::Joined joined = domain::Join(*known, claim, now);
    outcome.joined.push_back(joined.match);
    outcome.waiting.End(*known);
    std::ranges::move(joined.findings, std::back_inserter(outcome.findings));
    if (!joined.settled.empty()) outcome.settled[claim.key] = std::move(joined.settled);
    return OkStatus();
}

Status StoreDiscrepancies(Books& books, const Outcome& outcome, Instant now) {
    if (outcome.findings.empty() && outcome.settled.empty()) return OkStatus();
    DiscrepancyChanges changes(now);
    KESSAI_RETURN_IF_ERROR(changes.AddFindings(books, outcome.findings, nullptr));
    if (!outcome.settled.empty()) {
        std::vector<ChangeKey> keys;
        for (const auto& [key, kinds] : outcome.settled) keys.push_back(key);
        KESSAI_ASSIGN_OR_RETURN(const auto open, books.discrepancies.LockUnsettled(keys));
        for (const auto& discrepancy : open) {
            const auto& kinds = outcome.settled.at(discrepancy.finding.subject.change);
            if (std::ranges::count(kinds, discrepancy.finding.subject.kind) > 0) {
                changes.AddGone(discrepancy, "its event came after all");
            }
        }
    }
    return changes.Store(books);
}

}  // namespace

template <class Claim>
Result<MatchOutcome> MatchChanges::ApplyClaims(Books& books, std::span<const Claim> claims,
                                               int slot, const KnownChanges& known) const {
    if (claims.empty()) return MatchOutcome{};
    const Instant now = clock_.Now();
    Outcome outcome;
    const std::vector<const Claim*> sorted = InOrder(claims);
    Histories histories;
    KESSAI_RETURN_IF_ERROR(histories.Load(books, std::span<const Claim* const>(sorted)));
    auto next_known = known.locked.begin();
    for (const Claim* claim : sorted) {
        while (next_known != known.locked.end() && next_known->key < claim->key) ++next_known;
        const bool is_known = next_known != known.locked.end() && next_known->key == claim->key;
        KESSAI_RETURN_IF_ERROR(ApplyOne(*claim, is_known ? &*next_known : nullptr, now, outcome));
        const Match& match = is_known ? outcome.joined.back() : outcome.begun.back();
        std::ranges::move(Check(*claim, match, histories.Before(claim->key)),
                          std::back_inserter(outcome.findings));
        histories.Note(match);
    }

    MatchedSums sums(hasher_);
    for (const Match& match : outcome.joined) {
        if (match.state == MatchState::kMatched) sums.Add(match);
    }
    if (!outcome.begun.empty()) {
        const Status inserted = books.matches.Insert(outcome.begun);
        if (inserted.code() == Code::kAlreadyExists && !known.assumed_new) {
            // The other side's consumer stored it after our look-up: look again.
            return Status(Code::kAborted, "CHANGE_STORED_MEANWHILE",
                          std::string(inserted.message()));
        }
        KESSAI_RETURN_IF_ERROR(Status(inserted));
    }
    if (!outcome.joined.empty()) KESSAI_RETURN_IF_ERROR(books.matches.Update(outcome.joined));
    if (!sums.empty()) KESSAI_RETURN_IF_ERROR(books.matches.AddSums(sums, slot));
    if (!outcome.waiting.empty()) {
        KESSAI_RETURN_IF_ERROR(books.payout.AddWaiting(outcome.waiting, slot));
    }
    KESSAI_RETURN_IF_ERROR(StoreDiscrepancies(books, outcome, now));
    const auto matched = static_cast<std::uint64_t>(
        std::ranges::count(outcome.joined, MatchState::kMatched, &Match::state));
    return MatchOutcome{outcome.begun.size(), matched, outcome.joined.size() - matched};
}

template <class Claim>
Result<MatchOutcome> MatchChanges::LookUpAndApply(Books& books, std::span<const Claim> claims,
                                                  int partition) const {
    if (claims.empty()) return MatchOutcome{};
    std::vector<ChangeKey> keys;
    for (const Claim* claim : InOrder(claims)) keys.push_back(claim->key);
    KESSAI_ASSIGN_OR_RETURN(const std::vector<Match> locked, books.matches.Lock(keys));
    return Apply(books, claims, partition, {.locked = locked});
}

Result<MatchOutcome> MatchChanges::Apply(Books& books, std::span<const domain::PaymentClaim> claims,
                                         int partition, const KnownChanges& known) const {
    return ApplyClaims(books, claims, SlotOf(domain::Source::kPayment, partition), known);
}

Result<MatchOutcome> MatchChanges::Apply(Books& books, std::span<const domain::PayoutClaim> claims,
                                         int partition, const KnownChanges& known) const {
    return ApplyClaims(books, claims, SlotOf(domain::Source::kPayout, partition), known);
}

Result<MatchOutcome> MatchChanges::Apply(Books& books, std::span<const domain::PaymentClaim> claims,
                                         int partition) const {
    return LookUpAndApply(books, claims, partition);
}

Result<MatchOutcome> MatchChanges::Apply(Books& books, std::span<const domain::PayoutClaim> claims,
                                         int partition) const {
    return LookUpAndApply(books, claims, partition);
}

}  // namespace kessai::reconciliation::app
