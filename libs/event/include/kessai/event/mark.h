#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kessai/event/envelope.h"
#include "kessai/result/result.h"

namespace kessai::event {

/// The type of a sealed mark.
inline constexpr std::string_view kBusinessDayClosedType = "kessai.event.v1.BusinessDayClosed";

/// The publisher will never again publish a change of `business_date` or an earlier day: the mark
/// is in every partition of its topic, behind all changes of that day in it. It may be there more
/// than once.
struct BusinessDayClosed {
    BusinessDate business_date;
    /// How many partitions the topic has, so that a reader knows when it has all marks.
    int partition_count = 0;
    /// "payment", "payout".
    std::string service;
};

/// Seals a mark. Its object id and version are 0, its business date is the closed day; the bytes
/// are the same for every partition and for every repetition with the same event id and time.
/// Refuses with INVALID_ARGUMENT EVENT_FIELD_INVALID (no service, no partitions).
Result<std::string> SealMark(const BusinessDayClosed& mark, std::int64_t event_id,
                             Instant occurred_at);

/// Whether an opened event is a mark.
bool IsMark(const Envelope& envelope);

/// Reads the mark. Precondition: IsMark(envelope).
/// Refuses with INVALID_ARGUMENT EVENT_MALFORMED, EVENT_FIELD_INVALID.
Result<BusinessDayClosed> OpenMark(const Envelope& envelope);

}  // namespace kessai::event
