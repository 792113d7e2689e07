#pragma once

#include <span>
#include <string_view>

#include "kessai/filetemplate/schema.h"

/// What merchants' files are made from, and the layouts that come with the product. The order of
/// fields is the order of values in a row.
namespace kessai::reconciliation {

/// A row of `transactions`: one step of a payment that a merchant sees.
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

/// transactions; releases: one a merchant and released day; transfers: one an attempt to pay a
/// merchant.
std::span<const filetemplate::Schema> FileSources();

/// The partner contract's two files (design/partner-api.md, section 7), as templates.
std::string_view CaptureLaterTemplate();
std::string_view InstantTemplate();

}  // namespace kessai::reconciliation
