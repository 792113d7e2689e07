#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "domain/discrepancy.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::domain {

/// What can be done about a discrepancy. Numbers are stored and sent
/// (kessai.reconciliation.v1.Repair): they never change.
enum class RepairKind : std::uint8_t {
    /// The service that has the row publishes its event once more, byte for byte.
    kPublishAgain = 1,
    /// Payout puts back an accrual that was lost or changed behind its back, from payment's event.
    kAccrueAgain = 2,
    /// A kept digest is computed again from its rows, or our totals of what was matched from the
    /// matches.
    kRecomputeTotal = 3,
    /// An adjustment of today in payout's merchant ledger. Moves money: two operators decide.
    kCorrectingJournal = 4,
};
inline constexpr int kRepairKinds = 4;

/// Stored and sent.
enum class RepairState : std::uint8_t {
    /// Waits for another operator.
    kRequested = 1,
    kDeclined = 2,
    /// To be carried out.
    kPending = 3,
    /// It was carried out; whether the difference is gone has yet to be seen.
    kVerifying = 4,
    /// Reconciliation has seen the difference gone.
    kRepaired = 5,
    /// It was carried out, and the difference is still there.
    kWithoutEffect = 6,
    /// A service refused it for good.
    kFailed = 7,
};
inline constexpr int kRepairStates = 7;

std::string_view KindName(RepairKind kind);
/// And back; nullopt: there is none of that name.
std::optional<RepairKind> RepairKindOf(std::string_view name);
std::string_view StateName(RepairState state);

/// Whether nothing more happens to it.
bool Ended(RepairState state);
/// Whether the policy may order it by itself: no money moves.
bool IsSafe(RepairKind kind);
inline bool NeedsApproval(RepairKind kind) {
    return !IsSafe(kind);
}

/// One merchant's part of a correcting journal.
struct CorrectionLeg {
    MerchantId merchant{};
    /// Minor units of the discrepancy's currency; negative: taken from the merchant.
    std::int64_t amount = 0;

    bool none() const { return amount == 0; }
    bool operator==(const CorrectionLeg&) const = default;
};

/// One try to repair a discrepancy: a row of its own, numbered from 1. Each of its states is a step
/// of the discrepancy.
struct Repair {
    DiscrepancyId discrepancy{};
    std::uint32_t number = 0;
    RepairKind kind = RepairKind::kPublishAgain;
    RepairState state = RepairState::kPending;
    std::string requested_by{};
    /// Empty until somebody decided, and where nobody has to.
    std::string decided_by{};
    /// Why it was asked for.
    std::string reason{};
    /// What was done, and what came of it.
    std::string outcome{};
    /// Of a correcting journal; of MERCHANT_DIFFERS two.
    CorrectionLeg leg{};
    CorrectionLeg other_leg{};
    Instant requested_at{};
    /// The epoch until it is so.
    Instant decided_at{};
    Instant carried_out_at{};
    Instant ended_at{};

    bool operator==(const Repair&) const = default;
};

/// What names a repair's effect in another service, so that it is there once: "recon-12-1", and
/// "recon-12-1-b" of the other merchant's part of a journal.
std::string EffectKeyOf(const Repair& repair);
std::string OtherEffectKeyOf(const Repair& repair);

/// What an operator (or the policy) asks for.
struct RepairWish {
    RepairKind kind = RepairKind::kPublishAgain;
    std::string actor{};
    std::string reason{};
    /// Of a correcting journal of one merchant: instead of the amount that follows from the
    /// difference.
    std::optional<std::int64_t> amount{};
};

/// A repair's next state, and the step that tells of it. The discrepancy is as it is after it.
struct RepairMove {
    Discrepancy discrepancy;
    Repair repair;
};

/// Whether `kind` can help against such a discrepancy, by what it is alone. FAILED_PRECONDITION
/// REPAIR_NOT_ALLOWED, whose message says what can be done instead.
Status CheckAllowed(RepairKind kind, const Discrepancy& discrepancy);

/// Whether a repair may be begun now: INVALID_ARGUMENT FIELD_INVALID (actor, reason, an amount that
/// is none), REPAIR_NOT_ALLOWED (and of an accepted discrepancy), ALREADY_REPAIRED,
/// REPAIR_UNDER_WAY.
Status CheckWish(const RepairWish& wish, const Discrepancy& discrepancy);

/// Whether `repair`, the discrepancy's latest one, is what is asked for: a retry after a lost reply
/// is answered with it. One that ended without effect was another, and so was one whose difference
/// was found again since.
bool IsSameWish(const Discrepancy& discrepancy, const Repair& repair, const RepairWish& wish);

/// Whether nobody has tried to repair what is there now: there was no repair, or the difference was
/// seen gone since the latest one, and is found again. `steps` and `repairs` are all of the
/// discrepancy's, rising.
bool IsUntried(std::span<const Step> steps, std::span<const Repair> repairs);

/// Begins repair `number`. Precondition: CheckWish is ok. One that moves money waits for another
/// operator; else the discrepancy is REPAIRING from now on.
RepairMove Begin(const Discrepancy& discrepancy, const RepairWish& wish, CorrectionLeg leg,
                 CorrectionLeg other_leg, std::uint32_t number, Instant now);

struct Decision {
    bool approve = false;
    std::string actor{};
    std::string note{};
};

/// Another operator decides; nullopt when that operator decided so before. FAILED_PRECONDITION
/// REPAIR_DECIDED; PERMISSION_DENIED SAME_OPERATOR (who asked for it may decline it);
/// INVALID_ARGUMENT FIELD_INVALID.
Result<std::optional<RepairMove>> Decide(const Discrepancy& discrepancy, const Repair& repair,
                                         const Decision& decision, Instant now);

/// It was carried out: `what` says how. Precondition: pending.
RepairMove CarriedOut(const Discrepancy& discrepancy, const Repair& repair, std::string_view what,
                      Instant now);

/// It ended. REPAIRED settles the discrepancy (if nothing has yet) and, of a correcting journal,
/// notes that the books go on differing as they do; any other end opens it again.
/// `money_stands`: whether payout's ledger then has money from the discrepancy's journals, of which
/// the last one may have taken back what others gave.
/// Preconditions: not ended before; `state` is an end.
RepairMove End(const Discrepancy& discrepancy, const Repair& repair, RepairState state,
               std::string_view why, Instant now, bool money_stands);

}  // namespace kessai::reconciliation::domain
