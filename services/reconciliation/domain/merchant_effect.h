#pragma once

#include <cstdint>

#include "kessai/money/money.h"
#include "kessai/result/result.h"

namespace kessai::reconciliation::domain {

/// Numbers as in kessai.payment.v1.PaymentChanged.
enum class PaymentKind : std::uint8_t {
    kCompleted = 1,
    kCanceled = 2,
    kRefunded = 3,
    kAuthorized = 4,
    kCaptured = 5,
    kReverted = 6,
    kExpired = 7,
};

/// What the merchant gains by a change that moved `moved`: the amount when it was paid or captured,
/// its negative when it went back, zero where only a customer's hold changed. Payout answers and
/// both digests count every change, those of nothing too. Refuses with INVALID_ARGUMENT
/// AMOUNT_NEGATIVE, KIND_UNKNOWN.
Result<Money> MerchantEffect(PaymentKind kind, Money moved);

}  // namespace kessai::reconciliation::domain
