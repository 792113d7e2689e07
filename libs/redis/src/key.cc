#include "kessai/redis/key.h"

#include <array>
#include <cstdint>

namespace kessai::redis {

std::string Key(std::string_view prefix, std::string_view tag, std::string_view rest) {
    std::string key;
    key.reserve(prefix.size() + tag.size() + rest.size() + 4);
    key.append(prefix).append(":{");
    for (const char c : tag) key.push_back(c == '}' ? '_' : c);
    key.push_back('}');
    if (!rest.empty()) key.append(":").append(rest);
    return key;
}

int SlotOf(std::string_view key) {
    if (const auto open = key.find('{'); open != std::string_view::npos) {
        const auto close = key.find('}', open + 1);
        if (close != std::string_view::npos && close > open + 1) {
            key = key.substr(open + 1, close - open - 1);
        }
    }
    // CRC16/XMODEM, as the cluster specification says.
    static constexpr auto kTable = [] {
        std::array<std::uint16_t, 256> table{};
        for (unsigned byte = 0; byte < 256; ++byte) {
            unsigned crc = byte << 8;
            for (int bit = 0; bit < 8; ++bit) {
                crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
            }
            table[byte] = static_cast<std::uint16_t>(crc);
        }
        return table;
    }();
    unsigned crc = 0;
    for (const char c : key) {
        crc = ((crc << 8) & 0xffff) ^ kTable[((crc >> 8) ^ static_cast<unsigned char>(c)) & 0xff];
    }
    return static_cast<int>(crc % 16'384);
}

}  // namespace kessai::redis
