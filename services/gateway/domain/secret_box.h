#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/result/result.h"

namespace kessai::gateway::domain {

/// Keeps secrets unreadable where they are stored: AES-256-GCM, bound to what the secret belongs
/// to. Several keys can open, the first one seals: to rotate, put the new key in front, seal all
/// again, and drop the old one. Thread safe.
///
/// A box is: 4 bytes that name the key, 12 bytes nonce, the ciphertext, 16 bytes tag.
class SecretBox {
 public:
    /// Keys as 64 hex digits. Refuses with INVALID_ARGUMENT SECRET_KEY_INVALID; never shows a key.
    static Result<SecretBox> Create(const std::vector<std::string>& keys_hex);

    /// `owner` must be given again to open ("credential:ak_1").
    std::string Seal(std::string_view secret, std::string_view owner) const;
    /// DATA_LOSS SECRET_UNREADABLE: no key opens it for this owner.
    Result<std::string> Open(std::string_view box, std::string_view owner) const;
    /// Keys for another purpose, one of each of ours and in their order, from which ours can't be
    /// told.
    std::vector<std::string> KeysFor(std::string_view purpose) const;

 private:
    struct Key {
        std::array<unsigned char, 4> id;
        std::array<unsigned char, 32> bytes;
    };
    std::vector<Key> keys_;
};

/// `bytes` random bytes of the system's, for keys and secrets.
std::string RandomBytes(std::size_t bytes);

}  // namespace kessai::gateway::domain
