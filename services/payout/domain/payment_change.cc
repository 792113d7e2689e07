#include "domain/payment_change.h"

#include <string>

#include "domain/reason.h"

namespace kessai::payout::domain {
namespace {

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, reason::kFieldInvalid, std::move(message));
}

Status ValidateAmount(const char* field, std::int64_t value) {
    if (value < 0) return Invalid(std::string(field) + " is negative");
    if (value > kMaxAmount) {
        return Status(Code::kInvalidArgument, reason::kAmountOverflow,
                      std::string(field) + " is above " + std::to_string(kMaxAmount));
    }
    return OkStatus();
}

Status ValidateSplit(const char* field, const MethodSplit& split, std::int64_t amount) {
    if (split.empty()) return OkStatus();
    KESSAI_ASSIGN_OR_RETURN(const MethodSplit proper, MakeSplit(split, amount));
    return proper == split ? OkStatus() : Invalid(std::string(field) + " are not in their order");
}

/// Cashback and coupons, given or taken back.
Status ValidateBenefit(const PaymentChange& change) {
    if (change.amount == 0 && GrossSign(change.kind) != 0) return Invalid("amount is zero");
    if (change.amount > change.captured_total) {
        return Invalid("a benefit is above what the payment captured");
    }
    return OkStatus();
}

/// Refunds and cancels return something of what was captured, and never more.
Status ValidateReturn(const PaymentChange& change) {
    if (change.captured_total <= 0) return Invalid("captured_total is zero");
    if (change.amount > change.captured_total - change.refunded_before) {
        return Status(Code::kInvalidArgument, reason::kRefundExceedsPayment,
                      "returns more than what was captured and not returned yet");
    }
    if (change.kind == ChangeKind::kCanceled &&
        change.amount != change.captured_total - change.refunded_before) {
        return Invalid("a cancel returns all that was captured and not returned yet");
    }
    return OkStatus();
}

Status ValidateSale(const PaymentChange& change) {
    if (change.refunded_before != 0) return Invalid("refunded_before of a sale is not zero");
    if (change.kind == ChangeKind::kCompleted) {
        if (change.captured_total != change.amount) {
            return Invalid("a completed payment captures its amount");
        }
        if (change.payment_date != change.business_date) {
            return Invalid("a completed payment is of its own day");
        }
        return OkStatus();
    }
    if (change.captured_total < change.amount) {
        return Invalid("captured_total does not include this capture");
    }
    return SplitWithout(change.captured_methods, change.captured_total, change.methods,
                        change.amount)
        .status();
}

}  // namespace

bool IsChangeKind(std::int64_t number) {
    return number >= static_cast<int>(ChangeKind::kCompleted) &&
           number <= static_cast<int>(ChangeKind::kOperatorCouponReturned);
}

int GrossSign(ChangeKind kind) {
    switch (kind) {
        case ChangeKind::kCompleted:
        case ChangeKind::kCaptured:
        case ChangeKind::kMerchantCashbackReturned:
        case ChangeKind::kMerchantCouponReturned:
            return 1;
        case ChangeKind::kCanceled:
        case ChangeKind::kRefunded:
        case ChangeKind::kMerchantCashback:
        case ChangeKind::kMerchantCoupon:
            return -1;
        case ChangeKind::kAuthorized:
        case ChangeKind::kReverted:
        case ChangeKind::kExpired:
        case ChangeKind::kOperatorCashback:
        case ChangeKind::kOperatorCashbackReturned:
        case ChangeKind::kOperatorCoupon:
        case ChangeKind::kOperatorCouponReturned:
            return 0;
    }
    KESSAI_CHECK(false, "a kind outside the enumeration");
}

bool HasFee(ChangeKind kind) {
    return kind == ChangeKind::kCompleted || kind == ChangeKind::kCaptured ||
           kind == ChangeKind::kCanceled || kind == ChangeKind::kRefunded;
}

Status Validate(const PaymentChange& change) {
    if (change.key.payment.value() <= 0) return Invalid("payment id is not positive");
    if (change.key.version == 0) return Invalid("version is zero");
    if (change.merchant.value() <= 0) return Invalid("merchant id is not positive");
    if (change.payment_date > change.business_date) {
        return Invalid("the payment is dated after its change");
    }
    KESSAI_RETURN_IF_ERROR(ValidateAmount("amount", change.amount));
    KESSAI_RETURN_IF_ERROR(ValidateAmount("captured_total", change.captured_total));
    KESSAI_RETURN_IF_ERROR(ValidateAmount("refunded_before", change.refunded_before));
    if (change.kind >= ChangeKind::kMerchantCashback) return ValidateBenefit(change);
    const int sign = GrossSign(change.kind);
    if (sign == 0) return OkStatus();
    KESSAI_RETURN_IF_ERROR(
        ValidateSplit("captured_methods", change.captured_methods, change.captured_total));
    KESSAI_RETURN_IF_ERROR(ValidateSplit("methods", change.methods, change.amount));
    if (change.amount == 0) return Invalid("amount is zero");
    return sign > 0 ? ValidateSale(change) : ValidateReturn(change);
}

}  // namespace kessai::payout::domain
