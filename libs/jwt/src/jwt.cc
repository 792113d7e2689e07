#include "kessai/jwt/jwt.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace kessai::jwt {

namespace {

using nlohmann::json;

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kCoordinateBytes = 32;  // P-256

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using OwnedKey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using OwnedContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using OwnedDigest = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using OwnedSignature = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;
using OwnedNumber = std::unique_ptr<BIGNUM, Deleter<BN_free>>;

const unsigned char* Unsigned(const char* bytes) {
    return reinterpret_cast<const unsigned char*>(bytes);
}

Status Malformed(const char* why) {
    return {Code::kUnauthenticated, "TOKEN_MALFORMED", why};
}

OwnedKey MakeKey(const char* type, OSSL_PARAM_BLD* builder) {
    EVP_PKEY* key = nullptr;
    OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(builder);
    const OwnedContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    if (parameters != nullptr && context && EVP_PKEY_fromdata_init(context.get()) == 1) {
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters);
    }
    OSSL_PARAM_free(parameters);
    ERR_clear_error();
    return OwnedKey(key);
}

OwnedKey EcKey(const std::string& x, const std::string& y) {
    if (x.size() != kCoordinateBytes || y.size() != kCoordinateBytes) return nullptr;
    const std::string point = "\x04" + x + y;
    std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD_free>> builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                     point.size());
    return MakeKey("EC", builder.get());
}

OwnedKey RsaKey(const std::string& n, const std::string& e) {
    if (n.size() < 256 || n.size() > 1'024 || e.empty() || e.size() > 8) return nullptr;
    const OwnedNumber modulus(BN_bin2bn(Unsigned(n.data()), static_cast<int>(n.size()), nullptr));
    const OwnedNumber exponent(BN_bin2bn(Unsigned(e.data()), static_cast<int>(e.size()), nullptr));
    std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD_free>> builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
    OwnedKey key = MakeKey("RSA", builder.get());
    return key && EVP_PKEY_get_bits(key.get()) >= 2'048 ? std::move(key) : nullptr;
}

std::string TextOf(const json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Seconds since 1970, whole or not, within what an Instant holds.
std::optional<Instant> TimeOf(const json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_number()) return std::nullopt;
    const double seconds = found->get<double>();
    if (!(seconds >= 0 && seconds < 1e11)) return std::nullopt;
    return FromMicros(static_cast<std::int64_t>(seconds * 1e6));
}

bool HasAudience(const json& claims, const std::string& wanted) {
    const auto found = claims.find("aud");
    if (found == claims.end()) return false;
    if (found->is_string()) return found->get_ref<const std::string&>() == wanted;
    if (!found->is_array()) return false;
    for (const auto& entry : *found) {
        if (entry.is_string() && entry.get_ref<const std::string&>() == wanted) return true;
    }
    return false;
}

/// The two numbers side by side (RFC 7518 section 3.4) as the DER that OpenSSL wants.
std::string DerOf(std::string_view raw) {
    const OwnedSignature signature(ECDSA_SIG_new());
    BIGNUM* r = BN_bin2bn(Unsigned(raw.data()), kCoordinateBytes, nullptr);
    BIGNUM* s = BN_bin2bn(Unsigned(raw.data()) + kCoordinateBytes, kCoordinateBytes, nullptr);
    ECDSA_SIG_set0(signature.get(), r, s);
    std::array<unsigned char, 80> der;
    unsigned char* at = der.data();
    const int size = i2d_ECDSA_SIG(signature.get(), &at);
    return size > 0
               ? std::string(reinterpret_cast<char*>(der.data()), static_cast<std::size_t>(size))
               : std::string();
}

std::string Sha256(std::string_view bytes) {
    std::string digest(32, 0);
    std::size_t size = 0;
    EVP_Q_digest(nullptr, "SHA256", nullptr, bytes.data(), bytes.size(),
                 reinterpret_cast<unsigned char*>(digest.data()), &size);
    return digest;
}

}  // namespace

std::string Base64UrlEncode(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : bytes) {
        bits = bits << 8 | static_cast<unsigned char>(c);
        count += 8;
        while (count >= 6) {
            count -= 6;
            text.push_back(kAlphabet[(bits >> count) & 63]);
        }
    }
    if (count > 0) text.push_back(kAlphabet[(bits << (6 - count)) & 63]);
    return text;
}

bool Base64UrlDecode(std::string_view text, std::string& bytes) {
    static constexpr auto kValues = [] {
        std::array<signed char, 256> values{};
        values.fill(-1);
        for (int i = 0; i < 64; ++i) {
            values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<signed char>(i);
        }
        return values;
    }();
    bytes.clear();
    if (text.size() % 4 == 1) return false;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const int value = kValues[static_cast<unsigned char>(c)];
        if (value < 0) return false;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes.push_back(static_cast<char>(bits >> count & 0xff));
        }
    }
    return (bits & ((1U << count) - 1)) == 0;
}

