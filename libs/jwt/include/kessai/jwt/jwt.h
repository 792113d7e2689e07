#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/result/result.h"
#include "kessai/time/clock.h"

typedef struct evp_pkey_st EVP_PKEY;

/// JSON Web Tokens (RFC 7519) in compact form, signed by ES256 or RS256 (RFC 7518) and no other
/// way: the algorithm is the key's, never the token's choice.
namespace kessai::jwt {

inline constexpr std::size_t kTokenBytesMax = 8 * 1024;

/// The public keys of an issuer (RFC 7517). Immutable; thread safe; cheap to copy.
class KeySet {
 public:
    KeySet() = default;

    /// Keys that are not for verifying ES256 or RS256 signatures (RSA from 2048 bits) are passed
    /// over. Refuses with INVALID_ARGUMENT KEY_SET_MALFORMED what is no JWKS, or has no usable key.
    static Result<KeySet> Parse(std::string_view jwks_json);

    std::size_t size() const;
    bool Has(std::string_view key_id) const;

 private:
    friend class Verifier;
    struct Key;
    std::shared_ptr<const std::vector<Key>> keys_;
};

struct Claims {
    std::string issuer;
    std::string subject;
    Instant expires_at{};
    Instant issued_at{};  // the epoch when the token does not say
    /// Texts of the claim `roles` (a list, or one text).
    std::vector<std::string> roles;
};

struct Expectation {
    std::string issuer;
    /// One of the token's audiences must be it.
    std::string audience;
    /// How far the issuer's clock and ours may differ.
    Duration leeway = std::chrono::seconds(30);
    /// Tokens that live longer than this are refused.
    Duration life_max = std::chrono::hours(24);
};

/// The refusals are all UNAUTHENTICATED: TOKEN_MALFORMED, TOKEN_KEY_UNKNOWN (no such key id in the
/// set: a newer set may have it), TOKEN_SIGNATURE_WRONG, TOKEN_EXPIRED, TOKEN_NOT_YET_VALID,
/// TOKEN_NOT_FOR_US (another issuer or audience).
class Verifier {
 public:
    static Result<Claims> Verify(std::string_view token, const KeySet& keys,
                                 const Expectation& expected, Instant now);
};

/// Signs by ES256 with a key of its own. Thread safe.
class Signer {
 public:
    /// A fresh key, known to this process only.
    static Result<Signer> Generate();
    /// PEM of a P-256 private key. Refuses with FAILED_PRECONDITION KEY_FILE_UNUSABLE.
    static Result<Signer> FromFile(const std::string& path);

    /// `claims_json`: the payload, a JSON object.
    std::string Sign(std::string_view claims_json) const;
    /// The public half as a JWKS.
    std::string Jwks() const;
    /// RFC 7638 thumbprint of the key.
    const std::string& key_id() const { return key_id_; }

 private:
    static Result<Signer> Of(EVP_PKEY* key);
    std::shared_ptr<EVP_PKEY> key_;
    std::string key_id_;
    std::string x_;
    std::string y_;
};

/// RFC 4648 section 5, without padding.
std::string Base64UrlEncode(std::string_view bytes);
/// False for what is not exactly that.
bool Base64UrlDecode(std::string_view text, std::string& bytes);

}  // namespace kessai::jwt
