#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "domain/claim.h"
#include "domain/discrepancy.h"
#include "domain/match.h"

namespace kessai::reconciliation::domain {

/// What a change's own payment says of it. Pure; nothing of it needs a clock or another service.
///
/// `before` has the payment's earlier changes that are known, rising by version; of those that an
/// older version of this service heard the kind and the fee are not noted, and what needs them is
/// not checked.

/// Whether payment's change follows its earlier ones: OUT_OF_ORDER when the one before it never
/// came (a refund whose payment is not there), STATE_INVALID when it is none that may follow:
///
///     first          COMPLETED or AUTHORIZED, each only there
///     CAPTURED       of what was authorized and has not ended
///     REVERTED,
///     EXPIRED        of what was authorized and has not ended
///     REFUNDED,
///     CANCELED       of what was captured and is not cancelled, and no more than is left of it
///     benefits       anything that is not the first
///
/// Nothing is found of a claim that names no kind.
std::vector<Finding> CheckHistory(const PaymentClaim& claim, std::span<const Match> before);

/// Whether the fee that payout tells can be one at all: its sign follows gross and nothing of
/// nothing; a benefit has none; a return gives back what floor(fee × returned ÷ captured) of its
/// payment's fee grows by, whatever the plan, so returns of the whole give back the whole; and the
/// tax class is that of a day on which the payment can have been made. FEE_DIFFERS and TAX_DIFFERS.
///
/// Only the plan tells whether the fee of a sale is right: a deep run has payout compute it again.
std::vector<Finding> CheckFee(const PayoutClaim& claim, PaymentKindNumber kind,
                              std::span<const Match> before);

/// FEE_DIFFERS with the fee that it should be and the one that it is; `merchant` and the rest from
/// `terms`.
Finding FeeFinding(ChangeKey key, const Terms& terms, std::optional<std::int64_t> expected,
                   std::int64_t fee, std::string evidence);
/// TAX_DIFFERS with the tax of the fee by either class.
Finding TaxFinding(ChangeKey key, const Terms& terms, TaxClass expected, const ToldFee& told,
                   std::string evidence);

/// A change was told again with another content or under another event id; it was not applied.
Finding DuplicateFinding(const PaymentClaim& claim, std::string_view why);
Finding DuplicateFinding(const PayoutClaim& claim, std::string_view why);

}  // namespace kessai::reconciliation::domain
