#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/claim.h"
#include "domain/ids.h"
#include "kessai/money/money.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::domain {

/// Numbers are stored and sent (kessai.reconciliation.v1.Discrepancy): they never change.
enum class DiscrepancyKind : std::uint8_t {
    /// Payment has the change, payout has not.
    kMissingInPayout = 1,
    kMissingInPayment = 2,
    kAmountDiffers = 3,
    kMerchantDiffers = 4,
    kDateDiffers = 5,
    /// Payout answered another content of the event than payment published, or the events differed
    /// where the books now agree.
    kContentDiffers = 6,
    /// The digest that a book keeps of a bucket does not fit the rows it lists.
    kDigestDiffers = 7,
    /// The books have the change, but payment's event of it never came.
    kPaymentEventMissing = 8,
    /// The same for payout's.
    kPayoutEventMissing = 9,
    /// The events told of the change, but neither book has it.
    kMissingInBoth = 10,
    /// The books agree with each other, but not with what their events said.
    kChangedInBoth = 11,
    /// Payout holds back a merchant's day: its own totals and rows differ, or an event waits.
    kMerchantHeldBack = 12,
    /// A change's fee is not what it is by its plan, by the fees of its payment, or by payout's
    /// row.
    kFeeDiffers = 13,
    /// A fee is under another tax rate than that of its payment's day, or than in payout's row.
    kTaxDiffers = 14,
    /// A change was told again with another content, and not applied.
    kDuplicate = 15,
    /// A change that cannot follow those of its payment before it.
    kStateInvalid = 16,
    /// A change whose predecessor never came.
    kOutOfOrder = 17,
    /// What payout's totals say of a merchant's day is not what was matched.
    kAccruedDiffers = 18,
    /// What payout released of a merchant's day is not what its totals say.
    kReleasedDiffers = 19,
    /// What payout told of a day's release is not what its rows sum to.
    kReleaseToldDiffers = 20,
    /// A merchant's balance is not what its releases, transfers and adjustments sum to.
    kBalanceDiffers = 21,
    /// A transfer is not what was told of it, or not what it is made of.
    kTransferDiffers = 22,
    /// A bank's result that cannot be of its transfer.
    kResultDiffers = 23,
    /// A transfer in a file has no result for too long.
    kResultOverdue = 24,
    /// A transfer that nobody told was made.
    kTransferUnknown = 25,
    /// Payout released a day and told of it, but its event never came.
    kReleaseEventMissing = 28,
};
/// The highest number. One of 26 and 27 has no name and is no kind.
inline constexpr int kDiscrepancyKinds = 28;

enum class DiscrepancyState : std::uint8_t {
    kOpen = 1,
    /// A person knows the cause.
    kExplained = 2,
    kRepairing = 3,
    /// It is no longer there.
    kRepaired = 4,
    /// A person decided to leave it as it is.
    kAccepted = 5,
};

/// Whose record of a day: the two that are compared, and our own of what was matched.
enum class Book : std::uint8_t { kPayment = 1, kPayout = 2, kMatched = 3 };

/// Whether its subject is a merchant and day, as that of kMerchantHeldBack.
bool IsAboutMerchantDay(DiscrepancyKind kind);
/// Whether its subject is a transfer and the day on which it was made.
bool IsAboutTransfer(DiscrepancyKind kind);
/// Whether only a run that computes from the rows can tell that it is gone.
bool NeedsDeepRun(DiscrepancyKind kind);

std::string_view KindName(DiscrepancyKind kind);
/// All of them, rising.
std::vector<DiscrepancyKind> DiscrepancyKinds();
std::string_view StateName(DiscrepancyState state);
std::string_view BookName(Book book);

/// What a discrepancy is about. Whoever finds the same again finds the same subject, so each is
/// recorded once, however often a day is compared.
struct Subject {
    /// Payment's date of the change where it is known, else payout's.
    BusinessDate business_date{};
    DiscrepancyKind kind = DiscrepancyKind::kMissingInPayout;
    /// The change; none for kDigestDiffers and what is about a merchant's day or a transfer.
    ChangeKey change{};
    /// Of kDigestDiffers: which book's digest of which bucket. kPayout also of what was found of a
    /// transfer in payout's rows, to tell it from what its events said.
    std::optional<Book> book{};
    std::uint32_t bucket = 0;
    /// Of kinds about a merchant's day: whose; none: of nobody knows whom, or of all together.
    MerchantId held_merchant{};
    /// Of kinds about a transfer.
    TransferId transfer{};

    auto operator<=>(const Subject&) const = default;
};

