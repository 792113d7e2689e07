#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "domain/claim.h"
#include "domain/discrepancy.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::domain {

/// Numbers are stored: they never change.
enum class MatchState : std::uint8_t {
    kWaitingForPayout = 1,
    kWaitingForPayment = 2,
    kMatched = 3,
    kDiffers = 4,
};

/// In what the two sides differ; a set, as bits. Stored.
enum class Difference : std::uint8_t { kAmount = 1, kMerchant = 2, kDate = 4, kContent = 8 };

class Differences {
 public:
    constexpr Differences() = default;
    explicit constexpr Differences(std::uint8_t bits) : bits_(bits) {}

    void Add(Difference difference) { bits_ |= static_cast<std::uint8_t>(difference); }
    bool Has(Difference difference) const {
        return (bits_ & static_cast<std::uint8_t>(difference)) != 0;
    }
    bool none() const { return bits_ == 0; }
    std::uint8_t bits() const { return bits_; }
    bool operator==(const Differences&) const = default;

 private:
    std::uint8_t bits_ = 0;
};

/// How far one change has been matched. It holds one set of terms, because once matched both sides
/// say the same, and where they differ the discrepancies hold what payout said.
struct Match {
    ChangeKey key{};
    MatchState state = MatchState::kWaitingForPayout;
    /// Payment's once its event came, until then payout's.
    Terms terms{};
    /// Payment's event; while waiting for payment the one that payout says it answers.
    EventId payment_event{};
    ContentHash payment_content{};
    /// Payout's event; none and zeros while waiting for payout.
    EventId payout_event{};
    ContentHash payout_content{};
    Differences differences{};
    /// A discrepancy says that the side it waits for is missing.
    bool overdue = false;
    /// When the second side came; the epoch before.
    Instant matched_at{};
    /// Once payment's event came.
    PaymentKindNumber kind = 0;
    /// Once payout's event came.
    ToldFee told_fee{};

    bool Waiting() const {
        return state == MatchState::kWaitingForPayout || state == MatchState::kWaitingForPayment;
    }
    /// The content of payment's event once it came: what tells a repeat from a conflict.
    std::optional<ContentHash> PaymentEffect() const {
        if (state == MatchState::kWaitingForPayment) return std::nullopt;
        return payment_content;
    }
    std::optional<ContentHash> PayoutEffect() const {
        if (state == MatchState::kWaitingForPayout) return std::nullopt;
        return payout_content;
    }
    bool operator==(const Match&) const = default;
};

/// The first side came.
Match Begin(const PaymentClaim& claim);
Match Begin(const PayoutClaim& claim);

/// What the second side's coming led to.
struct Joined {
    /// MATCHED, or DIFFERS with one finding for each difference.
    Match match;
    std::vector<Finding> findings;
    /// Kinds of discrepancies that its coming settles: it was reported missing. Empty otherwise.
    std::vector<DiscrepancyKind> settled;
};

/// Pure: which side comes first decides nothing but `matched_at`. Preconditions: the claim is of
/// the match's key, and the match waits for that side.
Joined Join(const Match& waiting, const PaymentClaim& claim, Instant now);
Joined Join(const Match& waiting, const PayoutClaim& claim, Instant now);

}  // namespace kessai::reconciliation::domain
