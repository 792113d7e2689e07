#include "domain/sha256.h"

#include <openssl/evp.h>

#include "kessai/result/check.h"

namespace kessai::gateway::domain {
namespace {

constexpr std::size_t kBytes = 32;

unsigned char* Unsigned(std::string& bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace

struct Sha256::State {
    EVP_MD_CTX* context = EVP_MD_CTX_new();

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
    KESSAI_CHECK(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1,
                 "SHA-256 is not available");
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::Add(std::string_view bytes) {
    KESSAI_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1,
                 "SHA-256 failed");
}

std::string Sha256::Finish() {
    std::string sum(kBytes, '\0');
    KESSAI_CHECK(EVP_DigestFinal_ex(state_->context, Unsigned(sum), nullptr) == 1,
                 "SHA-256 failed");
    return sum;
}

std::string Sha256::Of(std::string_view bytes) {
    Sha256 sum;
    sum.Add(bytes);
    return sum.Finish();
}

std::string HmacSha256(std::string_view key, std::string_view message) {
    std::string mac(kBytes, '\0');
    std::size_t size = 0;
    KESSAI_CHECK(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key.data(), key.size(),
                           reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                           Unsigned(mac), mac.size(), &size) != nullptr &&
                     size == kBytes,
                 "HMAC-SHA256 is not available");
    return mac;
}

std::string ToHex(std::string_view bytes) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string hex;
    hex.reserve(2 * bytes.size());
    for (const char byte : bytes) {
        hex.push_back(kHex[static_cast<unsigned char>(byte) >> 4]);
        hex.push_back(kHex[static_cast<unsigned char>(byte) & 15]);
    }
    return hex;
}

}  // namespace kessai::gateway::domain