struct KeySet::Key {
    std::string id;
    bool is_ec = false;
    std::shared_ptr<EVP_PKEY> key;
};

std::size_t KeySet::size() const {
    return keys_ ? keys_->size() : 0;
}

bool KeySet::Has(std::string_view key_id) const {
    if (!keys_) return false;
    for (const auto& key : *keys_) {
        if (key.id == key_id) return true;
    }
    return false;
}

Result<KeySet> KeySet::Parse(std::string_view jwks_json) {
    constexpr std::size_t kKeysMax = 64;
    const Status malformed(Code::kInvalidArgument, "KEY_SET_MALFORMED",
                           "not a JWKS with an ES256 or RS256 key");
    const json document = json::parse(jwks_json, nullptr, false);
    if (!document.is_object()) return malformed;
    const auto list = document.find("keys");
    if (list == document.end() || !list->is_array() || list->size() > kKeysMax) return malformed;
    auto keys = std::make_shared<std::vector<Key>>();
    for (const auto& entry : *list) {
        if (!entry.is_object()) return malformed;
        if (const auto use = TextOf(entry, "use"); !use.empty() && use != "sig") continue;
        const std::string type = TextOf(entry, "kty");
        const std::string algorithm = TextOf(entry, "alg");
        Key key;
        key.id = TextOf(entry, "kid");
        OwnedKey made;
        std::string first;
        std::string second;
        if (type == "EC" && TextOf(entry, "crv") == "P-256" &&
            (algorithm.empty() || algorithm == "ES256") &&
            Base64UrlDecode(TextOf(entry, "x"), first) &&
            Base64UrlDecode(TextOf(entry, "y"), second)) {
            made = EcKey(first, second);
            key.is_ec = true;
        } else if (type == "RSA" && (algorithm.empty() || algorithm == "RS256") &&
                   Base64UrlDecode(TextOf(entry, "n"), first) &&
                   Base64UrlDecode(TextOf(entry, "e"), second)) {
            made = RsaKey(first, second);
        }
        if (!made) continue;
        key.key = std::shared_ptr<EVP_PKEY>(made.release(), EVP_PKEY_free);
        keys->push_back(std::move(key));
    }
    if (keys->empty()) return malformed;
    KeySet set;
    set.keys_ = std::move(keys);
    return set;
}

Result<Claims> Verifier::Verify(std::string_view token, const KeySet& keys,
                                const Expectation& expected, Instant now) {
    if (token.size() > kTokenBytesMax) return Malformed("too long");
    const auto first_dot = token.find('.');
    const auto second_dot =
        first_dot == std::string_view::npos ? first_dot : token.find('.', first_dot + 1);
    if (second_dot == std::string_view::npos ||
        token.find('.', second_dot + 1) != std::string_view::npos) {
        return Malformed("not three parts");
    }
    std::string header_text;
    std::string claims_text;
    std::string signature;
    if (!Base64UrlDecode(token.substr(0, first_dot), header_text) ||
        !Base64UrlDecode(token.substr(first_dot + 1, second_dot - first_dot - 1), claims_text) ||
        !Base64UrlDecode(token.substr(second_dot + 1), signature)) {
        return Malformed("not base64url");
    }
    const json header = json::parse(header_text, nullptr, false);
    if (!header.is_object()) return Malformed("its header is no object");
    // Extensions that must be understood (RFC 7515 section 4.1.11): none is.
    if (header.contains("crit")) return Malformed("it wants extensions");
    const std::string algorithm = TextOf(header, "alg");
    const bool is_ec = algorithm == "ES256";
    if (!is_ec && algorithm != "RS256") return Malformed("another algorithm");

    const std::string key_id = TextOf(header, "kid");
    const KeySet::Key* key = nullptr;
    if (keys.keys_) {
        for (const auto& candidate : *keys.keys_) {
            if (candidate.is_ec == is_ec && candidate.id == key_id) key = &candidate;
        }
    }
    if (key == nullptr) {
        return Status(Code::kUnauthenticated, "TOKEN_KEY_UNKNOWN", "no key of that id");
    }

    const Status wrong(Code::kUnauthenticated, "TOKEN_SIGNATURE_WRONG", "the signature is wrong");
    if (is_ec) {
        if (signature.size() != 2 * kCoordinateBytes) return wrong;
        signature = DerOf(signature);
    }
    const OwnedDigest digest(EVP_MD_CTX_new());
    const std::string_view signed_part = token.substr(0, second_dot);
    const bool right =
        EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key->key.get()) == 1 &&
        EVP_DigestVerify(digest.get(), Unsigned(signature.data()), signature.size(),
                         Unsigned(signed_part.data()), signed_part.size()) == 1;
    ERR_clear_error();
    if (!right) return wrong;

    const json body = json::parse(claims_text, nullptr, false);
    if (!body.is_object()) return Malformed("its claims are no object");
    Claims claims;
    claims.issuer = TextOf(body, "iss");
    claims.subject = TextOf(body, "sub");
    if (claims.issuer != expected.issuer || !HasAudience(body, expected.audience)) {
        return Status(Code::kUnauthenticated, "TOKEN_NOT_FOR_US", "another issuer or audience");
    }
    if (claims.subject.empty() || claims.subject.size() > 255) return Malformed("no subject");
    const auto expires_at = TimeOf(body, "exp");
    if (!expires_at) return Malformed("no expiry");
    claims.expires_at = *expires_at;
    if (now >= claims.expires_at + expected.leeway) {
        return Status(Code::kUnauthenticated, "TOKEN_EXPIRED", "the token has expired");
    }
    if (claims.expires_at - now > expected.life_max + expected.leeway) {
        return Malformed("it lives too long");
    }
    const auto not_before = TimeOf(body, "nbf");
    const auto issued_at = TimeOf(body, "iat");
    if ((not_before && *not_before > now + expected.leeway) ||
        (issued_at && *issued_at > now + expected.leeway)) {
        return Status(Code::kUnauthenticated, "TOKEN_NOT_YET_VALID", "the token is of the future");
    }
    claims.issued_at = issued_at.value_or(Instant{});
    if (const auto roles = body.find("roles"); roles != body.end()) {
        if (roles->is_string()) claims.roles.push_back(roles->get<std::string>());
        if (roles->is_array()) {
            for (const auto& role : *roles) {
                if (role.is_string()) claims.roles.push_back(role.get<std::string>());
            }
        }
    }
    return claims;
}

