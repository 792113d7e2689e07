// Goal: requests are signed as S3 checks them, whatever is in their paths, queries and headers.
// Method: the examples that AWS publishes with their signatures ("Authenticating Requests: Using
// the Authorization Header"); what they leave out, S3 of another hand verifies in moto_test.

#include "s3_signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "kessai/testing/matchers.h"
#include "s3_connection.h"
#include "sha256_sum.h"

namespace kessai::filestore {
namespace {

using ::testing::HasSubstr;
using testing::IsOkAnd;
using ::testing::Not;
using testing::Refuses;

const S3Credentials kExample{.access_key_id = "AKIAIOSFODNN7EXAMPLE",
                             .secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
constexpr Instant kExampleTime = std::chrono::sys_days(std::chrono::year(2013) / 5 / 24);

std::string Authorization(const S3Request& request, const S3Credentials& credentials = kExample) {
    for (const auto& [name, value] : Sign(request, credentials, "us-east-1", kExampleTime)) {
        if (name == "authorization") return value;
    }
    return {};
}

S3Request Example(std::string_view method, std::string path, std::string_view body = {}) {
    return {.method = method,
            .host = "examplebucket.s3.amazonaws.com",
            .path = std::move(path),
            .payload_sha256 = ToHex(Sha256Sum::Of(body))};
}

TEST(S3SignatureTest, SignsAGetWithARange) {
    S3Request request = Example("GET", "/test.txt");
    request.headers = {{"range", "bytes=0-9"}};
    EXPECT_EQ(Authorization(request),
              "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
              "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
              "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(S3SignatureTest, SignsAPutOfASpecialName) {
    S3Request request = Example("PUT", EncodePath("/test$file.text"), "Welcome to Amazon S3.");
    request.headers = {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                       {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
    EXPECT_EQ(Authorization(request),
              "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
              "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,"
              "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(S3SignatureTest, SignsAQueryWithoutAValue) {
    S3Request request = Example("GET", "/");
    request.query = {{"lifecycle", ""}};
    EXPECT_THAT(Authorization(request),
                HasSubstr("Signature="
                          "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
}

TEST(S3SignatureTest, SignsAQueryInItsOrder) {
    S3Request request = Example("GET", "/");
    request.query = {{"prefix", "J"}, {"max-keys", "2"}};
    EXPECT_THAT(Authorization(request),
                HasSubstr("Signature="
                          "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(S3SignatureTest, SignsTheTokenOfTemporaryCredentials) {
    S3Credentials temporary = kExample;
    temporary.session_token = "token/+=";
    EXPECT_THAT(Authorization(Example("GET", "/a"), temporary),
                HasSubstr("x-amz-date;x-amz-security-token,"));
    EXPECT_THAT(Authorization(Example("GET", "/a")), Not(HasSubstr("token")));
}

TEST(S3SignatureTest, EncodesEveryByteButTheUnreserved) {
    EXPECT_EQ(EncodePath("/a-._~Z09/ +%&=売"), "/a-._~Z09/%20%2B%25%26%3D%E5%A3%B2");
    EXPECT_EQ(EncodeQuery({{"uploads", ""}, {"prefix", "a/b c"}, {"a-b", "1"}, {"a", "2"}}),
              "a=2&a-b=1&prefix=a%2Fb%20c&uploads=");
}

TEST(S3CredentialsTest, AreReadAsTheAwsToolsWriteThem) {
    EXPECT_THAT(ParseCredentials("# kept by the cluster\r\n[other]\naws_access_key_id = no\n\n"
                                 "[default]\r\naws_access_key_id = AKIA\r\n"
                                 "aws_secret_access_key=a/b+c=\naws_session_token = tok==\n"
                                 "region = eu-west-1\n"),
                IsOkAnd(S3Credentials{"AKIA", "a/b+c=", "tok=="}));
    EXPECT_THAT(ParseCredentials("aws_access_key_id=A\naws_secret_access_key=B"),
                IsOkAnd(S3Credentials{"A", "B", ""}));
}

TEST(S3CredentialsTest, WhatIsMissingIsSaidAndNoSecretIs) {
    for (const char* text : {"", "[default]\naws_secret_access_key=hidden",
                             "[default]\n"
                             "aws_access_key_id=A\n[other]\naws_secret_access_key=hidden"}) {
        const auto credentials = ParseCredentials(text);
        EXPECT_THAT(credentials, Refuses(Code::kInvalidArgument, reason::kStoreDenied)) << text;
        EXPECT_THAT(std::string(credentials.status().message()), HasSubstr("aws_")) << text;
        EXPECT_THAT(std::string(credentials.status().message()), Not(HasSubstr("hidden"))) << text;
    }
}

}  // namespace
}  // namespace kessai::filestore
