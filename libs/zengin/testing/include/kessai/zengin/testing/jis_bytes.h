#pragma once

#include <string>
#include <string_view>

namespace kessai::zengin {

/// The bytes of ASCII and half-width kana in JIS X 0201, by their place in the UTF-8 block (EF BD
/// A1 to EF BE 9F): apart from the library's own conversion, so that it can be tested against it.
inline std::string JisBytes(std::string_view utf8) {
    std::string bytes;
    for (std::size_t at = 0; at < utf8.size(); ++at) {
        if (utf8[at] != '\xEF') {
            bytes += utf8[at];
            continue;
        }
        const bool second_half = utf8[at + 1] == '\xBE';
        bytes +=
            static_cast<char>(static_cast<unsigned char>(utf8[at + 2]) + (second_half ? 0x40 : 0));
        at += 2;
    }
    return bytes;
}

}  // namespace kessai::zengin
