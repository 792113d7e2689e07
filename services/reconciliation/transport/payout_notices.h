#pragma once

#include <optional>

#include "app/payout_books.h"
#include "domain/transfer_check.h"
#include "kessai/event/envelope.h"
#include "kessai/result/result.h"

namespace kessai::reconciliation::transport {

/// What an event of payout.events.v1 says of a transfer; nullopt for all others. Refuses with
/// INVALID_ARGUMENT: PAYLOAD_MALFORMED, CURRENCY_UNKNOWN.
Result<std::optional<domain::TransferNotice>> DecodeTransfer(const event::Envelope& event);

/// What DayReleased says; nullopt for all others. Refuses alike.
Result<std::optional<app::ReleaseNotice>> DecodeRelease(const event::Envelope& event);

}  // namespace kessai::reconciliation::transport
