#include "domain/byte_range.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace kessai::gateway::domain {
namespace {

std::string_view Trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Digits only; one beyond 64 bits is as good as the largest.
std::optional<std::uint64_t> Position(std::string_view text) {
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return {};
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return std::numeric_limits<std::uint64_t>::max();
    return value;
}

bool BeginsWithBytes(std::string_view field) {
    constexpr std::string_view kUnit = "bytes";
    if (field.size() <= kUnit.size()) return false;
    for (std::size_t i = 0; i < kUnit.size(); ++i) {
        if ((field[i] | 0x20) != kUnit[i]) return false;
    }
    return true;
}

}  // namespace

ByteRange ReadRange(std::string_view field, std::uint64_t file_bytes) {
    ByteRange all{.last = file_bytes == 0 ? 0 : file_bytes - 1};
    field = Trim(field);
    if (!BeginsWithBytes(field)) return all;
    field = Trim(field.substr(5));
    if (field.empty() || field.front() != '=') return all;
    field = Trim(field.substr(1));
    const std::size_t dash = field.find('-');
    if (dash == std::string_view::npos || field.find(',') != std::string_view::npos) return all;
    const auto first = Position(field.substr(0, dash));
    const auto last = Position(field.substr(dash + 1));
    constexpr ByteRange kNone{.kind = ByteRange::Kind::kUnsatisfiable};
    if (dash == 0) {
        // The last so many.
        if (!last) return all;
        if (*last == 0 || file_bytes == 0) return kNone;
        return {ByteRange::Kind::kPart, file_bytes - std::min(*last, file_bytes), file_bytes - 1};
    }
    if (!first || (!last && dash + 1 != field.size()) || (last && *last < *first)) return all;
    if (*first >= file_bytes) return kNone;
    return {ByteRange::Kind::kPart, *first,
            std::min(last.value_or(file_bytes - 1), file_bytes - 1)};
}

}  // namespace kessai::gateway::domain
