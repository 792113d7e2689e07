// Goal: the OpenAPI document says of each operation of the partner interface every refusal that it
// can answer with, and no other.
// Method: for each operation the reasons that its handler and its method of payment have (by the
// contract in proto/) go through the table of refusals, and what the HTTP server refuses by itself
// through the interface's form of faults; the statuses and codes that come out are the document's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "domain/partner_contract.h"
#include "kessai/payment/v1/payment_service.pb.h"
#include "transport/partner_api.h"
#include "transport/public_pages.h"
#include "transport/routes.h"

namespace kessai::gateway::transport {
namespace {

using domain::PartnerOperation;
using nlohmann::json;

/// Codes by status.
using Refusals = std::map<std::string, std::set<std::string>>;

struct OperationReasons {
    PartnerOperation operation;
    std::vector<std::string> reasons;
};

/// What is refused by one operation and not by all.
const std::map<std::string, OperationReasons>& ReasonsOfOperations() {
    using O = PartnerOperation;
    static const OperationReasons kRefund{
        O::kRefundPayment,
        {"BODY_MALFORMED", "FIELD_MISSING", "FIELD_MALFORMED", "CURRENCY_UNKNOWN", "FIELD_INVALID",
         "MERCHANT_UNKNOWN", "PAYMENT_UNKNOWN", "AMOUNT_OUT_OF_RANGE", "REFUND_EXCEEDS_PAYMENT",
         "NOT_REFUNDABLE", "REFUND_WINDOW_PASSED", "MULTIPLE_REFUNDS_NOT_ALLOWED",
         "REFUND_LIMIT_EXCEEDED", "KEY_REUSED"}};
    static const std::map<std::string, OperationReasons> kReasons{
        {"v2_createDynamicQRCode",
         {O::kCreateCode,
          {"BODY_MALFORMED", "FIELD_MISSING", "FIELD_MALFORMED", "CURRENCY_UNKNOWN",
           "FIELD_INVALID", "AUTHORIZATION_UNSUPPORTED", "DUPLICATE_CODE", "PAYMENT_CANCELED",
           "MERCHANT_SUSPENDED", "MERCHANT_UNKNOWN", "AMOUNT_OUT_OF_RANGE",
           "EXPIRY_OUT_OF_RANGE"}}},
        {"v2_deleteDynamicQRCode", {O::kDeleteCode, {"CODE_UNKNOWN", "CODE_ALREADY_PAID"}}},
        {"v2_getQRPaymentDetails", {O::kGetCodePayment, {"FIELD_INVALID", "PAYMENT_UNKNOWN"}}},
        {"v2_getPaymentDetail", {O::kGetPayment, {"FIELD_INVALID", "PAYMENT_UNKNOWN"}}},
        {"v2_cancelPayment", {O::kCancelPayment, {"FIELD_INVALID", "NOT_REVERSIBLE"}}},
        {"v2_createRefundPayment", kRefund},
        {"v2_createRefundPaymentSlash", kRefund},
        {"v2_getRefundDetails", {O::kGetRefund, {"FIELD_INVALID", "REFUND_UNKNOWN"}}},
        {"v2_listFiles",
         {O::kListFiles, {"FIELD_MALFORMED", "FIELD_INVALID", "PAGE_TOKEN_INVALID"}}},
        {"v2_getFile", {O::kGetFile, {"FILE_UNKNOWN"}}},
        {"v2_getFileContent",
         {O::kGetFileContent,
          {"FILE_UNKNOWN", "FILE_EXPIRED", "FILE_OFFSET_OUT_OF_RANGE", "FILE_LINK_INVALID",
           "FILE_LINK_EXPIRED"}}},
    };
    return kReasons;
}

Refusals RefusalsOf(const OperationReasons& given, bool authenticated) {
    Refusals refusals;
    const auto add = [&](const Status& refusal) {
        const auto& result = PartnerResultOf(given.operation, refusal);
        refusals[std::to_string(result.http_status)].insert(std::string(result.code));
    };
    for (const auto& reason : given.reasons) {
        // What decides is the table: a reason without a row would follow from this code.
        EXPECT_TRUE(domain::PartnerContractNames(reason)) << reason;
        add(Status(Code::kInternal, reason, ""));
    }
    for (const char* common : {"RATE_LIMITED", "QUEUE_FULL"}) {
        add(Status(Code::kInternal, common, ""));
    }
    if (authenticated) {
        for (const char* common : {"UNAUTHORIZED", "OUT_OF_SCOPE"}) {
            add(Status(Code::kInternal, common, ""));
        }
    }
    add(Status(Code::kUnavailable, "CONNECTION_LOST", ""));
    add(Status(Code::kUnavailable, "OUTCOME_UNKNOWN", ""));
    // Before the handler, on a route that was found.
    for (const auto fault : {http::Fault::kMalformed, http::Fault::kTooSlow,
                             http::Fault::kBodyTooLarge, http::Fault::kOverloaded}) {
        const http::Response answer = PartnerFault(fault, "", "");
        refusals[std::to_string(answer.status)].insert(
            json::parse(answer.body)["resultInfo"]["code"].get<std::string>());
    }
    return refusals;
}

/// A description ends in ": CODE, CODE".
std::set<std::string> CodesIn(const std::string& description) {
    std::set<std::string> codes;
    const auto colon = description.rfind(": ");
    if (colon == std::string::npos) return codes;
    std::string rest = description.substr(colon + 2);
    for (std::size_t comma = 0; comma != std::string::npos;) {
        comma = rest.find(", ");
        codes.insert(rest.substr(0, comma));
        if (comma != std::string::npos) rest.erase(0, comma + 2);
    }
    return codes;
}

TEST(OpenApiPartnerTest, SaysEveryRefusalOfEveryOperation) {
    const json document = json::parse(OpenApiDocument());
    std::size_t operations = 0;
    for (const RouteSpec& spec : AllRoutes()) {
        if (spec.family != RouteFamily::kPartner) continue;
        ++operations;
        const auto given = ReasonsOfOperations().find(std::string(spec.name));
        ASSERT_NE(given, ReasonsOfOperations().end()) << spec.name;
        for (const auto& [method, operation] : document["paths"][std::string(spec.path)].items()) {
            if (operation["operationId"] != std::string(spec.name)) continue;
            Refusals described;
            for (const auto& [status, response] : operation["responses"].items()) {
                if (status.front() == '2') continue;
                described[status] = CodesIn(response["description"]);
                EXPECT_EQ(response["content"]["application/json"]["schema"]["$ref"],
                          "#/components/schemas/PartnerError");
            }
            EXPECT_EQ(described,
                      RefusalsOf(given->second, spec.authentication == Authentication::kPartner))
                << spec.name;
        }
    }
    EXPECT_EQ(operations, ReasonsOfOperations().size());
}

// A new reason of payment that partners can meet has to be given to its operations above.
TEST(OpenApiPartnerTest, EveryReasonOfPaymentIsSomeOperationsOrNone) {
    // Others than partners meet these, or all operations do.
    const std::set<std::string> others{"CODE_EXPIRED", "CODE_DELETED", "TOKEN_INVALID",
                                       "ROLE_NOT_ALLOWED", "QUEUE_FULL"};
    std::set<std::string> given;
    for (const auto& [name, operation] : ReasonsOfOperations()) {
        given.insert(operation.reasons.begin(), operation.reasons.end());
    }
    const auto* reasons = payment::v1::Reason_descriptor();
    for (int i = 0; i < reasons->value_count(); ++i) {
        const std::string name = reasons->value(i)->name().substr(std::string("REASON_").size());
        if (!domain::PartnerContractNames(name)) continue;
        EXPECT_NE(given.contains(name), others.contains(name)) << name;
    }
}

}  // namespace
}  // namespace kessai::gateway::transport
