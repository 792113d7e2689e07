#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// What texts from outside may look like.
namespace kessai::gateway::domain {

inline constexpr std::size_t kPartnerKeyLengthMax = 64;
inline constexpr std::size_t kPartnerTextLengthMax = 255;
/// The Java SDK of the partner interface reads amounts as 32 bits.
inline constexpr std::int64_t kAmountMax = 2'147'483'647;

/// 1 to 64 of a-z A-Z 0-9 - _: ids that merchants choose, and idempotency keys.
bool IsPartnerKey(std::string_view text);

/// The number of code points of valid UTF-8 without controls (but tab and line ends); nothing for
/// what is not that.
std::optional<std::size_t> CodePointsOf(std::string_view text);

/// At most `length_max` code points, and valid.
bool IsText(std::string_view text, std::size_t length_max = kPartnerTextLengthMax);

/// Decimal digits of a positive 63-bit number without a leading zero: our ids on the outside.
std::optional<std::int64_t> ParseId(std::string_view text);

/// "04-" and 16 base62 characters.
bool IsCodeId(std::string_view text);

}  // namespace kessai::gateway::domain
