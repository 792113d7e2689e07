#include "load/opa_signer.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <charconv>

#include "kessai/result/check.h"

namespace kessai::load {

namespace {

void AppendBase64(std::string& out, const unsigned char* bytes, int size) {
    std::array<unsigned char, 65> text;  // 32 bytes at most, and a final zero
    const int length = EVP_EncodeBlock(text.data(), bytes, size);
    out.append(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length));
}

/// The algorithms are looked up once; fetching them by name at each use costs more than the use.
void AppendBodyHash(std::string& out, std::string_view content_type, std::string_view body) {
    struct Md5 {
        EVP_MD* algorithm = EVP_MD_fetch(nullptr, "MD5", nullptr);
        EVP_MD_CTX* context = EVP_MD_CTX_new();
        ~Md5() {
            EVP_MD_CTX_free(context);
            EVP_MD_free(algorithm);
        }
    };
    thread_local Md5 md5;
    std::array<unsigned char, 16> digest;
    unsigned int size = 0;
    KESSAI_CHECK(EVP_DigestInit_ex(md5.context, md5.algorithm, nullptr) == 1 &&
                     EVP_DigestUpdate(md5.context, content_type.data(), content_type.size()) == 1 &&
                     EVP_DigestUpdate(md5.context, body.data(), body.size()) == 1 &&
                     EVP_DigestFinal_ex(md5.context, digest.data(), &size) == 1,
                 "MD5 does not fail");
    AppendBase64(out, digest.data(), static_cast<int>(size));
}

}  // namespace

void OpaSigner::Free::operator()(EVP_MAC_CTX* context) const {
    EVP_MAC_CTX_free(context);
}

OpaSigner::OpaSigner(std::string api_key, std::string_view secret) : api_key_(std::move(api_key)) {
    EVP_MAC* hmac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
    keyed_.reset(EVP_MAC_CTX_new(hmac));
    EVP_MAC_free(hmac);
    char digest[] = "SHA256";
    const std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    KESSAI_CHECK(EVP_MAC_init(keyed_.get(), reinterpret_cast<const unsigned char*>(secret.data()),
                              secret.size(), parameters.data()) == 1,
                 "HMAC-SHA256 takes any key");
}

void OpaSigner::AppendAuthorization(std::string& out, std::string_view path,
                                    std::string_view method, std::string_view content_type,
                                    std::string_view body, std::string_view nonce,
                                    std::int64_t epoch_s) const {
    std::array<char, 20> digits;
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), epoch_s);
    const std::string_view epoch(digits.data(),
                                 static_cast<std::size_t>(written.ptr - digits.data()));

    std::string hash;
    if (body.empty()) {
        content_type = "empty";
        hash = "empty";
    } else {
        AppendBodyHash(hash, content_type, body);
    }
    std::string text;
    text.reserve(path.size() + method.size() + nonce.size() + content_type.size() + 64);
    for (const std::string_view line : {path, method, nonce, epoch, content_type}) {
        text.append(line).push_back('\n');
    }
    text.append(hash);

    std::array<unsigned char, 32> mac;
    std::size_t size = 0;
    // Without a key it starts again with the one it has.
    KESSAI_CHECK(
        EVP_MAC_init(keyed_.get(), nullptr, 0, nullptr) == 1 &&
            EVP_MAC_update(keyed_.get(), reinterpret_cast<const unsigned char*>(text.data()),
                           text.size()) == 1 &&
            EVP_MAC_final(keyed_.get(), mac.data(), &size, mac.size()) == 1,
        "HMAC does not fail");

    out.append("hmac OPA-Auth:").append(api_key_).push_back(':');
    AppendBase64(out, mac.data(), static_cast<int>(size));
    out.append(":").append(nonce).append(":").append(epoch).append(":").append(hash);
}

}  // namespace kessai::load
