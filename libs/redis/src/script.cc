#include "kessai/redis/script.h"

#include <openssl/evp.h>

#include "kessai/result/check.h"

namespace kessai::redis {

Script::Script(std::string_view source) : source_(source) {
    unsigned char digest[20];
    std::size_t size = 0;
    KESSAI_CHECK(
        EVP_Q_digest(nullptr, "SHA1", nullptr, source.data(), source.size(), digest, &size) == 1,
        "SHA-1 is not available");
    static constexpr char kHex[] = "0123456789abcdef";
    for (const unsigned char byte : digest) {
        digest_.push_back(kHex[byte >> 4]);
        digest_.push_back(kHex[byte & 15]);
    }
}

}  // namespace kessai::redis
