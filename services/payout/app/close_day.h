#pragma once

#include <set>
#include <span>

#include "app/day_store.h"
#include "app/event_encoder.h"

namespace kessai::payout::app {

/// Whose the waiting events are.
struct BlockedMerchants {
    std::set<domain::MerchantId> merchants;
    /// Events of which nobody knows whose they are.
    int unattributed = 0;
};

/// By the event itself, or else by an earlier change of the same payment. Events of no merchant
/// (top-ups) are nobody's business here.
Result<BlockedMerchants> FindBlockedMerchants(
    std::span<const BlockedEvent> events, const EventEncoder& events_reader,
    const std::function<Result<std::optional<domain::MerchantId>>(domain::PaymentId)>&
        merchant_of_payment);

/// FAILED_PRECONDITION TOO_MANY_BLOCKED when there are more than `max`: then it is something larger
/// that is broken, and money waits until somebody has looked.
Status CheckBlocked(std::span<const BlockedEvent> events, int max);

struct CloseDayOptions {
    /// Of payment.events.v1 (whose marks close a day) and of payout.events.v1.
    int payment_partitions = 12;
    int payout_partitions = 12;
    /// A chunk is what is sealed and later released together, and checkpointed.
    std::int64_t merchants_per_chunk = 10'000;
    /// With more events waiting the day stays open.
    int blocked_events_max = 10'000;
};

/// Ends days: when every partition has had payment's mark, seals the totals of all merchants but
/// those with an event that waits, and then, when Kafka has all our events of the day, publishes
/// our own mark. Any number of replicas may run it. Thread safe.
class CloseDay {
 public:
    CloseDay(CloseDayOptions options, DayStore& store, const EventEncoder& events,
             const Clock& clock);

    /// Takes every day as far as it gets. Gives the number of days closed.
    /// FAILED_PRECONDITION TOO_MANY_BLOCKED besides the database's refusals.
    Result<int> RunOnce();

 private:
    Status Close(ClosingTransaction& transaction, BusinessDate day);
    Status PublishMarks();

    const CloseDayOptions options_;
    DayStore& store_;
    const EventEncoder& events_;
    const Clock& clock_;
};

}  // namespace kessai::payout::app
