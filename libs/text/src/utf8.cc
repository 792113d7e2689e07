#include "kessai/text/utf8.h"

#include <cstddef>

namespace kessai::text {
namespace {

/// How many bytes the character has that begins with `lead`, 0 if none begins so.
std::size_t SizeOfCharacter(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead < 0xC2) return 0;
    if (lead < 0xE0) return 2;
    if (lead < 0xF0) return 3;
    return lead < 0xF5 ? 4 : 0;
}

}  // namespace

char32_t TakeCharacter(std::string_view& text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t size = SizeOfCharacter(lead);
    if (size == 0 || text.size() < size) return kMalformedCharacter;
    char32_t character = size == 1 ? lead : lead & (0x7Fu >> size);
    for (std::size_t at = 1; at < size; ++at) {
        const auto next = static_cast<unsigned char>(text[at]);
        if ((next & 0xC0) != 0x80) return kMalformedCharacter;
        character = character << 6 | (next & 0x3F);
    }
    constexpr char32_t kSmallestOfSize[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = character >= 0xD800 && character <= 0xDFFF;
    if (character < kSmallestOfSize[size] || surrogate || character > 0x10FFFF) {
        return kMalformedCharacter;
    }
    text.remove_prefix(size);
    return character;
}

}  // namespace kessai::text
