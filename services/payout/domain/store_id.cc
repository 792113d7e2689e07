#include "domain/store_id.h"

#include <algorithm>

namespace kessai::payout::domain {
namespace {

/// Bytes 10xxxxxx continue a character.
bool BeginsCharacter(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

bool IsForbidden(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f;
}

}  // namespace

bool FitsStoreId(std::string_view utf8) {
    return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), BeginsCharacter)) <=
           kStoreCharactersMax;
}

bool IsStoreId(std::string_view utf8) {
    return FitsStoreId(utf8) && std::none_of(utf8.begin(), utf8.end(), IsForbidden);
}

}  // namespace kessai::payout::domain
