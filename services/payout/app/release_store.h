#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "app/day_store.h"
#include "app/event_encoder.h"
#include "domain/accrual.h"
#include "domain/release.h"
#include "domain/running_balance.h"
#include "domain/seal.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payout::app {

/// One pass over a day that releases merchants. Round 0 is of all merchants, later ones of those
/// that were held back.
struct ReleaseRound {
    BusinessDate day;
    int round = 0;
    bool deep = false;

    bool operator==(const ReleaseRound&) const = default;
};

/// A run of merchants whose totals were sealed together at close.
struct ReleaseChunk {
    int number = 0;
    domain::MerchantRange range;
    domain::Seal seal{};
};

/// A merchant whose day was held back.
struct Hold {
    /// None: events of nobody knows whom.
    domain::MerchantId merchant;
    /// Its totals are not in its chunk's seal.
    bool open_at_close = false;
    bool released = false;
};

/// A merchant whose hold ends.
struct FreedMerchant {
    domain::MerchantId merchant;
    /// Of its totals, for one that was open at close.
    std::optional<domain::Seal> seal;
};

/// What is to become of one chunk; every list in order of merchant.
struct ChunkOutcome {
    std::vector<domain::ReleaseLine> lines;
    /// The running balance with each of the lines.
    std::vector<domain::RunningBalance> balances;
    std::vector<domain::HeldBack> held;
    std::vector<FreedMerchant> freed;
    domain::ReleaseSums sums;
};

/// A transaction over one chunk. One thread at a time.
class ChunkTransaction {
 public:
    virtual ~ChunkTransaction() = default;
    /// Those of the range that are or were held back, in order.
    virtual Result<std::vector<Hold>> Holds() = 0;
    /// The totals as they stand, in order of (merchant, slot, tax class).
    virtual Result<std::vector<domain::SlotTotal>> Totals() = 0;
    /// The totals that were sealed at close, kept in one piece: for who was not open then they say
    /// the same, and cost a fraction. Nothing if the close kept none (it was of an older version,
    /// or there were too many); what cannot be read comes without totals, and breaks the seal.
    virtual Result<std::optional<std::vector<domain::SlotTotal>>> SealedTotals() = 0;
    /// The running balances of the range's merchants, in order of merchant and tax class.
    virtual Result<std::vector<domain::RunningBalance>> BalancesBefore() = 0;
    /// What the day's cycle released to merchants, from the rows, in the same order.
    virtual Result<std::vector<domain::CycleSums>> CycleOf(
        std::span<const domain::MerchantId> merchants) = 0;
    /// Stores the outcome, puts what others are told of holds into the outbox, and checks the chunk
    /// off.
    virtual Status Store(const ChunkOutcome& outcome, const EventEncoder& events) = 0;
};

/// Held by whoever releases; somebody else may when it is destroyed.
class ReleaseTurn {
 public:
    virtual ~ReleaseTurn() = default;
};

/// Releases, in the database. Thread safe.
class ReleaseStore {
 public:
    virtual ~ReleaseStore() = default;

    /// ABORTED RELEASE_RUNNING while somebody else, in whatever process, has it; the message says
    /// until when, which is soon if that process died. It only keeps work from being done twice:
    /// that nobody is released twice is the checkpoints' affair.
    virtual Result<std::unique_ptr<ReleaseTurn>> TakeTurn() = 0;

    /// NOT_FOUND DAY_UNKNOWN.
    virtual Result<domain::DayState> StateOf(BusinessDate day) = 0;
    /// Merchants that were sealed at close; 0 if the day is not closed.
    virtual Result<std::int64_t> MerchantCount(BusinessDate day) = 0;
    /// The round that was begun and not finished.
    virtual Result<std::optional<ReleaseRound>> UnderWay() = 0;
    /// All chunks that a closed day was sealed in.
    virtual Result<std::vector<ReleaseChunk>> SealedChunks(BusinessDate day) = 0;
    /// The day's chunks in which merchants are held back still.
    virtual Result<std::vector<ReleaseChunk>> HeldChunks(BusinessDate day) = 0;
    /// Begins the day's next round: the first over all its chunks, later ones over `chunks`.
    /// FAILED_PRECONDITION DAY_OPEN, ABORTED RELEASE_RUNNING when another round is under way.
    virtual Result<ReleaseRound> Begin(BusinessDate day, bool deep,
                                       std::span<const ReleaseChunk> chunks, Instant at) = 0;
    /// Chunks of the round that are not done, in order.
    virtual Result<std::vector<ReleaseChunk>> PendingChunks(const ReleaseRound& round) = 0;

    /// Runs `work` in a transaction that holds the chunk's checkpoint and its holds, unless the
    /// chunk is done; again if the database asks for it.
    virtual Status InChunk(const ReleaseRound& round, const ReleaseChunk& chunk,
                           const std::function<Status(ChunkTransaction&)>& work) = 0;
    /// The same to look only: Store must not be called.
    virtual Status InspectChunk(BusinessDate day, const ReleaseChunk& chunk,
                                const std::function<Status(ChunkTransaction&)>& work) = 0;

    /// Ends the round, all of whose chunks are done, and puts its event into the outbox; an event
    /// without merchants is for the first round only.
    virtual Status Finish(const ReleaseRound& round, const EventEncoder& events, Instant at) = 0;
    /// What all finished rounds of a day released, and how many merchants are held back still.
    virtual Result<domain::ReleaseSums> Summary(BusinessDate day) = 0;

    /// Events of the day, or of an earlier or unknown one, that wait.
    virtual Result<std::vector<BlockedEvent>> Blocked(BusinessDate day, int limit) = 0;
    virtual Result<std::optional<domain::MerchantId>> MerchantOfPayment(
        domain::PaymentId payment) = 0;
    virtual Result<domain::PlanUpdates> PlansAfter(std::int64_t revision) = 0;

    using TakeAmounts = std::function<void(std::span<const domain::AccruedAmount>)>;
    using TakeAccrual = std::function<void(const domain::Accrual&)>;
    /// Gives the day's accruals with a bucket from `first` to `last` as they come, in no order.
    virtual Status ScanAmounts(BusinessDate day, int first_bucket, int last_bucket,
                               const TakeAmounts& take) = 0;
    virtual Status ScanAccruals(BusinessDate day, int first_bucket, int last_bucket,
                                const TakeAccrual& take) = 0;
};

}  // namespace kessai::payout::app
