#include "sha256_sum.h"

#include <openssl/evp.h>

namespace kessai::filestore {

struct Sha256Sum::State {
    EVP_MD_CTX* context = EVP_MD_CTX_new();

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { EVP_MD_CTX_free(context); }

    void Begin() {
        KESSAI_CHECK(context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1,
                     "OpenSSL has no SHA-256");
    }
};

Sha256Sum::Sha256Sum() : state_(std::make_unique<State>()) {
    state_->Begin();
}

Sha256Sum::~Sha256Sum() = default;

void Sha256Sum::Add(std::string_view bytes) {
    KESSAI_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1,
                 "OpenSSL adds nothing to a SHA-256");
}

Sha256 Sha256Sum::Finish() {
    Sha256 sum;
    KESSAI_CHECK(EVP_DigestFinal_ex(state_->context, sum.data(), nullptr) == 1,
                 "OpenSSL ends no SHA-256");
    state_->Begin();
    return sum;
}

Sha256 Sha256Sum::Of(std::string_view bytes) {
    Sha256Sum sum;
    sum.Add(bytes);
    return sum.Finish();
}

std::string ToHex(const Sha256& sha256) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string hex;
    hex.reserve(2 * sha256.size());
    for (const std::uint8_t byte : sha256) {
        hex += kDigits[byte >> 4];
        hex += kDigits[byte & 15];
    }
    return hex;
}

}  // namespace kessai::filestore
