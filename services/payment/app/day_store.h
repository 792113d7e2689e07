#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "domain/ledger.h"
#include "kessai/digest/accumulator.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payment::app {

/// Numbers are stored: they never change.
enum class DayState : std::uint8_t {
    /// The gates have it: changes are dated to it.
    kOpen = 1,
    /// No change can be dated to it any more; its events are on their way to Kafka.
    kClosing = 2,
    /// All its events are in Kafka, its marks are on their way.
    kMarked = 3,
    /// Every partition has its mark.
    kClosed = 4,
};

struct Day {
    BusinessDate date;
    DayState state = DayState::kOpen;
};

/// A change as reconciliation compares it.
struct DayRow {
    std::int64_t object = 0;
    std::uint32_t version = 0;
    domain::MerchantId merchant;
    /// domain::MerchantGross of it.
    std::int64_t gross = 0;

    bool operator==(const DayRow&) const = default;
};

/// The days of the books in the database. Thread safe.
class DayStore {
 public:
    virtual ~DayStore() = default;

    struct Now {
        BusinessDate open_date;
        /// The database's clock.
        Instant time;
    };
    virtual Result<Now> Read() = 0;
    /// The day's state; a date never closed nor open is refused as DAY_NOT_CURRENT.
    virtual Result<Day> Find(BusinessDate date) = 0;
    /// Moves every gate row from `date` to the next day and writes down that `date` closes, in one
    /// transaction that holds all gate rows: after it no change is dated `date`.
    /// DAY_NOT_CURRENT when the gates have another day; ABORTED when a gate stayed locked.
    virtual Status MoveGates(BusinessDate date) = 0;
    /// Days that are not yet closed, oldest first.
    virtual Result<std::vector<Day>> Unfinished() = 0;
    /// Whether the outbox still holds an event of `date` or an earlier day.
    virtual Result<bool> HasUnsentEvents(BusinessDate date) = 0;
    /// Puts the day's mark for every partition into the outbox and sets it to kMarked, under a gate
    /// row. `row_id` as for LedgerTransaction::Store.
    virtual Status StoreMarks(BusinessDate date, const std::string& envelope, int partition_count,
                              std::int64_t row_id) = 0;
    /// Sets a marked day to kClosed if its marks have left the outbox; false if they have not.
    virtual Result<bool> FinishIfMarksSent(BusinessDate date) = 0;

    /// A closed day's digests: as kept by the relay, or computed from the journals (`deep`).
    /// Buckets out of `range`, which is valid, are empty.
    virtual Result<digest::DayDigest> Digests(BusinessDate date, bool deep,
                                              digest::BucketRange range) = 0;
    /// The changes of a closed day with a merchant, of one bucket, by (object, version).
    virtual Result<std::vector<DayRow>> Rows(BusinessDate date, int bucket) = 0;

    /// Puts events into the outbox again, under a gate row. They are not counted in digests again.
    virtual Status Republish(std::span<const domain::Change> changes,
                             std::span<const std::string> envelopes, std::int64_t row_id) = 0;
};

}  // namespace kessai::payment::app
