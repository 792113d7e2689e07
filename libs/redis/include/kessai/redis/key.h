#pragma once

#include <string>
#include <string_view>

namespace kessai::redis {

/// Keys of a Redis cluster live on the shard that their hash tag, the text in the first braces,
/// says. What one script or command names together must carry the same tag:
///
///     Key("nonce", api_key, nonce) → "nonce:{ak_1}:9f2c"
///
/// `tag` must not hold a '}'; it is replaced by '_'.
std::string Key(std::string_view prefix, std::string_view tag, std::string_view rest = {});

/// The slot of a key, 0 … 16383, as the cluster specification computes it.
int SlotOf(std::string_view key);

}  // namespace kessai::redis
