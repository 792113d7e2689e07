#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "kessai/result/result.h"

namespace kessai::auth {

inline constexpr std::size_t kMacBytes = 32;

/// HMAC-SHA256 of `message` under `key` into `mac`.
void Hmac(std::string_view key, std::string_view message, unsigned char mac[kMacBytes]);

/// In a time that depends on the lengths only.
bool EqualInConstantTime(std::string_view a, std::string_view b);

/// Spreads a token over shards and slots. Not keyed: only tokens that verified are ever stored, so
/// nobody without a key can choose what collides.
std::uint64_t TokenHash(std::string_view token);

}  // namespace kessai::auth
