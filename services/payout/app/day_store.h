#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/event_encoder.h"
#include "domain/release.h"
#include "domain/seal.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payout::app {

/// An event that waits in this service (a dead letter, or parked behind one).
struct BlockedEvent {
    /// Of the event's key; 0 when that names none.
    std::int64_t object = 0;
    /// Nothing when it cannot be read: it may be of any day.
    std::optional<BusinessDate> business_date;
    /// The message as it came.
    std::string value;
};

/// A day that closes.
struct ClosedDay {
    std::vector<domain::SealedChunk> chunks;
    domain::Seal seal{};
    std::int64_t merchant_count = 0;
    std::vector<domain::HeldBack> open_merchants;
    Instant closed_at;
};

/// A transaction that closes one day, whose row it holds.
class ClosingTransaction {
 public:
    virtual ~ClosingTransaction() = default;
    /// At most `limit` events of the day or earlier ones.
    virtual Result<std::vector<BlockedEvent>> Blocked(int limit) = 0;
    /// The merchant of an earlier change of the payment, if there was one.
    virtual Result<std::optional<domain::MerchantId>> MerchantOfPayment(
        domain::PaymentId payment) = 0;
    /// All totals of the day, in order of (merchant, slot, tax class).
    virtual Status StreamTotals(const std::function<void(const domain::SlotTotal&)>& take) = 0;
    /// And puts what others are told of who is left open into the outbox.
    virtual Status Store(const ClosedDay& day, const EventEncoder& events) = 0;
};

/// The days of the books, in the database. Thread safe.
class DayStore {
 public:
    virtual ~DayStore() = default;

    /// Open days whose marks all partitions have had, oldest first.
    virtual Result<std::vector<BusinessDate>> ClosableDays(int partition_count) = 0;
    /// Runs `work` if the day is open, holding its row; else does nothing. Not run again by itself.
    virtual Status InClosing(BusinessDate day,
                             const std::function<Status(ClosingTransaction&)>& work) = 0;

    struct UnmarkedDay {
        BusinessDate day;
        Instant closed_at;
    };
    /// Closed days whose own mark was not published, oldest first.
    virtual Result<std::vector<UnmarkedDay>> UnmarkedDays() = 0;
    /// Whether the outbox still holds an event of `day` or an earlier one.
    virtual Result<bool> HasUnsentEvents(BusinessDate day) = 0;
    /// Puts the sealed mark into the outbox, for every partition, unless that was done, or an event
    /// of the day waits there again.
    virtual Status StoreMark(BusinessDate day, const std::string& mark, int partition_count,
                             Instant at) = 0;
    /// Days to release, oldest first: those whose release is under way, and closed ones if
    /// `closed`.
    virtual Result<std::vector<BusinessDate>> ReleasableDays(bool closed) = 0;
};

}  // namespace kessai::payout::app
