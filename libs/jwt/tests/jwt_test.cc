// Goal: a token is taken only when the issuer's key signed exactly it, for us, for now.
// Method: the examples of RFC 7515 (appendix A.2, A.3) and RFC 7638, tokens of our own signer, and
// every single character of one changed.

#include "kessai/jwt/jwt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <nlohmann/json.hpp>

#include "kessai/testing/matchers.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::jwt {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::IsOk;
using testing::Refuses;

const Instant kNow = FromMicros(1'795'000'000'000'000);

std::int64_t Seconds(Instant instant) {
    return ToMicros(instant) / 1'000'000;
}

class JwtTest : public ::testing::Test {
 protected:
    JwtTest() : signer_(*Signer::Generate()), keys_(*KeySet::Parse(signer_.Jwks())) {}

    json Fine() const {
        return {{"iss", "https://issuer"},
                {"aud", "kessai-app"},
                {"sub", "user-1"},
                {"iat", Seconds(kNow)},
                {"exp", Seconds(kNow + 1h)}};
    }
    Result<Claims> Verify(const std::string& token) const {
        return Verifier::Verify(token, keys_, {"https://issuer", "kessai-app", 30s, 24h}, kNow);
    }
    Result<Claims> VerifyClaims(const json& claims) const {
        return Verify(signer_.Sign(claims.dump()));
    }
    Status Refusal(const json& claims) const { return VerifyClaims(claims).status(); }

    Signer signer_;
    KeySet keys_;
};

TEST_F(JwtTest, TakesAGoodToken) {
    auto claims = Fine();
    claims["roles"] = {"finance", "sre", 5};
    claims["aud"] = {"other", "kessai-app"};
    ASSERT_OK_AND_ASSIGN(auto verified, VerifyClaims(claims));
    EXPECT_EQ(verified.subject, "user-1");
    EXPECT_EQ(verified.issuer, "https://issuer");
    EXPECT_EQ(verified.expires_at, kNow + 1h);
    EXPECT_THAT(verified.roles, ::testing::ElementsAre("finance", "sre"));
}

TEST_F(JwtTest, RefusesWhatIsNotForUsOrNotForNow) {
    const auto with = [&](const char* name, const json& value) {
        auto claims = Fine();
        claims[name] = value;
        return Refusal(claims);
    };
    const auto without = [&](const char* name) {
        auto claims = Fine();
        claims.erase(name);
        return Refusal(claims);
    };
    const auto k = Code::kUnauthenticated;
    EXPECT_THAT(with("iss", "https://other"), Refuses(k, "TOKEN_NOT_FOR_US"));
    EXPECT_THAT(with("aud", "kessai-operator"), Refuses(k, "TOKEN_NOT_FOR_US"));
    EXPECT_THAT(without("aud"), Refuses(k, "TOKEN_NOT_FOR_US"));
    EXPECT_THAT(without("iss"), Refuses(k, "TOKEN_NOT_FOR_US"));
    EXPECT_THAT(without("sub"), Refuses(k, "TOKEN_MALFORMED"));
    EXPECT_THAT(with("sub", std::string(256, 'x')), Refuses(k, "TOKEN_MALFORMED"));
    EXPECT_THAT(with("sub", 5), Refuses(k, "TOKEN_MALFORMED"));
    EXPECT_THAT(without("exp"), Refuses(k, "TOKEN_MALFORMED"));
    EXPECT_THAT(with("exp", "soon"), Refuses(k, "TOKEN_MALFORMED"));
    EXPECT_THAT(with("exp", -5), Refuses(k, "TOKEN_MALFORMED"));
    EXPECT_THAT(with("exp", 1e300), Refuses(k, "TOKEN_MALFORMED"));
    EXPECT_THAT(with("exp", Seconds(kNow + 25h)), Refuses(k, "TOKEN_MALFORMED"));
    EXPECT_THAT(with("exp", Seconds(kNow - 31s)), Refuses(k, "TOKEN_EXPIRED"));
    EXPECT_THAT(with("exp", Seconds(kNow - 29s)), IsOk());
    EXPECT_THAT(with("nbf", Seconds(kNow + 31s)), Refuses(k, "TOKEN_NOT_YET_VALID"));
    EXPECT_THAT(with("iat", Seconds(kNow + 31s)), Refuses(k, "TOKEN_NOT_YET_VALID"));
    EXPECT_THAT(without("iat"), IsOk());
}

TEST_F(JwtTest, EveryCharacterCounts) {
    const std::string token = signer_.Sign(Fine().dump());
    ASSERT_THAT(Verify(token), IsOk());
    for (std::size_t i = 0; i < token.size(); ++i) {
        std::string changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(Verify(changed).ok()) << i;
        changed = token;
        changed.erase(i, 1);
        EXPECT_FALSE(Verify(changed).ok()) << i;
    }
    EXPECT_FALSE(Verify(token + "A").ok());
    EXPECT_FALSE(Verify(token + ".A").ok());
    EXPECT_FALSE(Verify(token + "=").ok());
    EXPECT_FALSE(Verify("").ok());
    EXPECT_FALSE(Verify("..").ok());
    EXPECT_FALSE(Verify(std::string(9'000, 'A')).ok());
}

TEST_F(JwtTest, TheTokenDoesNotChooseItsAlgorithm) {
    const std::string body = Base64UrlEncode(Fine().dump());
    const auto token = [&](const std::string& header, const std::string& signature) {
        return Verify(Base64UrlEncode(header) + "." + body + "." + signature);
    };
    const std::string kid = signer_.key_id();
    const auto k = Code::kUnauthenticated;
    EXPECT_THAT(token(R"({"alg":"none","kid":")" + kid + "\"}", ""), Refuses(k, "TOKEN_MALFORMED"));
    EXPECT_THAT(token(R"({"alg":"HS256","kid":")" + kid + "\"}", std::string(43, 'A')),
                Refuses(k, "TOKEN_MALFORMED"));
    // RS256 over an EC key: no such key.
    EXPECT_THAT(token(R"({"alg":"RS256","kid":")" + kid + "\"}", std::string(342, 'A')),
                Refuses(k, "TOKEN_KEY_UNKNOWN"));
    EXPECT_THAT(token(R"({"alg":"ES256","crit":["exp"],"kid":")" + kid + "\"}", ""),
                Refuses(k, "TOKEN_MALFORMED"));
    EXPECT_THAT(
        token(R"({"alg":"ES256","kid":")" + kid + "\"}", Base64UrlEncode(std::string(64, 0))),
        Refuses(k, "TOKEN_SIGNATURE_WRONG"));
    EXPECT_THAT(token("[]", ""), Refuses(k, "TOKEN_MALFORMED"));
}

