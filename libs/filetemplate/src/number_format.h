#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kessai::filetemplate::internal {

/// How a number is printed: an optional + (a sign above zero too), an optional #,## (commas between
/// thousands), and as many 0 as it has digits at least.
class NumberFormat {
 public:
    /// What it takes, for messages.
    static constexpr std::string_view kAllowed =
        "0, #,##0, 0000 (digits at least), each with a + before it for a sign above zero";
    static constexpr std::size_t kDigitsMax = 40;
    /// Bytes that a number may take.
    static constexpr std::size_t kBytesMax = 64;

    /// "0".
    NumberFormat() = default;
    static std::optional<NumberFormat> Parse(std::string_view text);

    /// Appends `number` with its last `decimals` digits behind a point; gives the end.
    char* Append(std::int64_t number, int decimals, char* out) const;
    /// The longest form of a number whose plain form has at most `longest` characters.
    std::size_t Longest(std::size_t longest) const;

 private:
    bool plus_ = false;
    bool grouped_ = false;
    std::size_t digits_min_ = 1;
};

}  // namespace kessai::filetemplate::internal
