#include "number_format.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace kessai::filetemplate::internal {

std::optional<NumberFormat> NumberFormat::Parse(std::string_view text) {
    NumberFormat format;
    if (text.starts_with('+')) {
        format.plus_ = true;
        text.remove_prefix(1);
    }
    constexpr std::string_view kGrouping = "#,##";
    if (text.starts_with(kGrouping)) {
        format.grouped_ = true;
        text.remove_prefix(kGrouping.size());
        if (text != "0") return std::nullopt;
    }
    if (text.empty() || text.size() > kDigitsMax ||
        text.find_first_not_of('0') != std::string_view::npos) {
        return std::nullopt;
    }
    format.digits_min_ = text.size();
    return format;
}

char* NumberFormat::Append(std::int64_t number, int decimals, char* out) const {
    if (number < 0) {
        *out++ = '-';
    } else if (plus_ && number > 0) {
        *out++ = '+';
    }
    const auto magnitude =
        number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
    char digits[20];
    const auto size = static_cast<std::size_t>(
        std::to_chars(digits, digits + sizeof digits, magnitude).ptr - digits);
    const auto behind_point = static_cast<std::size_t>(decimals);
    const std::size_t at_least = digits_min_ + behind_point;
    if (!grouped_ && behind_point == 0 && size >= at_least) {
        std::memcpy(out, digits, size);
        return out + size;
    }
    for (std::size_t left = std::max(size, at_least); left > 0; --left) {
        if (left == behind_point) *out++ = '.';
        *out++ = left > size ? '0' : digits[size - left];
        const std::size_t before_point = left - 1 - std::min(left - 1, behind_point);
        if (grouped_ && before_point > 0 && before_point % 3 == 0) *out++ = ',';
    }
    return out;
}

std::size_t NumberFormat::Longest(std::size_t longest) const {
    std::size_t size = std::max(longest, digits_min_) + (plus_ ? 1 : 0);
    if (grouped_) size += (std::max<std::size_t>(longest, 1) - 1) / 3;
    return size;
}

}  // namespace kessai::filetemplate::internal
