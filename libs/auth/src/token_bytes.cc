#include "token_bytes.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <functional>

#include "kessai/result/check.h"

namespace kessai::auth {

void Hmac(std::string_view key, std::string_view message, unsigned char mac[kMacBytes]) {
    unsigned int length = 0;
    const unsigned char* done =
        HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(message.data()), message.size(), mac, &length);
    KESSAI_CHECK(done != nullptr && length == kMacBytes, "HMAC-SHA256 failed");
}

bool EqualInConstantTime(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::uint64_t TokenHash(std::string_view token) {
    return std::hash<std::string_view>{}(token);
}

}  // namespace kessai::auth
