#pragma once

#include <span>
#include <string_view>

#include "kessai/filetemplate/schema.h"

/// What merchants' files are made from, and the layouts that come with the product. The order of
/// fields is the order of values in a row.
namespace kessai::reconciliation {

/// A row of `transactions`: one step of a payment that a merchant sees. `brand_name` is the
/// merchant's name as it is when the file is made. A payment that was paid at once and then
/// cancelled has a row COMPLETED and a row FAILED, as the partner API calls it; CANCELED is an
/// authorization that was reverted. Empty for want of anybody who knows them: `store_name`, and as
/// long as payments are captured at once, the ids of reverts and captures; `is_captured_later` is
/// false then, and the statuses are COMPLETED, FAILED and REFUNDED.
enum class TransactionField : std::size_t {
    kOrderId,
    kMerchantId,
    kBrandName,
    kStoreId,
    kStoreName,
    kTerminalId,
    kStatus,
    kAcceptedAt,
    kBusinessDate,
    /// Above zero, of refunds too.
    kAmount,
    kOrderReceiptNumber,
    kMethods,
    kMerchantPaymentId,
    kMerchantRevertId,
    kMerchantCaptureId,
    kMerchantRefundId,
    /// JSON arrays by method, with the partner API's names and with Japanese ones.
    kPaymentDetails,
    kPaymentDetailsJa,
    kIsCapturedLater,
    kCount,
};

/// The places in the enum `status`.
enum class TransactionStatus : std::size_t {
    kAuthorized,
    kCanceled,
    kCompleted,
    kExpired,
    kFailed,
    kRefunded,
    kRefundFailed,
};

/// The bits of the enum set `methods`.
enum class TransactionMethod : std::size_t {
    kWallet,
    kCreditCard,
    kPayLaterCc,
    kPoint,
    kGiftVoucher,
};

/// A row of `releases`: what a merchant was released of a day, over all of the day's rounds.
enum class ReleaseField : std::size_t {
    kMerchantId,
    kBusinessDate,
    kGross,
    kFee,
    kTax,
    kNet,
    kItemCount,
    kCount,
};

/// A row of `transfers`: an attempt to pay a merchant on a date, as it is when the file is made.
enum class TransferField : std::size_t {
    kTransferId,
    kPayoutId,
    kMerchantId,
    /// From 1.
    kAttempt,
    kStatus,
    kTransferDate,
    kAmount,
    /// What the merchant was charged for the payout, whatever the attempt, and the tax in it.
    kFee,
    kTax,
    kIsOnDemand,
    /// The bank's code, or an operator's reason.
    kReason,
    kCount,
};

/// transactions, releases, transfers. The latter two have no times: their templates keep to days of
/// the books (a cut-off of 24:00 in Japan).
std::span<const filetemplate::Schema> FileSources();

/// The partner contract's two files (design/partner-api.md, section 7), as templates.
std::string_view CaptureLaterTemplate();
std::string_view InstantTemplate();

}  // namespace kessai::reconciliation