TEST_F(JwtTest, AnotherKeyIsUnknown) {
    auto other = Signer::Generate();
    EXPECT_THAT(Verify(other->Sign(Fine().dump())),
                Refuses(Code::kUnauthenticated, "TOKEN_KEY_UNKNOWN"));
    EXPECT_THAT(Verifier::Verify(signer_.Sign(Fine().dump()), KeySet(), {}, kNow),
                Refuses(Code::kUnauthenticated, "TOKEN_KEY_UNKNOWN"));
    EXPECT_TRUE(keys_.Has(signer_.key_id()));
    EXPECT_FALSE(keys_.Has(other->key_id()));
}

TEST(JwtVectorTest, VerifiesTheExamplesOfRfc7515) {
    // Their claims are for "joe" and without an audience, so they get as far as that and no
    // further.
    const auto keys = KeySet::Parse(
        R"({"keys":[{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"},)"
        R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})");
    ASSERT_THAT(keys, IsOk());
    EXPECT_EQ(keys->size(), 2u);
    const std::string payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cn"
        "VlfQ";
    const std::string rs256 = "eyJhbGciOiJSUzI1NiJ9." + payload +
                              ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__"
                              "dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
                              "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
                              "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L"
                              "07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
                              "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEU"
                              "ipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    const std::string es256 =
        "eyJhbGciOiJFUzI1NiJ9." + payload +
        ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    const Instant now = FromMicros(1'300'819'000'000'000);
    for (const auto& token : {rs256, es256}) {
        EXPECT_THAT(Verifier::Verify(token, *keys, {"joe", "us", 30s, 24h}, now),
                    Refuses(Code::kUnauthenticated, "TOKEN_NOT_FOR_US"));
        std::string changed = token;
        changed[token.size() - 20] = changed[token.size() - 20] == 'A' ? 'B' : 'A';
        EXPECT_THAT(Verifier::Verify(changed, *keys, {"joe", "us", 30s, 24h}, now),
                    Refuses(Code::kUnauthenticated, "TOKEN_SIGNATURE_WRONG"));
    }
}

TEST(KeySetTest, RefusesWhatIsNone) {
    for (
        const char* text :
        {"", "[]", "{}", R"({"keys":5})", R"({"keys":[]})", R"({"keys":[5]})",
         R"({"keys":[{"kty":"oct","k":"AAAA"}]})",
         R"({"keys":[{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}]})",
         // a point that is not on the curve
         R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}]})",
         R"({"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]})"}) {
        EXPECT_THAT(KeySet::Parse(text), Refuses(Code::kInvalidArgument, "KEY_SET_MALFORMED"))
            << text;
    }
}

TEST(SignerTest, ReadsItsKeyFromAFile) {
    testing::TempDir directory;
    EVP_PKEY* key = EVP_EC_gen("P-256");
    const std::string path = directory.Path("key.pem");
    std::FILE* file = std::fopen(path.c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    EVP_PKEY_free(key);
    auto first = Signer::FromFile(path);
    auto second = Signer::FromFile(path);
    ASSERT_THAT(first, IsOk());
    EXPECT_EQ(first->Jwks(), second->Jwks());
    EXPECT_EQ(first->key_id().size(), 43u);
    EXPECT_THAT(Signer::FromFile("/nonexistent"),
                Refuses(Code::kFailedPrecondition, "KEY_FILE_UNUSABLE"));
    EXPECT_THAT(Signer::FromFile(directory.Write("bad.pem", "nonsense")),
                Refuses(Code::kFailedPrecondition, "KEY_FILE_UNUSABLE"));
}

TEST(Base64UrlTest, GoesBothWays) {
    for (const std::string& text : {std::string(), std::string("f"), std::string("fo"),
                                    std::string("foo"), std::string("\xff\xfe\xfd\x00", 4)}) {
        std::string back;
        EXPECT_TRUE(Base64UrlDecode(Base64UrlEncode(text), back));
        EXPECT_EQ(back, text);
    }
    EXPECT_EQ(Base64UrlEncode("\xfb\xff"), "-_8");
    std::string bytes;
    for (const char* bad : {"A", "AA=", "A+", "AB", "A A", "AAAAA"}) {
        EXPECT_FALSE(Base64UrlDecode(bad, bytes)) << bad;
    }
}

}  // namespace
}  // namespace kessai::jwt
