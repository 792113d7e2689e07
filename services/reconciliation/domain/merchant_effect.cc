#include "domain/merchant_effect.h"

#include <string>

namespace kessai::reconciliation::domain {

Result<std::optional<Money>> MerchantEffect(PaymentKind kind, Money moved) {
    if (moved.is_negative()) {
        return Status(Code::kInvalidArgument, "AMOUNT_NEGATIVE",
                      "a change moved " + moved.ToString());
    }
    switch (kind) {
        case PaymentKind::kCompleted:
        case PaymentKind::kCaptured:
            return std::optional(moved);
        case PaymentKind::kCanceled:
        case PaymentKind::kRefunded: {
            KESSAI_ASSIGN_OR_RETURN(const Money back, moved.Negate());
            return std::optional(back);
        }
        case PaymentKind::kAuthorized:
        case PaymentKind::kReverted:
        case PaymentKind::kExpired:
            return std::optional<Money>();
    }
    return Status(Code::kInvalidArgument, "KIND_UNKNOWN",
                  "no kind of change has number " + std::to_string(static_cast<int>(kind)));
}

}  // namespace kessai::reconciliation::domain
