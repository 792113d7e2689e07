#include "kessai/digest/row_hash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <cstdio>
#include <memory>

#include "kessai/result/check.h"

namespace kessai::digest {
namespace {

// One a thread: fetching the algorithm costs more than a hash (which takes some 80 ns).
class SipHash {
 public:
    SipHash() : mac_(EVP_MAC_fetch(nullptr, "SIPHASH", nullptr)) {
        KESSAI_CHECK(mac_ != nullptr, "OpenSSL has SipHash");
        context_.reset(EVP_MAC_CTX_new(mac_.get()));
        KESSAI_CHECK(context_ != nullptr, "OpenSSL makes a context");
    }

    Sum128 Hash(const RowHasher::Key& key, const std::uint8_t* bytes, std::size_t size) {
        std::size_t hash_size = kHashBytes;
        const std::array<OSSL_PARAM, 2> parameters{
            OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &hash_size),
            OSSL_PARAM_construct_end()};
        std::array<std::uint8_t, kHashBytes> hash{};
        std::size_t written = 0;
        KESSAI_CHECK(EVP_MAC_init(context_.get(), key.data(), key.size(), parameters.data()) == 1 &&
                         EVP_MAC_update(context_.get(), bytes, size) == 1 &&
                         EVP_MAC_final(context_.get(), hash.data(), &written, hash.size()) == 1 &&
                         written == hash.size(),
                     "SipHash-2-4-128");
        return {.high = LoadWord(hash.data() + 8), .low = LoadWord(hash.data())};
    }

 private:
    static constexpr std::size_t kHashBytes = 16;

    // Little endian whatever the machine.
    static std::uint64_t LoadWord(const std::uint8_t* bytes) {
        std::uint64_t word = 0;
        for (int i = 0; i < 8; ++i) word |= std::uint64_t{bytes[i]} << (8 * i);
        return word;
    }

    struct Deleter {
        void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
        void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
    };
    std::unique_ptr<EVP_MAC, Deleter> mac_;
    std::unique_ptr<EVP_MAC_CTX, Deleter> context_;
};

SipHash& ThreadsSipHash() {
    thread_local SipHash sip_hash;
    return sip_hash;
}

int HexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

constexpr std::size_t kRowBytes = 32;

}  // namespace

std::string Sum128::ToHex() const {
    char text[33];
    std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(high),
                  static_cast<unsigned long long>(low));
    return text;
}

RowHasher::RowHasher(const Key& key) : key_(key) {}

Result<RowHasher> RowHasher::FromHex(std::string_view text) {
    Key key{};
    bool good = text.size() == key.size() * 2;
    for (std::size_t i = 0; good && i < key.size(); ++i) {
        const int high = HexDigit(text[2 * i]);
        const int low = HexDigit(text[2 * i + 1]);
        good = high >= 0 && low >= 0;
        key[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    if (!good) {
        return Status(Code::kInvalidArgument, "DIGEST_KEY_MALFORMED",
                      "a digest key is 32 hexadecimal digits");
    }
    return RowHasher(key);
}

Sum128 RowHasher::Hash(const Row& row) const {
    std::array<std::uint8_t, kRowBytes> bytes{};
    std::uint8_t* at = bytes.data();
    const auto put = [&at](std::uint64_t number, int width) {
        for (int i = 0; i < width; ++i) *at++ = static_cast<std::uint8_t>(number >> (8 * i));
    };
    put(static_cast<std::uint64_t>(row.object_id), 8);
    put(row.version, 4);
    put(static_cast<std::uint64_t>(row.business_date.ToNumber()), 4);
    put(static_cast<std::uint64_t>(row.merchant_id), 8);
    put(static_cast<std::uint64_t>(row.signed_gross), 8);
    return ThreadsSipHash().Hash(key_, bytes.data(), bytes.size());
}

Sum128 SipHash128(const RowHasher::Key& key, std::string_view bytes) {
    return ThreadsSipHash().Hash(key, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                 bytes.size());
}

}  // namespace kessai::digest
