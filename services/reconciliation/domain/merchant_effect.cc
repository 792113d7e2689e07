#include "domain/merchant_effect.h"

#include <string>

namespace kessai::reconciliation::domain {

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
