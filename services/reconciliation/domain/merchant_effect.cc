#include "domain/merchant_effect.h"

#include <string>

namespace kessai::reconciliation::domain {

std::string_view PaymentKindName(PaymentKind kind) {
    switch (kind) {
        case PaymentKind::kCompleted:
            return "COMPLETED";
        case PaymentKind::kCanceled:
            return "CANCELED";
        case PaymentKind::kRefunded:
            return "REFUNDED";
        case PaymentKind::kAuthorized:
            return "AUTHORIZED";
        case PaymentKind::kCaptured:
            return "CAPTURED";
        case PaymentKind::kReverted:
            return "REVERTED";
        case PaymentKind::kExpired:
            return "EXPIRED";
        case PaymentKind::kMerchantCashback:
            return "MERCHANT_CASHBACK";
        case PaymentKind::kMerchantCashbackReturned:
            return "MERCHANT_CASHBACK_RETURNED";
        case PaymentKind::kMerchantCoupon:
            return "MERCHANT_COUPON";
        case PaymentKind::kMerchantCouponReturned:
            return "MERCHANT_COUPON_RETURNED";
        case PaymentKind::kOperatorCashback:
            return "OPERATOR_CASHBACK";
        case PaymentKind::kOperatorCashbackReturned:
            return "OPERATOR_CASHBACK_RETURNED";
        case PaymentKind::kOperatorCoupon:
            return "OPERATOR_COUPON";
        case PaymentKind::kOperatorCouponReturned:
            return "OPERATOR_COUPON_RETURNED";
    }
    return "UNKNOWN";
}

Result<Money> MerchantEffect(PaymentKind kind, Money moved) {
    if (moved.is_negative()) {
        return Status(Code::kInvalidArgument, "AMOUNT_NEGATIVE",
                      "a change moved " + moved.ToString());
    }
    switch (kind) {
        case PaymentKind::kCompleted:
        case PaymentKind::kCaptured:
        case PaymentKind::kMerchantCashbackReturned:
        case PaymentKind::kMerchantCouponReturned:
            return moved;
        case PaymentKind::kCanceled:
        case PaymentKind::kRefunded:
        case PaymentKind::kMerchantCashback:
        case PaymentKind::kMerchantCoupon:
            return moved.Negate();
        case PaymentKind::kAuthorized:
        case PaymentKind::kReverted:
        case PaymentKind::kExpired:
        case PaymentKind::kOperatorCashback:
        case PaymentKind::kOperatorCashbackReturned:
        case PaymentKind::kOperatorCoupon:
        case PaymentKind::kOperatorCouponReturned:
            return Money(0, moved.currency());
    }
    return Status(Code::kInvalidArgument, "KIND_UNKNOWN",
                  "no kind of change has number " + std::to_string(static_cast<int>(kind)));
}

}  // namespace kessai::reconciliation::domain
