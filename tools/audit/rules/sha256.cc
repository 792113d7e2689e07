#include "rules/sha256.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "kessai/result/check.h"

namespace kessai::audit {
namespace {

std::array<char, 8> LittleEndian(std::int64_t number) {
    std::array<char, 8> bytes;
    auto rest = static_cast<std::uint64_t>(number);
    for (char& byte : bytes) {
        byte = static_cast<char>(rest);
        rest >>= 8;
    }
    return bytes;
}

}  // namespace

// Fetched once an object: the implicit fetch of EVP_sha256() costs as much as a short hash.
Sha256::Sha256() : digest_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
    KESSAI_CHECK(digest_ != nullptr && context_ != nullptr, "OpenSSL has SHA-256");
}

Sha256::~Sha256() {
    EVP_MD_CTX_free(context_);
    EVP_MD_free(digest_);
}

void Sha256::Begin() {
    KESSAI_CHECK(EVP_DigestInit_ex2(context_, digest_, nullptr) == 1, "SHA-256 begins");
}

void Sha256::Add(std::string_view bytes) {
    KESSAI_CHECK(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1,
                 "SHA-256 takes bytes");
}

void Sha256::AddBigEndian(std::int64_t number) {
    std::array<char, 8> bytes = LittleEndian(number);
    std::reverse(bytes.begin(), bytes.end());
    Add({bytes.data(), bytes.size()});
}

void Sha256::AddLittleEndian(std::int64_t number) {
    const std::array<char, 8> bytes = LittleEndian(number);
    Add({bytes.data(), bytes.size()});
}

Hash32 Sha256::End() {
    Hash32 hash{};
    KESSAI_CHECK(EVP_DigestFinal_ex(context_, hash.data(), nullptr) == 1, "SHA-256 ends");
    return hash;
}

Hash16 FirstHalf(const Hash32& hash) {
    Hash16 half{};
    std::copy_n(hash.begin(), half.size(), half.begin());
    return half;
}

}  // namespace kessai::audit
