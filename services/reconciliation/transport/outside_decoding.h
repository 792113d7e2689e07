#pragma once

#include <optional>

#include "domain/outside_record.h"
#include "kessai/event/envelope.h"
#include "kessai/result/result.h"

namespace kessai::reconciliation::transport {

/// What an event of payment.events.v1 or payout.events.v1 says must move outside: TransferSent,
/// TransferFailed, TransferReturned, and WalletChanged of a source that an account has. nullopt for
/// all other events, and for those that no account is configured for. Refuses with
/// INVALID_ARGUMENT: PAYLOAD_MALFORMED, CURRENCY_UNKNOWN.
Result<std::optional<domain::ExpectedItem>> DecodeExpected(const event::Envelope& event,
                                                           const domain::OutsideAccounts& accounts);

}  // namespace kessai::reconciliation::transport
