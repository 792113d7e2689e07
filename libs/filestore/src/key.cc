#include "kessai/filestore/file_store.h"
#include "kessai/text/utf8.h"

namespace kessai::filestore {
namespace {

constexpr std::size_t kKeyBytesMax = 900;
constexpr std::size_t kPartBytesMax = 255;

Status Invalid(std::string_view key, const std::string& why) {
    return {Code::kInvalidArgument, reason::kKeyInvalid,
            "the key \"" + std::string(key.substr(0, kPartBytesMax)) + "\" " + why};
}

}  // namespace

Status CheckKey(std::string_view key) {
    if (key.size() > kKeyBytesMax) {
        return Invalid(key, "is longer than " + std::to_string(kKeyBytesMax) + " bytes");
    }
    for (std::string_view rest = key;;) {
        const std::size_t slash = rest.find('/');
        std::string_view part = rest.substr(0, slash);
        if (part.empty()) return Invalid(key, "has an empty part");
        if (part.size() > kPartBytesMax) {
            return Invalid(key,
                           "has a part longer than " + std::to_string(kPartBytesMax) + " bytes");
        }
        if (part.front() == '.') return Invalid(key, "has a part that begins with a dot");
        while (!part.empty()) {
            const char32_t character = text::TakeCharacter(part);
            if (character == text::kMalformedCharacter) return Invalid(key, "is not UTF-8");
            if (character < 0x20 || (character >= 0x7F && character < 0xA0)) {
                return Invalid(key, "has a control character");
            }
            if (character == U'\\') return Invalid(key, "has a backslash");
        }
        if (slash == std::string_view::npos) return {};
        rest.remove_prefix(slash + 1);
    }
}

}  // namespace kessai::filestore
