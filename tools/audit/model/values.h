#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace kessai::audit {

/// A DATE column as the number yyyymmdd. A number and not a BusinessDate, because a damaged row may
/// hold what is no real date.
using DayNumber = std::int32_t;
/// The column value that stands for "no date": 1970-01-01.
inline constexpr DayNumber kNoDay = 19700101;

/// "2026-11-22"; what is no date shows as its number.
std::string DayText(DayNumber day);

/// A CHAR(3) column: whatever is there, valid or not.
class CurrencyCode {
 public:
    constexpr CurrencyCode() = default;
    explicit constexpr CurrencyCode(std::string_view text) {
        for (std::size_t i = 0; i < letters_.size() && i < text.size(); ++i) letters_[i] = text[i];
    }
    std::string ToString() const {
        return {letters_.data(), strnlen(letters_.data(), letters_.size())};
    }
    constexpr auto operator<=>(const CurrencyCode&) const = default;

 private:
    std::array<char, 3> letters_{};
};
inline std::string ToText(CurrencyCode currency) {
    return currency.ToString();
}

/// The first 16 bytes of a SHA-256: content hashes of events, keys of rows.
using Hash16 = std::array<std::uint8_t, 16>;
/// A whole SHA-256.
using Hash32 = std::array<std::uint8_t, 32>;

/// From a BINARY column; zeros where the text is too short.
Hash16 Hash16Of(std::string_view bytes);
Hash32 Hash32Of(std::string_view bytes);
std::string ToText(const Hash16& hash);
std::string ToText(const Hash32& hash);

/// Of a text that is only compared (FNV-1a, 64 bits); 0 of none.
std::uint64_t HashOfText(std::string_view text);

/// What effects, events and journals are keyed by.
struct ChangeKey {
    std::int64_t object = 0;
    std::uint32_t version = 0;
    constexpr auto operator<=>(const ChangeKey&) const = default;
};

}  // namespace kessai::audit
