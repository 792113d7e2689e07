#include "domain/refusal.h"

#include <utility>

namespace kessai::payment::domain {
namespace {

struct Entry {
    std::string_view name;
    Code code;
};

Entry EntryOf(Refusal refusal) {
    switch (refusal) {
        case Refusal::kAmountOutOfRange:
            return {"AMOUNT_OUT_OF_RANGE", Code::kInvalidArgument};
        case Refusal::kCurrencyUnknown:
            return {"CURRENCY_UNKNOWN", Code::kInvalidArgument};
        case Refusal::kFieldInvalid:
            return {"FIELD_INVALID", Code::kInvalidArgument};
        case Refusal::kExpiryOutOfRange:
            return {"EXPIRY_OUT_OF_RANGE", Code::kInvalidArgument};
        case Refusal::kMerchantUnknown:
            return {"MERCHANT_UNKNOWN", Code::kNotFound};
        case Refusal::kMerchantSuspended:
            return {"MERCHANT_SUSPENDED", Code::kFailedPrecondition};
        case Refusal::kDuplicateCode:
            return {"DUPLICATE_CODE", Code::kAlreadyExists};
        case Refusal::kCodeUnknown:
            return {"CODE_UNKNOWN", Code::kNotFound};
        case Refusal::kCodeExpired:
            return {"CODE_EXPIRED", Code::kFailedPrecondition};
        case Refusal::kCodeDeleted:
            return {"CODE_DELETED", Code::kFailedPrecondition};
        case Refusal::kCodeAlreadyPaid:
            return {"CODE_ALREADY_PAID", Code::kFailedPrecondition};
        case Refusal::kPaymentCanceled:
            return {"PAYMENT_CANCELED", Code::kFailedPrecondition};
        case Refusal::kPaymentUnknown:
            return {"PAYMENT_UNKNOWN", Code::kNotFound};
        case Refusal::kAmountChanged:
            return {"AMOUNT_CHANGED", Code::kFailedPrecondition};
        case Refusal::kInsufficientFunds:
            return {"INSUFFICIENT_FUNDS", Code::kFailedPrecondition};
        case Refusal::kWalletUnknown:
            return {"WALLET_UNKNOWN", Code::kNotFound};
        case Refusal::kNotReversible:
            return {"NOT_REVERSIBLE", Code::kFailedPrecondition};
        case Refusal::kNotRefundable:
            return {"NOT_REFUNDABLE", Code::kFailedPrecondition};
        case Refusal::kRefundExceedsPayment:
            return {"REFUND_EXCEEDS_PAYMENT", Code::kInvalidArgument};
        case Refusal::kRefundWindowPassed:
            return {"REFUND_WINDOW_PASSED", Code::kFailedPrecondition};
        case Refusal::kMultipleRefundsNotAllowed:
            return {"MULTIPLE_REFUNDS_NOT_ALLOWED", Code::kFailedPrecondition};
        case Refusal::kRefundLimitExceeded:
            return {"REFUND_LIMIT_EXCEEDED", Code::kFailedPrecondition};
        case Refusal::kRefundUnknown:
            return {"REFUND_UNKNOWN", Code::kNotFound};
        case Refusal::kKeyReused:
            return {"KEY_REUSED", Code::kAlreadyExists};
        case Refusal::kSourceUnknown:
            return {"SOURCE_UNKNOWN", Code::kInvalidArgument};
        case Refusal::kBalanceLimit:
            return {"BALANCE_LIMIT", Code::kFailedPrecondition};
        case Refusal::kPageTokenInvalid:
            return {"PAGE_TOKEN_INVALID", Code::kInvalidArgument};
        case Refusal::kPageSizeOutOfRange:
            return {"PAGE_SIZE_OUT_OF_RANGE", Code::kInvalidArgument};
        case Refusal::kDayNotCurrent:
            return {"DAY_NOT_CURRENT", Code::kFailedPrecondition};
        case Refusal::kDayNotOver:
            return {"DAY_NOT_OVER", Code::kFailedPrecondition};
        case Refusal::kDayOpen:
            return {"DAY_OPEN", Code::kFailedPrecondition};
        case Refusal::kChangeUnknown:
            return {"CHANGE_UNKNOWN", Code::kNotFound};
        case Refusal::kQueueFull:
            return {"QUEUE_FULL", Code::kResourceExhausted};
    }
    return {"UNRECOGNIZED", Code::kInternal};
}

}  // namespace

std::string_view ReasonName(Refusal refusal) {
    return EntryOf(refusal).name;
}
Code CodeOf(Refusal refusal) {
    return EntryOf(refusal).code;
}

Status Refuse(Refusal refusal, std::string message) {
    const Entry entry = EntryOf(refusal);
    return Status(entry.code, entry.name, std::move(message));
}

}  // namespace kessai::payment::domain
