#pragma once

#include <cstdint>
#include <optional>

#include "model/event_record.h"
#include "model/hold_rows.h"

// What payout tells of merchants held back: proto/kessai/payout/v1/payout_event.proto.
namespace kessai::audit {

/// The object of a hold's events, and back.
std::int64_t EventObjectOfHold(std::int64_t hold_number);
std::int64_t HoldOfEvent(std::int64_t object);

/// "RECOUNT_DIFFERS" and so on; empty for what is none.
std::string_view HoldReasonText(int reason);

/// The event that a step implies. Nothing when its day is none.
std::optional<PublishedRow> EventOf(const HoldStepRow& step);

}  // namespace kessai::audit
