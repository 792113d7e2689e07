#pragma once

#include <optional>

#include "domain/payment_change.h"
#include "kessai/event/envelope.h"
#include "kessai/result/result.h"

namespace kessai::payout::transport {

/// The change of a payment that an event tells of; nothing for events of other types (top-ups, our
/// own releases' clearing), which are no business of merchants.
/// Refuses with INVALID_ARGUMENT: EVENT_MALFORMED (the payload is not what the type says),
/// FIELD_INVALID, CURRENCY_UNKNOWN, AMOUNT_OVERFLOW, REFUND_EXCEEDS_PAYMENT.
Result<std::optional<domain::PaymentChange>> DecodePaymentEvent(const event::Envelope& event);

}  // namespace kessai::payout::transport
