// Goal: texts from outside are taken only in their documented form, and refusals become the
// contract's codes.
// Method: tables.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/credential.h"
#include "domain/partner_contract.h"
#include "domain/text_rules.h"

namespace kessai::gateway::domain {
namespace {

using namespace std::string_literals;

TEST(TextRulesTest, PartnerKeys) {
    EXPECT_TRUE(IsPartnerKey("aZ09-_"));
    EXPECT_TRUE(IsPartnerKey(std::string(64, 'x')));
    for (const std::string& text :
         {""s, std::string(65, 'x'), "a b"s, "a/b"s, "a'b"s, "日本"s, "a\0b"s, "a%20"s}) {
        EXPECT_FALSE(IsPartnerKey(text)) << text;
    }
}

TEST(TextRulesTest, CodePoints) {
    EXPECT_EQ(CodePointsOf(""), 0u);
    EXPECT_EQ(CodePointsOf("日本語\n😀"), 5u);
    for (const std::string& text :
         {"\x80"s, "\xc0\xaf"s, "\xc1\xbf"s, "\xe0\x80\xaf"s, "\xed\xa0\x80"s, "\xf0\x80\x80\x80"s,
          "\xf4\x90\x80\x80"s, "\xf5\x80\x80\x80"s, "\xe3\x81"s, "a\0b"s, "\x1b"s, "\x7f"s}) {
        EXPECT_EQ(CodePointsOf(text), std::nullopt) << text;
    }
    std::string wide;
    for (int i = 0; i < 255; ++i) wide += "😀";
    EXPECT_TRUE(IsText(wide));
    EXPECT_FALSE(IsText(wide + "x"));
    EXPECT_FALSE(IsText(std::string(1'000'000, 'x')));
}

TEST(TextRulesTest, Ids) {
    EXPECT_EQ(ParseId("1"), 1);
    EXPECT_EQ(ParseId("9223372036854775807"), INT64_MAX);
    for (const char* text :
         {"", "0", "-1", "+1", "01", "1 ", "1e3", "1.0", "9223372036854775808", "0x1", "１"}) {
        EXPECT_EQ(ParseId(text), std::nullopt) << text;
    }
    EXPECT_TRUE(IsCodeId("04-0123456789abcdEF"));
    for (const char* text : {"", "04-", "04-0123456789abcdE", "04-0123456789abcdEFg",
                             "05-0123456789abcdEF", "04-0123456789abcd-F"}) {
        EXPECT_FALSE(IsCodeId(text)) << text;
    }
}

TEST(PartnerContractTest, RefusalsBecomeTheContractsCodes) {
    struct Case {
        PartnerOperation operation;
        Status refusal;
        int status;
        const char* code;
        const char* code_id;
    };
    using Op = PartnerOperation;
    const auto refusal = [](Code code, const char* reason) {
        return Status(code, reason, "detail");
    };
    for (const auto& given : std::initializer_list<Case>{
             {Op::kCreateCode, refusal(Code::kAlreadyExists, "DUPLICATE_CODE"), 400,
              "DUPLICATE_DYNAMIC_QR_REQUEST", "01652073"},
             {Op::kDeleteCode, refusal(Code::kNotFound, "CODE_UNKNOWN"), 404,
              "DYNAMIC_QR_NOT_FOUND", "01652072"},
             {Op::kDeleteCode, refusal(Code::kFailedPrecondition, "CODE_ALREADY_PAID"), 400,
              "DYNAMIC_QR_ALREADY_PAID", "01652074"},
             {Op::kGetCodePayment, refusal(Code::kNotFound, "PAYMENT_UNKNOWN"), 400,
              "DYNAMIC_QR_PAYMENT_NOT_FOUND", "01652075"},
             {Op::kGetPayment, refusal(Code::kNotFound, "PAYMENT_UNKNOWN"), 404,
              "RESOURCE_NOT_FOUND", "00200001"},
             {Op::kCancelPayment, refusal(Code::kFailedPrecondition, "NOT_REVERSIBLE"), 400,
              "ORDER_NOT_REVERSIBLE", "00200044"},
             {Op::kRefundPayment, refusal(Code::kInvalidArgument, "REFUND_EXCEEDS_PAYMENT"), 400,
              "INVALID_PARAMS", "00200015"},
             {Op::kGetRefund, refusal(Code::kNotFound, "REFUND_UNKNOWN"), 404,
              "NO_SUCH_REFUND_ORDER", "00200018"},
             {Op::kRefundPayment,
              refusal(Code::kFailedPrecondition, "MULTIPLE_REFUNDS_NOT_ALLOWED"), 403,
              "MERCHANT_MULTIPLE_REFUND_REJECTED", ""},
             {Op::kAny, refusal(Code::kUnauthenticated, "UNAUTHORIZED"), 401, "UNAUTHORIZED",
              "08100016"},
             {Op::kAny, refusal(Code::kPermissionDenied, "OUT_OF_SCOPE"), 401, "OP_OUT_OF_SCOPE",
              "08100023"},
             {Op::kAny, refusal(Code::kResourceExhausted, "RATE_LIMITED"), 429, "RATE_LIMIT",
              "08100998"},
             // What nobody listed follows from its code, and an unknown outcome is no failure.
             {Op::kCreateCode, refusal(Code::kUnavailable, "CONNECTION_LOST"), 500, "SERVICE_ERROR",
              "08100026"},
             {Op::kCreateCode, refusal(Code::kUnavailable, "OUTCOME_UNKNOWN"), 500,
              "INTERNAL_SERVER_ERROR", "08101000"},
             {Op::kCreateCode, refusal(Code::kDeadlineExceeded, "X"), 500, "INTERNAL_SERVER_ERROR",
              "08101000"},
             {Op::kCreateCode, refusal(Code::kUnknown, "COMMIT_UNKNOWN"), 500,
              "INTERNAL_SERVER_ERROR", "08101000"},
             {Op::kCreateCode, refusal(Code::kInvalidArgument, "NEW_REASON"), 400,
              "INVALID_REQUEST_PARAMS", "08100006"},
         }) {
        const PartnerResult& result = PartnerResultOf(given.operation, given.refusal);
        EXPECT_EQ(result.http_status, given.status) << given.refusal.ToString();
        EXPECT_EQ(result.code, given.code) << given.refusal.ToString();
        EXPECT_EQ(result.code_id, given.code_id) << given.refusal.ToString();
        EXPECT_FALSE(result.message.empty());
    }
    EXPECT_EQ(kPartnerUnauthorized.message, "Unauthorized request");
}

TEST(ApiCredentialTest, SaysWhatItMayDo) {
    ApiCredential credential;
    credential.merchant_id = 1;
    credential.assumable_merchant_ids = {2};
    credential.scopes = {"codes"};
    EXPECT_TRUE(credential.MayActFor(1));
    EXPECT_TRUE(credential.MayActFor(2));
    EXPECT_FALSE(credential.MayActFor(3));
    EXPECT_TRUE(credential.HasScope("codes"));
    EXPECT_FALSE(credential.HasScope("refunds"));
    const auto client = *net::IpAddress::Parse("192.0.2.7");
    EXPECT_TRUE(credential.AllowsClient(client));
    credential.allowed_networks = {*net::IpNetwork::Parse("198.51.100.0/24")};
    EXPECT_FALSE(credential.AllowsClient(client));
    credential.allowed_networks.push_back(*net::IpNetwork::Parse("192.0.2.0/29"));
    EXPECT_TRUE(credential.AllowsClient(client));
}

}  // namespace
}  // namespace kessai::gateway::domain
