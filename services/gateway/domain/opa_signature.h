#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kessai/time/clock.h"

typedef struct evp_mac_ctx_st EVP_MAC_CTX;

/// Request signatures as PayPay's Open Payment API has them
/// (https://www.paypay.ne.jp/opa/doc/jp/v1.0/api_authorization):
///
///     Authorization: hmac OPA-Auth:<apiKey>:<mac>:<nonce>:<epoch>:<bodyHash>
///     mac = base64(HMAC-SHA256(secret, path \n METHOD \n nonce \n epoch \n type \n bodyHash))
///     bodyHash = base64(MD5(content type ‖ body)); without a body, type and hash are "empty"
///
/// All over the bytes as they came: the path is the raw target up to '?'.
namespace kessai::gateway::domain {

/// Views into the header.
struct OpaAuthorization {
    std::string_view api_key;
    std::string_view mac;
    std::string_view nonce;
    std::string_view epoch_text;
    std::int64_t epoch_s = 0;
    std::string_view body_hash;
};

/// Nothing for what is not of that form.
std::optional<OpaAuthorization> ParseOpaAuthorization(std::string_view header);

/// The parts of a request that are signed.
struct SignedRequest {
    std::string_view path;
    std::string_view method;  // upper case
    /// The Content-Type field's value as it came; ignored without a body.
    std::string_view content_type;
    std::string_view body;
};

/// How far a request's epoch may be from our clock; this and more is refused.
inline constexpr Duration kOpaWindow = std::chrono::minutes(2);

/// Whether the epoch is less than two minutes from now.
bool IsWithinOpaWindow(std::int64_t epoch_s, Instant now);

std::string OpaBodyHash(std::string_view content_type, std::string_view body);

/// A secret, made ready for many signatures. One thread at a time.
class OpaKey {
 public:
    explicit OpaKey(std::string_view secret);
    ~OpaKey();
    OpaKey(OpaKey&&) noexcept;
    OpaKey& operator=(OpaKey&&) noexcept;

    /// base64, 44 characters.
    std::string Sign(const SignedRequest& request, std::string_view nonce,
                     std::string_view epoch_text) const;
    /// Whether mac and body hash are right. In constant time over the mac.
    bool Verify(const SignedRequest& request, const OpaAuthorization& authorization) const;

 private:
    std::string Mac(const SignedRequest& request, std::string_view nonce,
                    std::string_view epoch_text, std::string_view body_hash) const;
    EVP_MAC_CTX* context_;
};

/// The whole header value, for clients and tests.
std::string MakeOpaAuthorization(const OpaKey& key, std::string_view api_key,
                                 const SignedRequest& request, std::string_view nonce,
                                 std::int64_t epoch_s);

/// RFC 4648 section 4, padded.
std::string Base64Encode(std::string_view bytes);
/// Strict (RFC 4648, section 4): with its padding, and nothing else than what Base64Encode gives.
std::optional<std::string> Base64Decode(std::string_view text);

}  // namespace kessai::gateway::domain
