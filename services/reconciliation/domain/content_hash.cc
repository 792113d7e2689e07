#include "domain/content_hash.h"

#include <openssl/evp.h>

#include "kessai/result/check.h"

namespace kessai::reconciliation::domain {

struct Sha256OfContent::Impl {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    ~Impl() { EVP_MD_CTX_free(context); }
};

Sha256OfContent::Sha256OfContent() : impl_(std::make_unique<Impl>()) {
    KESSAI_CHECK(EVP_DigestInit_ex(impl_->context, EVP_sha256(), nullptr) == 1,
                 "OpenSSL has SHA-256");
}
Sha256OfContent::~Sha256OfContent() = default;

void Sha256OfContent::Add(std::string_view piece) {
    KESSAI_CHECK(EVP_DigestUpdate(impl_->context, piece.data(), piece.size()) == 1, "memory");
}

std::array<std::uint8_t, 32> Sha256OfContent::Finish() {
    std::array<std::uint8_t, 32> hash{};
    unsigned size = 0;
    KESSAI_CHECK(EVP_DigestFinal_ex(impl_->context, hash.data(), &size) == 1 && size == hash.size(),
                 "once");
    return hash;
}

}  // namespace kessai::reconciliation::domain
