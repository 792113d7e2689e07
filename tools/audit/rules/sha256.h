#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "model/values.h"

namespace kessai::audit {

/// SHA-256, fed in pieces. Reusable; one thread at a time.
class Sha256 {
 public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;

    void Begin();
    void Add(std::string_view bytes);
    /// 8 bytes, most significant first.
    void AddBigEndian(std::int64_t number);
    /// 8 bytes, least significant first.
    void AddLittleEndian(std::int64_t number);
    Hash32 End();

 private:
    EVP_MD* digest_;
    EVP_MD_CTX* context_;
};

/// The first 16 bytes.
Hash16 FirstHalf(const Hash32& hash);

}  // namespace kessai::audit
