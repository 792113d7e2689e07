#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/accrual.h"
#include "domain/hold_event.h"
#include "domain/release.h"
#include "domain/transfer_event.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payout::app {

/// What DayReleased says.
struct DayReleasedEvent {
    BusinessDate released;
    int round = 0;
    domain::ReleaseSums sums;
    /// The event's own business date: a day we have not yet marked as ended.
    BusinessDate business_date;
    Instant at;
};

/// Makes sealed events (libs/event). Each is a pure function of what was stored, so it can be made
/// again byte for byte. Thread safe.
class EventEncoder {
 public:
    virtual ~EventEncoder() = default;

    /// Of an accrual's object, version and business date. Its event id is that of the payment event
    /// that it answers: it rises per object, as that one does.
    virtual Result<std::string> AccrualRecorded(const domain::Accrual& accrual,
                                                Instant recorded_at) const = 0;
    virtual Result<std::string> DayReleased(const DayReleasedEvent& released) const = 0;
    virtual Result<std::string> TransferChanged(const domain::TransferEvent& event) const = 0;
    virtual Result<std::string> HoldChanged(const domain::HoldStep& step) const = 0;
    virtual Result<std::string> DayClosed(BusinessDate day, Instant closed_at) const = 0;

    /// The merchant that a payment's sealed event is of; none when it is of no merchant (a top-up),
    /// nothing when that cannot be read.
    virtual std::optional<domain::MerchantId> MerchantOf(std::string_view sealed_event) const = 0;
};

}  // namespace kessai::payout::app
