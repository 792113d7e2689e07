#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "domain/discrepancy.h"
#include "domain/repair.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

/// The hashes that chain the history of discrepancies, so that whoever changes, removes, adds or
/// swaps rows of it without the key is found (`kessai audit`).
///
/// Every hash is HMAC-SHA256 over fields one after the other: a number is 8 bytes, most significant
/// first; a text its length as such a number and its bytes; what may be absent a byte 0, or a byte
/// 1 and the number; a hash its 32 bytes. Instants are microseconds since 1970, dates yyyymmdd.
///
///     repair  "repair", discrepancy, number, kind, state, requested_by, decided_by, reason,
///             outcome, merchant, amount, other merchant, other amount, requested_at, decided_at,
///             carried_out_at, ended_at
///     step    "step", the hash of the step before it (zeros of the first one), discrepancy,
///     number;
///             business date, kind, payment, version, book, bucket, held merchant (the transfer, of
///             kinds about one) and found_at of the discrepancy; state, actor, note, at, event,
///             merchant, currency, payment_gross?, payout_gross?, owner, repair number, repair
///             hash, evidence hash
///     anchor  "anchor", the hash of the anchor before it in its slot (zeros of the first one),
///             slot, number, at, steps
///
/// The words in front are texts as any other. An anchor is one transaction's: its `steps` name the
/// steps that it stored, and their hashes.
namespace kessai::reconciliation::storage {

/// Anchors of the service's transactions are in slots 1 to 63; slot 0 is of what there was before.
inline constexpr int kAuditSlots = 64;

/// The key, and what is hashed with it. Immutable; thread safe.
class AuditChain {
 public:
    static constexpr std::size_t kKeyBytes = 32;
    using Key = std::array<std::uint8_t, kKeyBytes>;

    explicit AuditChain(const Key& key) : key_(key) {}
    /// 64 hexadecimal digits. INVALID_ARGUMENT AUDIT_KEY_INVALID.
    static Result<AuditChain> FromHex(std::string_view text);

    domain::ChainHash OfRepair(const domain::Repair& repair) const;
    /// Of the discrepancy's latest step, behind `before`.
    domain::ChainHash OfStep(const domain::ChainHash& before,
                             const domain::Discrepancy& discrepancy,
                             const domain::ChainHash& repair,
                             const domain::ChainHash& evidence) const;
    domain::ChainHash OfAnchor(const domain::ChainHash& before, int slot, std::uint64_t number,
                               Instant at, std::string_view steps) const;
    /// SHA-256, without the key.
    static domain::ChainHash OfEvidence(std::string_view evidence);

 private:
    domain::ChainHash Sign(std::string_view bytes) const;
    Key key_;
};

/// The steps that one anchor names, as its column holds them.
class AnchoredSteps {
 public:
    void Add(domain::DiscrepancyId discrepancy, std::uint32_t number,
             const domain::ChainHash& hash);
    bool empty() const { return bytes_.empty(); }
    const std::string& bytes() const { return bytes_; }

 private:
    std::string bytes_;
};

/// Adds an anchor to a slot's chain in the transaction that is open on `session`, and locks the
/// slot's end until the transaction is over.
Status AddAnchor(mysql::Session& session, const AuditChain& chain, int slot, Instant at,
                 const AnchoredSteps& steps);

/// Chains the steps that were stored before there was a chain, once, in slot 0: to be run behind
/// the migration, while nothing else writes steps. Goes on where it was killed; behind its end it
/// changes nothing. FAILED_PRECONDITION AUDIT_TRAIL_BROKEN when steps were chained that it should
/// have been before.
Status ChainOlderSteps(mysql::Session& session, const AuditChain& chain, const Clock& clock);

/// View of the hash, for a binary column.
mysql::Bytes BytesOf(const domain::ChainHash& hash);
/// A BINARY(32) that is not NULL.
domain::ChainHash ReadChainHash(const mysql::Rows& row, int column);

}  // namespace kessai::reconciliation::storage
