#include "domain/text_rules.h"

#include <algorithm>
#include <charconv>

namespace kessai::gateway::domain {

namespace {
bool IsAlphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
}  // namespace

bool IsPartnerKey(std::string_view text) {
    return !text.empty() && text.size() <= kPartnerKeyLengthMax &&
           std::all_of(text.begin(), text.end(),
                       [](char c) { return IsAlphanumeric(c) || c == '-' || c == '_'; });
}

std::optional<std::size_t> CodePointsOf(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++count) {
        const auto lead = static_cast<unsigned char>(text[i]);
        if (lead < 0x80) {
            const bool control = lead < 0x20 || lead == 0x7f;
            if (control && lead != '\t' && lead != '\n' && lead != '\r') return std::nullopt;
            ++i;
            continue;
        }
        // RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
        std::size_t length = 0;
        unsigned char low = 0x80;
        unsigned char high = 0xbf;
        if (lead >= 0xc2 && lead <= 0xdf) {
            length = 2;
        } else if (lead >= 0xe0 && lead <= 0xef) {
            length = 3;
            if (lead == 0xe0) low = 0xa0;
            if (lead == 0xed) high = 0x9f;
        } else if (lead >= 0xf0 && lead <= 0xf4) {
            length = 4;
            if (lead == 0xf0) low = 0x90;
            if (lead == 0xf4) high = 0x8f;
        }
        if (length == 0 || i + length > text.size()) return std::nullopt;
        for (std::size_t k = 1; k < length; ++k) {
            const auto byte = static_cast<unsigned char>(text[i + k]);
            if (byte < low || byte > high) return std::nullopt;
            low = 0x80;
            high = 0xbf;
        }
        i += length;
    }
    return count;
}

bool IsText(std::string_view text, std::size_t length_max) {
    if (text.size() > length_max * 4) return false;
    const auto length = CodePointsOf(text);
    return length && *length <= length_max;
}

std::optional<std::int64_t> ParseId(std::string_view text) {
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{} || end != text.data() + text.size() || id <= 0 ||
        text.front() == '0') {
        return std::nullopt;
    }
    return id;
}

bool IsCodeId(std::string_view text) {
    return text.size() == 19 && text.starts_with("04-") &&
           std::all_of(text.begin() + 3, text.end(), IsAlphanumeric);
}

}  // namespace kessai::gateway::domain
