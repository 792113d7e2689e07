#include "domain/secret_box.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>

#include "domain/sha256.h"
#include "kessai/result/check.h"

namespace kessai::gateway::domain {

namespace {

constexpr std::size_t kIdBytes = 4;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

struct FreeCipher {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

unsigned char* Unsigned(char* bytes) {
    return reinterpret_cast<unsigned char*>(bytes);
}
const unsigned char* Unsigned(const char* bytes) {
    return reinterpret_cast<const unsigned char*>(bytes);
}

int HexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string RandomBytes(std::size_t bytes) {
    std::string random(bytes, '\0');
    KESSAI_CHECK(RAND_bytes(Unsigned(random.data()), static_cast<int>(bytes)) == 1,
                 "the system has no random bytes");
    return random;
}

Result<SecretBox> SecretBox::Create(const std::vector<std::string>& keys_hex) {
    const Status invalid(Code::kInvalidArgument, "SECRET_KEY_INVALID",
                         "a key of 64 hexadecimal digits is needed");
    if (keys_hex.empty()) return invalid;
    SecretBox box;
    for (const std::string& hex : keys_hex) {
        if (hex.size() != 64) return invalid;
        Key key;
        for (std::size_t i = 0; i < key.bytes.size(); ++i) {
            const int high = HexDigit(hex[2 * i]);
            const int low = HexDigit(hex[2 * i + 1]);
            if (high < 0 || low < 0) return invalid;
            key.bytes[i] = static_cast<unsigned char>(high * 16 + low);
        }
        std::array<unsigned char, 32> digest;
        std::size_t size = 0;
        EVP_Q_digest(nullptr, "SHA256", nullptr, key.bytes.data(), key.bytes.size(), digest.data(),
                     &size);
        std::copy_n(digest.begin(), kIdBytes, key.id.begin());
        box.keys_.push_back(key);
    }
    return box;
}

std::string SecretBox::Seal(std::string_view secret, std::string_view owner) const {
    const Key& key = keys_.front();
    std::string box(reinterpret_cast<const char*>(key.id.data()), kIdBytes);
    box += RandomBytes(kNonceBytes);
    const std::size_t head = box.size();
    box.resize(head + secret.size() + kTagBytes);
    const Cipher cipher(EVP_CIPHER_CTX_new());
    int size = 0;
    unsigned char* out = Unsigned(box.data() + head);
    const bool sealed =
        EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(),
                           Unsigned(box.data() + kIdBytes)) == 1 &&
        EVP_EncryptUpdate(cipher.get(), nullptr, &size, Unsigned(owner.data()),
                          static_cast<int>(owner.size())) == 1 &&
        EVP_EncryptUpdate(cipher.get(), out, &size, Unsigned(secret.data()),
                          static_cast<int>(secret.size())) == 1 &&
        EVP_EncryptFinal_ex(cipher.get(), out + secret.size(), &size) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, out + secret.size()) ==
            1;
    KESSAI_CHECK(sealed, "AES-256-GCM failed");
    return box;
}

Result<std::string> SecretBox::Open(std::string_view box, std::string_view owner) const {
    const Status unreadable(Code::kDataLoss, "SECRET_UNREADABLE",
                            "no key that is configured opens a stored secret");
    if (box.size() < kIdBytes + kNonceBytes + kTagBytes) return unreadable;
    const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const Key& candidate) {
        return std::equal(candidate.id.begin(), candidate.id.end(), Unsigned(box.data()));
    });
    if (key == keys_.end()) return unreadable;
    const std::size_t size = box.size() - kIdBytes - kNonceBytes - kTagBytes;
    const char* cipher_text = box.data() + kIdBytes + kNonceBytes;
    std::string tag(cipher_text + size, kTagBytes);
    std::string secret(size, '\0');
    const Cipher cipher(EVP_CIPHER_CTX_new());
    int length = 0;
    const bool opened =
        EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key->bytes.data(),
                           Unsigned(box.data() + kIdBytes)) == 1 &&
        EVP_DecryptUpdate(cipher.get(), nullptr, &length, Unsigned(owner.data()),
                          static_cast<int>(owner.size())) == 1 &&
        EVP_DecryptUpdate(cipher.get(), Unsigned(secret.data()), &length, Unsigned(cipher_text),
                          static_cast<int>(size)) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(cipher.get(), Unsigned(secret.data()) + size, &length) == 1;
    if (!opened) return unreadable;
    return secret;
}

std::vector<std::string> SecretBox::KeysFor(std::string_view purpose) const {
    std::vector<std::string> keys;
    for (const Key& key : keys_) {
        const std::string_view bytes(reinterpret_cast<const char*>(key.bytes.data()),
                                     key.bytes.size());
        keys.push_back(HmacSha256(bytes, "kessai key for " + std::string(purpose)));
    }
    return keys;
}

}  // namespace kessai::gateway::domain
