#pragma once

#include <optional>

#include "domain/claim.h"
#include "domain/hold_notice.h"
#include "kessai/event/envelope.h"
#include "kessai/result/result.h"

namespace kessai::reconciliation::transport {

/// What an event of payment.events.v1 claims. nullopt for events that payout does not answer:
/// changes of wallets and of customers' holds, and types that are not known here. (A type that
/// should have been known is found when the day is compared: payment's digest has its rows.)
/// Refuses with INVALID_ARGUMENT: PAYLOAD_MALFORMED, CLAIM_INVALID, KIND_UNKNOWN, AMOUNT_NEGATIVE,
/// CURRENCY_UNKNOWN.
Result<std::optional<domain::PaymentClaim>> DecodePaymentEvent(const event::Envelope& event);

/// What an event of payout.events.v1 claims; nullopt for all but AccrualRecorded. Refuses alike.
Result<std::optional<domain::PayoutClaim>> DecodePayoutEvent(const event::Envelope& event);

/// Nothing for an event of payout that is about no merchant held back.
Result<std::optional<domain::HoldNotice>> DecodeHold(const event::Envelope& event);

}  // namespace kessai::reconciliation::transport
