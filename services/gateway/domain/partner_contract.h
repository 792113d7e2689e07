#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kessai/result/result.h"

/// What the partner interface answers with: its codes, and how refusals of ours and of the services
/// behind become them.
namespace kessai::gateway::domain {

enum class PartnerOperation : std::uint8_t {
    kAny,
    kCreateCode,
    kDeleteCode,
    kGetCodePayment,
    kGetPayment,
    kCancelPayment,
    kRefundPayment,
    kGetRefund,
    kListFiles,
    kGetFile,
    kGetFileContent,
};

/// `resultInfo` and the HTTP status. Literals. Where the contract publishes no codeId it is empty.
struct PartnerResult {
    int http_status;
    std::string_view code;
    std::string_view message;
    std::string_view code_id;
};

inline constexpr PartnerResult kPartnerSuccess{200, "SUCCESS", "Success", "08100001"};
inline constexpr PartnerResult kPartnerCreated{201, "SUCCESS", "Success", "08100001"};
inline constexpr PartnerResult kPartnerAccepted{202, "REQUEST_ACCEPTED", "Request accepted",
                                                "08100001"};
inline constexpr PartnerResult kPartnerUnauthorized{401, "UNAUTHORIZED", "Unauthorized request",
                                                    "08100016"};

// The gateway's own reasons.
namespace reason {
inline constexpr std::string_view kUnauthorized = "UNAUTHORIZED";
inline constexpr std::string_view kOutOfScope = "OUT_OF_SCOPE";
inline constexpr std::string_view kRateLimited = "RATE_LIMITED";
inline constexpr std::string_view kBodyMalformed = "BODY_MALFORMED";
inline constexpr std::string_view kFieldMissing = "FIELD_MISSING";
inline constexpr std::string_view kFieldMalformed = "FIELD_MALFORMED";
/// In the operator interface only: partners' SDKs send more than the contract knows.
inline constexpr std::string_view kFieldUnknown = "FIELD_UNKNOWN";
/// In the app and operator interfaces only: a partner signs its content type, whatever it is.
inline constexpr std::string_view kContentTypeUnsupported = "CONTENT_TYPE_UNSUPPORTED";
inline constexpr std::string_view kAuthorizationUnsupported = "AUTHORIZATION_UNSUPPORTED";
}  // namespace reason

/// The one table from a refusal to the partner's answer. `reason` is a name of
/// kessai.payment.v1.Reason, of kessai.reconciliation.v1.Reason (files) or one of those above and
/// in file_links.h; what is not listed follows from its code. A refusal that leaves open whether
/// the work was done becomes INTERNAL_SERVER_ERROR, never a failure that says it was not.
const PartnerResult& PartnerResultOf(PartnerOperation operation, const Status& refusal);

/// Every code that a refusal becomes, each once.
std::vector<std::string_view> PartnerCodes();

/// Whether the table has a row for the reason (tests hold it together with the services' lists).
bool PartnerContractNames(std::string_view reason);

}  // namespace kessai::gateway::domain
