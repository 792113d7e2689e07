#pragma once

#include <cstdint>
#include <string_view>

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
    kMerchantCashback = 8,
    kMerchantCashbackReturned = 9,
    kMerchantCoupon = 10,
    kMerchantCouponReturned = 11,
    kOperatorCashback = 12,
    kOperatorCashbackReturned = 13,
    kOperatorCoupon = 14,
    kOperatorCouponReturned = 15,
};

/// "COMPLETED" and so on.
std::string_view PaymentKindName(PaymentKind kind);

/// What the merchant gains by a change that moved `moved`: the amount when it was paid or captured,
/// its negative when it went back; the same the other way round of cashback and coupons that the
/// merchant bears; zero where only a customer's hold changed or the operator bears it. Payout
/// answers and both digests count every change, those of nothing too. Refuses with INVALID_ARGUMENT
/// AMOUNT_NEGATIVE, KIND_UNKNOWN.
Result<Money> MerchantEffect(PaymentKind kind, Money moved);

}  // namespace kessai::reconciliation::domain
