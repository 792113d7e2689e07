// Goal: requests that the contract calls rightly signed are verified, and no others.
// Method: the contract's three vectors, and each part of a signed request changed in turn.

#include "domain/opa_signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kessai::gateway::domain {
namespace {

struct Vector {
    const char* name;
    const char* key;
    const char* secret;
    SignedRequest request;
    const char* nonce;
    std::int64_t epoch_s;
    const char* body_hash;
    const char* mac;
};

const Vector kVectors[] = {
    {"documentation",
     "APIKeyGenerated",
     "APIKeySecretGenerated",
     {"/v2/codes", "POST", "application/json;charset=UTF-8;",
      R"({"sampleRequestBodyKey1":"sampleRequestBodyValue1","sampleRequestBodyKey2":"sampleRequestBodyValue2"})"},
     "acd028",
     1'579'843'452,
     "1j0FnY4flNp5CtIKa7x9MQ==",
     "NW1jKIMnzR7tEhMWtcJcaef+nFVBt7jjAGcVuxHhchc="},
    {"question and answer, with a body",
     "sample_key",
     "sample_secret",
     {"/v2/codes", "POST", "application/json",
      "{\n"
      "    \"merchantPaymentId\": \"TEST_QR_Payment\",\n"
      "    \"amount\": {\n"
      "        \"amount\":10,\n"
      "        \"currency\": \"JPY\"\n"
      "    },\n"
      "    \"codeType\": \"ORDER_QR\",\n"
      "    \"isAuthorization\":false,\n"
      "    \"redirectUrl\":\"https://about.paypay.ne.jp/\",\n"
      "    \"redirectType\":\"WEB_LINK\"\n"
      "}"},
     "fedaa4",
     1'743'138'611,
     "T9wzkv1tUWIxzIHQUT7iDQ==",
     "C2a7jD7OjL1DXnZhSYQfRI2Oxfdh43htV7pG8cwgCy4="},
    {"question and answer, without a body",
     "sample_key",
     "sample_secret",
     {"/v2/payments/TEST_merchantPaymentID", "GET", "application/json;charset=UTF-8", ""},
     "a360e2",
     1'743'139'337,
     "empty",
     "JbUZwAUKeQ+WDClEjkCGwYG/juFR+Dd5RK5AfL0gK9w="},
};

TEST(OpaSignatureTest, MatchesTheContractsVectors) {
    for (const auto& vector : kVectors) {
        const OpaKey key(vector.secret);
        EXPECT_EQ(OpaBodyHash(vector.request.content_type, vector.request.body), vector.body_hash)
            << vector.name;
        const std::string header =
            MakeOpaAuthorization(key, vector.key, vector.request, vector.nonce, vector.epoch_s);
        EXPECT_EQ(header, "hmac OPA-Auth:" + std::string(vector.key) + ":" + vector.mac + ":" +
                              vector.nonce + ":" + std::to_string(vector.epoch_s) + ":" +
                              vector.body_hash);
        const auto parsed = ParseOpaAuthorization(header);
        ASSERT_TRUE(parsed) << vector.name;
        EXPECT_EQ(parsed->api_key, vector.key);
        EXPECT_EQ(parsed->epoch_s, vector.epoch_s);
        EXPECT_TRUE(key.Verify(vector.request, *parsed)) << vector.name;
        EXPECT_TRUE(key.Verify(vector.request, *parsed)) << "a second time";
        EXPECT_FALSE(OpaKey("another secret").Verify(vector.request, *parsed));
    }
}

TEST(OpaSignatureTest, EveryPartIsSigned) {
    const OpaKey key("secret");
    const SignedRequest request{"/v2/codes", "POST", "application/json", R"({"a":1})"};
    const std::string header = MakeOpaAuthorization(key, "key", request, "nonce", 1'000);
    const auto parsed = ParseOpaAuthorization(header);
    ASSERT_TRUE(parsed && key.Verify(request, *parsed));
    const auto verify = [&](const SignedRequest& changed) { return key.Verify(changed, *parsed); };
    EXPECT_FALSE(verify({"/v2/codes/", "POST", "application/json", R"({"a":1})"}));
    EXPECT_FALSE(verify({"/v2/codes", "PUT", "application/json", R"({"a":1})"}));
    EXPECT_FALSE(verify({"/v2/codes", "POST", "application/json;charset=UTF-8", R"({"a":1})"}));
    EXPECT_FALSE(verify({"/v2/codes", "POST", "application/json", R"({"a": 1})"}));
    EXPECT_FALSE(verify({"/v2/codes", "POST", "application/json", ""}));
    const auto with = [&](auto change) {
        OpaAuthorization changed = *parsed;
        change(changed);
        return key.Verify(request, changed);
    };
    EXPECT_FALSE(with([](auto& a) { a.nonce = "other"; }));
    EXPECT_FALSE(with([](auto& a) { a.epoch_text = "1001"; }));
    EXPECT_FALSE(with([](auto& a) { a.epoch_text = "01000"; }));
    EXPECT_FALSE(with([](auto& a) { a.body_hash = "empty"; }));
    EXPECT_FALSE(with([](auto& a) { a.mac = a.mac.substr(1); }));
}

TEST(OpaSignatureTest, WithoutABodyTheTypeIsIgnored) {
    const OpaKey key("secret");
    const SignedRequest without{"/v2/payments/a", "GET", "", ""};
    const SignedRequest with{"/v2/payments/a", "GET", "application/json;charset=UTF-8", ""};
    const auto header = MakeOpaAuthorization(key, "key", without, "n", 1);
    EXPECT_EQ(header, MakeOpaAuthorization(key, "key", with, "n", 1));
    EXPECT_TRUE(key.Verify(with, *ParseOpaAuthorization(header)));
}

TEST(OpaSignatureTest, ReadsOnlyTheDocumentedForm) {
    for (const char* header :
         {"", "hmac", "hmac OPA-Auth:", "hmac OPA-Auth:a:b:c:1", "hmac OPA-Auth:a:b:c:1:d:e",
          "hmac OPA-Auth:a:b:c:x:d", "hmac OPA-Auth:a:b:c:1x:d", "hmac OPA-Auth:a:b:c: 1:d",
          "hmac OPA-Auth::b:c:1:d", "hmac OPA-Auth:a:b::1:d",
          "hmac OPA-Auth:a:b:c:1:", "HMAC OPA-Auth:a:b:c:1:d", "hmac OPA:a:b:c:1:d",
          "Bearer a:b:c:1:d", "hmac OPA-Auth:a:b:c:99999999999999999999:d"}) {
        EXPECT_FALSE(ParseOpaAuthorization(header)) << header;
    }
    const auto negative = ParseOpaAuthorization("hmac OPA-Auth:a:b:c:-5:d");
    ASSERT_TRUE(negative);
    EXPECT_EQ(negative->epoch_s, -5);
}

TEST(OpaSignatureTest, TheWindowIsBelowTwoMinutes) {
    const Instant now = FromMicros(1'700'000'000'500'000);
    EXPECT_TRUE(IsWithinOpaWindow(1'700'000'000 - 119, now));
    EXPECT_FALSE(IsWithinOpaWindow(1'700'000'000 - 120, now));
    EXPECT_TRUE(IsWithinOpaWindow(1'700'000'000 + 120, now));  // 119.5 s ahead
    EXPECT_FALSE(IsWithinOpaWindow(1'700'000'000 + 121, now));
    const Instant whole = FromMicros(1'700'000'000'000'000);
    EXPECT_FALSE(IsWithinOpaWindow(1'700'000'000 + 120, whole));
    EXPECT_FALSE(IsWithinOpaWindow(1'700'000'000 - 120, whole));
    EXPECT_FALSE(IsWithinOpaWindow(INT64_MAX, now));
    EXPECT_FALSE(IsWithinOpaWindow(INT64_MIN, now));
}

// Goal: what base64 is, as section 4 of RFC 4648 has it; its test vectors are section 10's.
TEST(Base64Test, IsReadStrictly) {
    const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                           {"Zg==", "f"},
                                                           {"Zm8=", "fo"},
                                                           {"Zm9v", "foo"},
                                                           {"Zm9vYg==", "foob"},
                                                           {"Zm9vYmE=", "fooba"},
                                                           {"Zm9vYmFy", "foobar"}};
    for (const auto& [text, bytes] : vectors) {
        EXPECT_EQ(Base64Decode(text), bytes);
        EXPECT_EQ(Base64Encode(bytes), text);
    }
    EXPECT_EQ(Base64Decode("AAAA"), std::string(3, '\0'));
    for (const char* text : {"Zg", "Zg=", "Zg===", "=", "====", "Zh==", "Zm9=", "Z===", "Zg==Zg==",
                             " Zg=", "Zg==\n", "Zm-v", "Zm9v ", "Zm 9v"}) {
        EXPECT_EQ(Base64Decode(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace kessai::gateway::domain