Result<Signer> Signer::Of(EVP_PKEY* key) {
    const Status unusable(Code::kFailedPrecondition, "KEY_FILE_UNUSABLE", "no P-256 private key");
    OwnedKey owned(key);
    std::array<char, 32> group{};
    std::array<unsigned char, 80> point;
    std::size_t size = 0;
    if (!owned ||
        EVP_PKEY_get_utf8_string_param(owned.get(), OSSL_PKEY_PARAM_GROUP_NAME, group.data(),
                                       group.size(), nullptr) != 1 ||
        std::string_view(group.data()) != "prime256v1" ||
        EVP_PKEY_set_utf8_string_param(owned.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                       "uncompressed") != 1 ||
        EVP_PKEY_get_octet_string_param(owned.get(), OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                        point.data(), point.size(), &size) != 1 ||
        size != 1 + 2 * kCoordinateBytes) {
        ERR_clear_error();
        return unusable;
    }
    Signer signer;
    const auto* bytes = reinterpret_cast<const char*>(point.data()) + 1;
    signer.x_ = Base64UrlEncode({bytes, kCoordinateBytes});
    signer.y_ = Base64UrlEncode({bytes + kCoordinateBytes, kCoordinateBytes});
    signer.key_id_ = Base64UrlEncode(Sha256(R"({"crv":"P-256","kty":"EC","x":")" + signer.x_ +
                                            R"(","y":")" + signer.y_ + "\"}"));
    signer.key_ = std::shared_ptr<EVP_PKEY>(owned.release(), EVP_PKEY_free);
    return signer;
}

Result<Signer> Signer::Generate() {
    return Of(EVP_EC_gen("P-256"));
}

Result<Signer> Signer::FromFile(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "r");
    if (file == nullptr) {
        return Status(Code::kFailedPrecondition, "KEY_FILE_UNUSABLE", path + " can't be read");
    }
    EVP_PKEY* key = PEM_read_PrivateKey(file, nullptr, nullptr, nullptr);
    std::fclose(file);
    auto signer = Of(key);
    if (!signer.ok()) return signer.status().WithContext(path);
    return signer;
}

std::string Signer::Sign(std::string_view claims_json) const {
    std::string token = Base64UrlEncode(R"({"alg":"ES256","typ":"JWT","kid":")" + key_id_ + "\"}") +
                        "." + Base64UrlEncode(claims_json);
    const OwnedDigest digest(EVP_MD_CTX_new());
    std::array<unsigned char, 80> der;
    std::size_t size = der.size();
    KESSAI_CHECK(
        EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
            EVP_DigestSign(digest.get(), der.data(), &size, Unsigned(token.data()), token.size()) ==
                1,
        "signing with a P-256 key");
    const unsigned char* at = der.data();
    const OwnedSignature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
    std::array<unsigned char, 2 * kCoordinateBytes> raw;
    BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), kCoordinateBytes);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + kCoordinateBytes,
                 kCoordinateBytes);
    return token + "." + Base64UrlEncode({reinterpret_cast<char*>(raw.data()), raw.size()});
}

std::string Signer::Jwks() const {
    return R"({"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":")" + key_id_ +
           R"(","x":")" + x_ + R"(","y":")" + y_ + "\"}]}";
}

}  // namespace kessai::jwt
