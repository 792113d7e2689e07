#include "domain/partner_contract.h"

#include <algorithm>
#include <array>

#include "domain/file_links.h"

namespace kessai::gateway::domain {

namespace {

using Operation = PartnerOperation;

constexpr PartnerResult kInvalidRequest{400, "INVALID_REQUEST_PARAMS",
                                        "The content of the request is invalid", "08100006"};
constexpr PartnerResult kMissingRequest{400, "MISSING_REQUEST_PARAMS",
                                        "A required field of the request is missing", "08100024"};
constexpr PartnerResult kInvalidParams{400, "INVALID_PARAMS", "A parameter is invalid", "00200004"};
constexpr PartnerResult kInvalidAmount{400, "INVALID_PARAMS", "The amount is invalid", "00200015"};
constexpr PartnerResult kQrBadRequest{400, "DYNAMIC_QR_BAD_REQUEST",
                                      "The request for the dynamic QR code is invalid", "01650000"};
constexpr PartnerResult kQrNotFound{404, "DYNAMIC_QR_NOT_FOUND",
                                    "The dynamic QR code was not found", "01652072"};
constexpr PartnerResult kQrDuplicate{400, "DUPLICATE_DYNAMIC_QR_REQUEST",
                                     "A dynamic QR code or a payment has this merchantPaymentId",
                                     "01652073"};
constexpr PartnerResult kQrAlreadyPaid{400, "DYNAMIC_QR_ALREADY_PAID",
                                       "The dynamic QR code has been paid", "01652074"};
constexpr PartnerResult kQrPaymentNotFound{400, "DYNAMIC_QR_PAYMENT_NOT_FOUND",
                                           "The payment of the dynamic QR code was not found",
                                           "01652075"};
constexpr PartnerResult kResourceNotFound{404, "RESOURCE_NOT_FOUND", "There is no such resource",
                                          "00200001"};
constexpr PartnerResult kNotReversible{400, "ORDER_NOT_REVERSIBLE", "The order can't be cancelled",
                                       "00200044"};
constexpr PartnerResult kUnacceptable{400, "UNACCEPTABLE_OP", "The order can't be refunded",
                                      "00200013"};
constexpr PartnerResult kRefundWindow{400, "REFUND_WINDOW_EXCEED",
                                      "The time in which it could be refunded is over", ""};
constexpr PartnerResult kMultipleRefunds{403, "MERCHANT_MULTIPLE_REFUND_REJECTED",
                                         "The merchant may refund an order once only", ""};
constexpr PartnerResult kRefundLimit{400, "REFUND_LIMIT_EXCEEDED",
                                     "The order has been refunded too often", ""};
constexpr PartnerResult kNoSuchRefund{404, "NO_SUCH_REFUND_ORDER", "There is no such refund",
                                      "00200018"};
constexpr PartnerResult kPreauthUnsupported{400, "PRE_AUTH_CAPTURE_UNSUPPORTED_MERCHANT",
                                            "Authorization and later capture are not available",
                                            "00400060"};
constexpr PartnerResult kOutOfScopeResult{401, "OP_OUT_OF_SCOPE", "The operation is not permitted",
                                          "08100023"};
// Of ours: the contract says nothing of how files are asked for.
constexpr PartnerResult kNoSuchFile{404, "FILE_NOT_FOUND", "There is no such file", ""};
constexpr PartnerResult kFileGone{410, "FILE_EXPIRED", "The file is kept no longer", ""};
constexpr PartnerResult kNoSuchBytes{416, "FILE_RANGE_NOT_SATISFIABLE",
                                     "The file has no such bytes", ""};
constexpr PartnerResult kLinkInvalid{403, "FILE_LINK_INVALID", "The link is not one of ours", ""};
constexpr PartnerResult kLinkExpired{410, "FILE_LINK_EXPIRED",
                                     "The link has expired; ask for a fresh one", ""};
constexpr PartnerResult kRateLimit{429, "RATE_LIMIT", "Too many requests", "08100998"};
constexpr PartnerResult kServiceError{500, "SERVICE_ERROR", "A service is not available",
                                      "08100026"};
constexpr PartnerResult kInternalError{500, "INTERNAL_SERVER_ERROR",
                                       "Something went wrong on our side", "08101000"};

struct Row {
    std::string_view reason;
    Operation operation;  // kAny: all that no row before it names
    const PartnerResult& result;
};

constexpr std::array kRows{
    // The gateway's own
    Row{reason::kUnauthorized, Operation::kAny, kPartnerUnauthorized},
    Row{reason::kOutOfScope, Operation::kAny, kOutOfScopeResult},
    Row{reason::kRateLimited, Operation::kAny, kRateLimit},
    Row{reason::kBodyMalformed, Operation::kAny, kInvalidRequest},
    Row{reason::kFieldMissing, Operation::kAny, kMissingRequest},
    Row{reason::kFieldMalformed, Operation::kAny, kInvalidRequest},
    Row{reason::kAuthorizationUnsupported, Operation::kAny, kPreauthUnsupported},
    // kessai.payment.v1.Reason
    Row{"AMOUNT_OUT_OF_RANGE", Operation::kRefundPayment, kInvalidAmount},
    Row{"AMOUNT_OUT_OF_RANGE", Operation::kAny, kQrBadRequest},
    Row{"CURRENCY_UNKNOWN", Operation::kAny, kInvalidRequest},
    Row{"FIELD_INVALID", Operation::kCreateCode, kQrBadRequest},
    Row{"FIELD_INVALID", Operation::kDeleteCode, kQrBadRequest},
    Row{"FIELD_INVALID", Operation::kGetCodePayment, kQrBadRequest},
    Row{"FIELD_INVALID", Operation::kAny, kInvalidParams},
    Row{"EXPIRY_OUT_OF_RANGE", Operation::kAny, kQrBadRequest},
    Row{"MERCHANT_UNKNOWN", Operation::kAny, kPartnerUnauthorized},
    Row{"MERCHANT_SUSPENDED", Operation::kAny, kOutOfScopeResult},
    Row{"DUPLICATE_CODE", Operation::kAny, kQrDuplicate},
    Row{"CODE_UNKNOWN", Operation::kAny, kQrNotFound},
    Row{"CODE_EXPIRED", Operation::kAny, kQrBadRequest},
    Row{"CODE_DELETED", Operation::kAny, kQrNotFound},
    Row{"CODE_ALREADY_PAID", Operation::kAny, kQrAlreadyPaid},
    Row{"PAYMENT_CANCELED", Operation::kAny, kQrBadRequest},
    Row{"PAYMENT_UNKNOWN", Operation::kGetCodePayment, kQrPaymentNotFound},
    Row{"PAYMENT_UNKNOWN", Operation::kAny, kResourceNotFound},
    Row{"NOT_REVERSIBLE", Operation::kAny, kNotReversible},
    Row{"NOT_REFUNDABLE", Operation::kAny, kUnacceptable},
    Row{"REFUND_EXCEEDS_PAYMENT", Operation::kAny, kInvalidAmount},
    Row{"REFUND_WINDOW_PASSED", Operation::kAny, kRefundWindow},
    Row{"MULTIPLE_REFUNDS_NOT_ALLOWED", Operation::kAny, kMultipleRefunds},
    Row{"REFUND_LIMIT_EXCEEDED", Operation::kAny, kRefundLimit},
    Row{"REFUND_UNKNOWN", Operation::kAny, kNoSuchRefund},
    Row{"KEY_REUSED", Operation::kAny, kInvalidParams},
    Row{"QUEUE_FULL", Operation::kAny, kRateLimit},
    // Files: kessai.reconciliation.v1.Reason, and links
    Row{"FILE_UNKNOWN", Operation::kAny, kNoSuchFile},
    Row{"FILE_EXPIRED", Operation::kAny, kFileGone},
    Row{"FILE_OFFSET_OUT_OF_RANGE", Operation::kAny, kNoSuchBytes},
    Row{reason::kFileLinkInvalid, Operation::kAny, kLinkInvalid},
    Row{reason::kFileLinkExpired, Operation::kAny, kLinkExpired},
    Row{"PAGE_TOKEN_INVALID", Operation::kAny, kInvalidRequest},
    // Ours to get right, so a fault of ours when they come
    Row{"TOKEN_INVALID", Operation::kAny, kInternalError},
    Row{"TOKEN_EXPIRED", Operation::kAny, kInternalError},
    Row{"ROLE_NOT_ALLOWED", Operation::kAny, kInternalError},
};

}  // namespace

const PartnerResult& PartnerResultOf(PartnerOperation operation, const Status& refusal) {
    for (const Row& row : kRows) {
        if (row.reason == refusal.reason() &&
            (row.operation == operation || row.operation == Operation::kAny)) {
            return row.result;
        }
    }
    switch (refusal.code()) {
        case Code::kInvalidArgument:
        case Code::kOutOfRange:
            return kInvalidRequest;
        case Code::kNotFound:
            return kResourceNotFound;
        case Code::kResourceExhausted:
            return kRateLimit;
        case Code::kUnavailable:
        case Code::kAborted:
            // OUTCOME_UNKNOWN is UNAVAILABLE too, and may have been done.
            return refusal.reason() == "OUTCOME_UNKNOWN" ? kInternalError : kServiceError;
        default:
            return kInternalError;
    }
}

std::vector<std::string_view> PartnerCodes() {
    // These two come of codes without a row, too.
    std::vector<std::string_view> codes{kServiceError.code, kInternalError.code};
    for (const Row& row : kRows) codes.push_back(row.result.code);
    std::sort(codes.begin(), codes.end());
    codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
    return codes;
}

bool PartnerContractNames(std::string_view reason) {
    return std::any_of(kRows.begin(), kRows.end(),
                       [&](const Row& row) { return row.reason == reason; });
}

}  // namespace kessai::gateway::domain
