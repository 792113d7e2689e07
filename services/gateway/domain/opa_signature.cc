#include "domain/opa_signature.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <charconv>
#include <utility>

#include "kessai/result/check.h"

namespace kessai::gateway::domain {

namespace {

constexpr std::string_view kPrefix = "hmac OPA-Auth:";
constexpr std::string_view kEmpty = "empty";

const unsigned char* Unsigned(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

EVP_MAC* Hmac() {
    static EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    return hmac;
}

/// A digest context a thread: making one costs more than the hash of a small body.
EVP_MD_CTX* DigestContext() {
    struct Owner {
        EVP_MD_CTX* context = EVP_MD_CTX_new();
        ~Owner() { EVP_MD_CTX_free(context); }
    };
    thread_local Owner owner;
    return owner.context;
}

const EVP_MD* Md5() {
    static const EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
    return md5;
}

}  // namespace

std::string Base64Encode(std::string_view bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends with a NUL
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), Unsigned(bytes),
                    static_cast<int>(bytes.size()));
    text.pop_back();
    return text;
}

std::optional<std::string> Base64Decode(std::string_view text) {
    std::string bytes(text.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), Unsigned(text),
                                     static_cast<int>(text.size()));
    // It takes blanks around the text too, and gives the padding as bytes.
    if (text.size() % 4 != 0 || size != static_cast<int>(bytes.size())) return std::nullopt;
    const std::size_t end = text.find_last_not_of('=') + 1;
    if (text.size() - end > 2) return std::nullopt;
    bytes.resize(bytes.size() - (text.size() - end));
    if (Base64Encode(bytes) != text) return std::nullopt;
    return bytes;
}

std::optional<OpaAuthorization> ParseOpaAuthorization(std::string_view header) {
    if (!header.starts_with(kPrefix)) return std::nullopt;
    header.remove_prefix(kPrefix.size());
    std::array<std::string_view, 5> parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto colon = header.find(':');
        const bool last = i + 1 == parts.size();
        if (last != (colon == std::string_view::npos)) return std::nullopt;
        parts[i] = header.substr(0, colon);
        if (parts[i].empty()) return std::nullopt;
        if (!last) header.remove_prefix(colon + 1);
    }
    OpaAuthorization authorization{parts[0], parts[1], parts[2], parts[3], 0, parts[4]};
    const auto& epoch = authorization.epoch_text;
    const auto [end, error] =
        std::from_chars(epoch.data(), epoch.data() + epoch.size(), authorization.epoch_s);
    if (error != std::errc{} || end != epoch.data() + epoch.size()) return std::nullopt;
    return authorization;
}

bool IsWithinOpaWindow(std::int64_t epoch_s, Instant now) {
    constexpr std::int64_t kFar = 100'000'000'000;  // seconds; keeps the product within 64 bits
    if (epoch_s < -kFar || epoch_s > kFar) return false;
    const Duration apart = now - FromMicros(epoch_s * 1'000'000);
    return apart < kOpaWindow && apart > -kOpaWindow;
}

std::string OpaBodyHash(std::string_view content_type, std::string_view body) {
    if (body.empty()) return std::string(kEmpty);
    std::array<unsigned char, 16> digest;
    unsigned size = 0;
    EVP_MD_CTX* context = DigestContext();
    const bool done = EVP_DigestInit_ex2(context, Md5(), nullptr) == 1 &&
                      EVP_DigestUpdate(context, content_type.data(), content_type.size()) == 1 &&
                      EVP_DigestUpdate(context, body.data(), body.size()) == 1 &&
                      EVP_DigestFinal_ex(context, digest.data(), &size) == 1;
    KESSAI_CHECK(done, "MD5 is not available");
    return Base64Encode({reinterpret_cast<char*>(digest.data()), digest.size()});
}

OpaKey::OpaKey(std::string_view secret) : context_(EVP_MAC_CTX_new(Hmac())) {
    char sha256[] = "SHA256";
    const std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
        OSSL_PARAM_construct_end()};
    KESSAI_CHECK(EVP_MAC_init(context_, Unsigned(secret), secret.size(), parameters.data()) == 1,
                 "HMAC-SHA256 is not available");
}
OpaKey::~OpaKey() {
    EVP_MAC_CTX_free(context_);
}
OpaKey::OpaKey(OpaKey&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
OpaKey& OpaKey::operator=(OpaKey&& other) noexcept {
    std::swap(context_, other.context_);
    return *this;
}

std::string OpaKey::Mac(const SignedRequest& request, std::string_view nonce,
                        std::string_view epoch_text, std::string_view body_hash) const {
    std::string text;
    text.reserve(request.path.size() + request.content_type.size() + nonce.size() + 96);
    text.append(request.path).push_back('\n');
    text.append(request.method).push_back('\n');
    text.append(nonce).push_back('\n');
    text.append(epoch_text).push_back('\n');
    text.append(request.body.empty() ? kEmpty : request.content_type).push_back('\n');
    text.append(body_hash);
    std::array<unsigned char, 32> mac;
    std::size_t size = 0;
    // Without a key it begins anew with the one it has.
    const bool done = EVP_MAC_init(context_, nullptr, 0, nullptr) == 1 &&
                      EVP_MAC_update(context_, Unsigned(text), text.size()) == 1 &&
                      EVP_MAC_final(context_, mac.data(), &size, mac.size()) == 1;
    KESSAI_CHECK(done && size == mac.size(), "HMAC-SHA256 failed");
    return Base64Encode({reinterpret_cast<char*>(mac.data()), mac.size()});
}

std::string OpaKey::Sign(const SignedRequest& request, std::string_view nonce,
                         std::string_view epoch_text) const {
    const std::string body_hash = OpaBodyHash(request.content_type, request.body);
    return Mac(request, nonce, epoch_text, body_hash);
}

bool OpaKey::Verify(const SignedRequest& request, const OpaAuthorization& authorization) const {
    const std::string body_hash = OpaBodyHash(request.content_type, request.body);
    if (body_hash != authorization.body_hash) return false;
    const std::string mac = Mac(request, authorization.nonce, authorization.epoch_text, body_hash);
    return mac.size() == authorization.mac.size() &&
           CRYPTO_memcmp(mac.data(), authorization.mac.data(), mac.size()) == 0;
}

std::string MakeOpaAuthorization(const OpaKey& key, std::string_view api_key,
                                 const SignedRequest& request, std::string_view nonce,
                                 std::int64_t epoch_s) {
    const std::string epoch = std::to_string(epoch_s);
    std::string header(kPrefix);
    header.append(api_key).append(":").append(key.Sign(request, nonce, epoch)).append(":");
    header.append(nonce).append(":").append(epoch).append(":");
    header.append(OpaBodyHash(request.content_type, request.body));
    return header;
}

}  // namespace kessai::gateway::domain
