#include "domain/file_hash.h"

#include <openssl/evp.h>

#include "kessai/result/check.h"

namespace kessai::payout::domain {

struct FileHasher::Context {
    Context() : digest(EVP_MD_CTX_new()) {
        KESSAI_CHECK(digest != nullptr && EVP_DigestInit_ex(digest, EVP_sha256(), nullptr) == 1,
                     "SHA-256 is not there");
    }
    ~Context() { EVP_MD_CTX_free(digest); }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    EVP_MD_CTX* digest;
};

FileHasher::FileHasher() : context_(std::make_unique<Context>()) {}
FileHasher::FileHasher(FileHasher&&) noexcept = default;
FileHasher& FileHasher::operator=(FileHasher&&) noexcept = default;
FileHasher::~FileHasher() = default;

void FileHasher::Add(std::string_view bytes) {
    KESSAI_CHECK(EVP_DigestUpdate(context_->digest, bytes.data(), bytes.size()) == 1,
                 "SHA-256 failed");
}

FileHash FileHasher::Finish() {
    FileHash hash{};
    unsigned size = 0;
    KESSAI_CHECK(
        EVP_DigestFinal_ex(context_->digest, hash.data(), &size) == 1 && size == hash.size(),
        "SHA-256 failed");
    return hash;
}

FileHash HashOf(std::string_view bytes) {
    FileHasher hasher;
    hasher.Add(bytes);
    return hasher.Finish();
}

std::string ToHex(const FileHash& hash) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    for (const std::uint8_t byte : hash) {
        hex.push_back(kDigits[byte >> 4]);
        hex.push_back(kDigits[byte & 15]);
    }
    return hex;
}

}  // namespace kessai::payout::domain
