#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

typedef struct evp_mac_ctx_st EVP_MAC_CTX;

namespace kessai::load {

/// Signs requests as a partner does (partner contract, Open Payment API: api_authorization). Made
/// from the contract alone and shares nothing with the gateway's verifier, so that an error of one
/// is not an error of both.
///
///     Authorization: hmac OPA-Auth:<apiKey>:<mac>:<nonce>:<epoch>:<bodyHash>
///     mac = base64(HMAC-SHA256(secret, path\nMETHOD\nnonce\nepoch\ncontentType\nbodyHash))
///     bodyHash = base64(MD5(contentType ‖ body)); without a body, type and hash are "empty"
///
/// One thread at a time.
class OpaSigner {
 public:
    OpaSigner(std::string api_key, std::string_view secret);

    /// Appends the value of the Authorization field. `path` is the raw one, up to '?'.
    void AppendAuthorization(std::string& out, std::string_view path, std::string_view method,
                             std::string_view content_type, std::string_view body,
                             std::string_view nonce, std::int64_t epoch_s) const;

    const std::string& api_key() const { return api_key_; }

 private:
    struct Free {
        void operator()(EVP_MAC_CTX* context) const;
    };
    std::string api_key_;
    std::unique_ptr<EVP_MAC_CTX, Free> keyed_;
};

}  // namespace kessai::load
