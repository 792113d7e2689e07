#pragma once

#include <string>
#include <string_view>

#include "kessai/result/result.h"

namespace kessai::payment::domain {

/// Every reason the money rules refuse with. The names on the wire are those of
/// kessai.payment.v1.Reason; a test holds the two lists together.
enum class Refusal {
    kAmountOutOfRange,
    kCurrencyUnknown,
    kFieldInvalid,
    kExpiryOutOfRange,
    kMerchantUnknown,
    kMerchantSuspended,
    kDuplicateCode,
    kCodeUnknown,
    kCodeExpired,
    kCodeDeleted,
    kCodeAlreadyPaid,
    kPaymentCanceled,
    kPaymentUnknown,
    kAmountChanged,
    kInsufficientFunds,
    kWalletUnknown,
    kNotReversible,
    kNotRefundable,
    kRefundExceedsPayment,
    kRefundWindowPassed,
    kMultipleRefundsNotAllowed,
    kRefundLimitExceeded,
    kRefundUnknown,
    kKeyReused,
    kSourceUnknown,
    kBalanceLimit,
    kPageTokenInvalid,
    kPageSizeOutOfRange,
    kDayNotCurrent,
    kDayNotOver,
    kDayOpen,
    kChangeUnknown,
    kQueueFull,
};

std::string_view ReasonName(Refusal refusal);
Code CodeOf(Refusal refusal);

/// The refusal as a Status, with its code and name.
Status Refuse(Refusal refusal, std::string message);

}  // namespace kessai::payment::domain
