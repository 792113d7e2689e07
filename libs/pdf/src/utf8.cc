#include "utf8.h"

#include <cstddef>
#include <cstdint>

namespace kessai::pdf::internal {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

struct Lead {
    std::size_t length;
    char32_t bits;
    char32_t lowest;
};

Lead LeadOf(unsigned char byte) {
    if (byte < 0x80) return {1, byte, 0};
    if ((byte & 0xE0) == 0xC0) return {2, byte & 0x1Fu, 0x80};
    if ((byte & 0xF0) == 0xE0) return {3, byte & 0x0Fu, 0x800};
    if ((byte & 0xF8) == 0xF0) return {4, byte & 0x07u, 0x10000};
    return {0, 0, 0};
}

}  // namespace

char32_t TakeCharacter(std::string_view& text) {
    const Lead lead = LeadOf(static_cast<unsigned char>(text.front()));
    char32_t character = lead.bits;
    bool valid = lead.length > 0 && lead.length <= text.size();
    for (std::size_t i = 1; valid && i < lead.length; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        valid = (byte & 0xC0) == 0x80;
        character = (character << 6) | (byte & 0x3Fu);
    }
    valid = valid && character >= lead.lowest && character <= 0x10FFFF &&
            (character < 0xD800 || character > 0xDFFF);
    text.remove_prefix(valid ? lead.length : 1);
    return valid ? character : kReplacement;
}

void AppendCharacter(char32_t character, std::string& text) {
    const auto add = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
    if (character < 0x80) {
        add(character);
    } else if (character < 0x800) {
        add(0xC0 | (character >> 6));
        add(0x80 | (character & 0x3F));
    } else if (character < 0x10000) {
        add(0xE0 | (character >> 12));
        add(0x80 | ((character >> 6) & 0x3F));
        add(0x80 | (character & 0x3F));
    } else {
        add(0xF0 | (character >> 18));
        add(0x80 | ((character >> 12) & 0x3F));
        add(0x80 | ((character >> 6) & 0x3F));
        add(0x80 | (character & 0x3F));
    }
}

}  // namespace kessai::pdf::internal