/// A subject with the evidence of both sides.
struct Finding {
    Subject subject{};
    MerchantId merchant{};
    Currency currency{};
    /// Minor units, signed as the merchant gains; absent where a side has no row. Of kinds that are
    /// about payout alone: what it should be, and what it is (kFeeDiffers: the fee; kTaxDiffers:
    /// the fee's tax; of merchants' days gross less fee, of transfers the amount).
    std::optional<std::int64_t> payment_gross{};
    std::optional<std::int64_t> payout_gross{};
    /// For people: what each side says.
    std::string evidence{};

    /// Whether what was decided on one holds for the other. An amount that only one of them knows
    /// contradicts nothing: a run sees one side of a change that the sides date differently. Of a
    /// merchant held back the evidence is all there is.
    bool SaysTheSame(const Finding& other) const;
};

inline constexpr std::size_t kNoteBytesMax = 1'000;
inline constexpr std::size_t kActorBytesMax = 200;
/// The longest part of `text` of at most `bytes_max` bytes that ends with a whole character.
std::string_view CutText(std::string_view text, std::size_t bytes_max);
/// At most kNoteBytesMax of it, whole characters.
std::string CutNote(std::string note);
/// The actor of steps that nobody ordered.
inline constexpr std::string_view kSystemActor = "reconciliation";

/// One entry of a discrepancy's history; never changed. Number 1 is its finding.
struct Step {
    std::uint32_t number = 0;
    DiscrepancyState state = DiscrepancyState::kOpen;
    std::string actor{};
    std::string note{};
    Instant at{};
    /// The repair that it tells of; 0: of none.
    std::uint32_t repair = 0;

    bool operator==(const Step&) const = default;
};

/// What seals a step of the history (storage/audit_chain.h).
using ChainHash = std::array<std::uint8_t, 32>;

/// A discrepancy as it stands after its latest step.
struct Discrepancy {
    DiscrepancyId id{};
    Finding finding{};
    Step latest{};
    Instant found_at{};
    /// The event that told of the latest step.
    EventId last_event{};
    /// The latest run of the day that found it, and whether that was a deep one. 0: only by event.
    std::uint32_t found_by_run = 0;
    bool found_by_deep_run = false;
    /// Who works on it; empty: nobody.
    std::string owner{};
    /// The repair that has not ended; 0: none.
    std::uint32_t open_repair = 0;
    /// The latest correcting journal that made up for it: the books go on differing, and that is no
    /// news; that they don't any more is, for the journal is one too many then. 0: none stands.
    std::uint32_t corrected_by = 0;
    /// Of the latest step; all zeros of a new one.
    ChainHash last_hash{};

    DiscrepancyState state() const { return latest.state; }
    /// Neither repaired nor accepted.
    bool Unsettled() const {
        return state() != DiscrepancyState::kRepaired && state() != DiscrepancyState::kAccepted;
    }
};

/// The first step of a finding.
Step FirstStep(const Finding& finding, Instant now);

/// What an operator orders.
struct Order {
    DiscrepancyState to = DiscrepancyState::kOpen;
    std::string actor{};
    std::string note{};
};

/// The step that follows from an order, or nullopt when the latest step is that very order (a retry
/// after a lost reply). Allowed are
///     OPEN      -> EXPLAINED, REPAIRING, ACCEPTED
///     EXPLAINED -> OPEN, REPAIRING, ACCEPTED
///     REPAIRING -> OPEN, REPAIRED
///     ACCEPTED  -> OPEN
/// Refusals: FAILED_PRECONDITION STATE_NOT_ALLOWED, REPAIR_UNDER_WAY (its end decides);
/// INVALID_ARGUMENT FIELD_INVALID (no or too long a note or actor).
Result<std::optional<Step>> Carry(const Discrepancy& discrepancy, const Order& order, Instant now);

/// The step when it is given to `owner` (empty: taken from whoever had it), or nullopt when that is
/// so. INVALID_ARGUMENT FIELD_INVALID.
Result<std::optional<Step>> Assign(const Discrepancy& discrepancy, std::string_view owner,
                                   const Order& order, Instant now);

/// The step, if any, when it is found once more: what was repaired is open again; what was
/// accepted, or made up for by a correcting journal, is open again if the sides now say something
/// else; else only other evidence is noted.
std::optional<Step> FoundAgain(const Discrepancy& discrepancy, const Finding& finding, Instant now);

/// Whether a run of its day that did not find it shows that it is gone: only a run can show it that
/// looks at least as deep as the one that found it, and no run shows it of what the events said.
bool GoneAfterRun(const Discrepancy& discrepancy, std::uint32_t run, bool deep);

/// The step, if any, when it is gone; `why` says how that is known. One that a journal made up for
/// is open then, until a person has the journal taken back.
std::optional<Step> Gone(const Discrepancy& discrepancy, std::string_view why, Instant now);

}  // namespace kessai::reconciliation::domain
