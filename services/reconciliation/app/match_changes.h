#pragma once

#include <cstdint>
#include <span>

#include "app/books.h"
#include "domain/claim.h"
#include "kessai/digest/row_hash.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// How many changes of a batch…
struct MatchOutcome {
    /// … were heard of for the first time,
    std::uint64_t begun = 0;
    /// … matched what the other side had told of,
    std::uint64_t matched = 0;
    /// … or differ from it.
    std::uint64_t differing = 0;
};

/// What the transaction has found out of a batch's changes.
struct KnownChanges {
    /// Those that are stored, locked, rising; more than the batch's do no harm.
    std::span<const domain::Match> locked{};
    /// Nobody looked: all are taken for new, and if one is not the batch is refused.
    bool assumed_new = false;
};

/// Use case: events of one side came; match them with the other side's.
///
/// A batch costs a look-up (unless its changes are taken for new), an insert for the changes heard
/// of first, an update for those that the other side has told of already, and one upsert each for
/// the sums per merchant, per bucket and of what waits. What follows other changes of its payment
/// (refunds, captures) is held against them, for one more look-up. Only differences cost more.
/// Thread safe; works in the caller's transaction.
class MatchChanges {
 public:
    /// Both must outlive it.
    MatchChanges(const digest::RowHasher& hasher, const Clock& clock)
        : hasher_(hasher), clock_(clock) {}

    /// The claims are of one partition, each of another change, valid, and were not applied before
    /// (INTERNAL EFFECT_REPEATED if one was). In any order. ABORTED when somebody else stored one
    /// of them since the look-up, ALREADY_EXISTS when they were taken for new and one is stored.
    Result<MatchOutcome> Apply(Books& books, std::span<const domain::PaymentClaim> claims,
                               int partition, const KnownChanges& known) const;
    Result<MatchOutcome> Apply(Books& books, std::span<const domain::PayoutClaim> claims,
                               int partition, const KnownChanges& known) const;
    /// The same after a look-up of its own.
    Result<MatchOutcome> Apply(Books& books, std::span<const domain::PaymentClaim> claims,
                               int partition) const;
    Result<MatchOutcome> Apply(Books& books, std::span<const domain::PayoutClaim> claims,
                               int partition) const;

 private:
    template <class Claim>
    Result<MatchOutcome> ApplyClaims(Books& books, std::span<const Claim> claims, int slot,
                                     const KnownChanges& known) const;
    template <class Claim>
    Result<MatchOutcome> LookUpAndApply(Books& books, std::span<const Claim> claims,
                                        int partition) const;

    const digest::RowHasher& hasher_;
    const Clock& clock_;
};

}  // namespace kessai::reconciliation::app
