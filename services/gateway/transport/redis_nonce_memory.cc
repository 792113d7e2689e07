#include "transport/redis_nonce_memory.h"

#include <openssl/evp.h>

#include <array>
#include <string>

#include "kessai/redis/key.h"
#include "kessai/result/check.h"

namespace kessai::gateway::transport {

namespace {

constexpr std::size_t kNonceBytesKept = 64;
// A signature is taken from two minutes before its epoch to two minutes after it.
constexpr std::string_view kWindowSeconds = "241";

/// 12 bytes tell one (epoch, mac) from another; a million kept nonces are a hundred megabytes less
/// so.
std::string Digest(std::string_view epoch, std::string_view mac) {
    std::string text(epoch);
    text.append(":").append(mac);
    // Looked up once: each time, that would cost more than this hash.
    static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    unsigned char digest[EVP_MAX_MD_SIZE];
    KESSAI_CHECK(EVP_Digest(text.data(), text.size(), digest, nullptr, sha256, nullptr) == 1,
                 "SHA-256 is not available");
    return {reinterpret_cast<const char*>(digest), 12};
}

}  // namespace

net::Task<app::NonceVerdict> RedisNonceMemory::Remember(std::string_view api_key,
                                                        std::string_view nonce,
                                                        std::string_view epoch,
                                                        std::string_view mac) {
    if (!redis_.up()) co_return app::NonceVerdict::kUnknown;
    std::string long_nonce;
    if (nonce.size() > kNonceBytesKept) {
        // Nobody's nonce is that long; what is kept stays bounded.
        long_nonce = Digest(nonce, "");
        nonce = long_nonce;
    }
    const std::string key = redis::Key("n", api_key, nonce);
    const std::string value = Digest(epoch, mac);
    const std::array<std::string_view, 7> command{"SET", key,  value,         "NX",
                                                  "GET", "EX", kWindowSeconds};
    auto earlier = co_await redis_.Execute(command);
    if (!earlier.ok()) co_return app::NonceVerdict::kUnknown;
    if (earlier->is_nil()) co_return app::NonceVerdict::kFresh;
    co_return earlier->text == value ? app::NonceVerdict::kRepeat : app::NonceVerdict::kReused;
}

}  // namespace kessai::gateway::transport
