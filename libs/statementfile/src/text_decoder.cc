#include "text_decoder.h"

#include <iconv.h>

#include <algorithm>

#include "kessai/result/check.h"

namespace kessai::statementfile {

std::string_view NameOf(TextEncoding encoding) {
    switch (encoding) {
        case TextEncoding::kUtf8:
            return "UTF-8";
        case TextEncoding::kShiftJis:
            return "Shift_JIS";
        case TextEncoding::kEucJp:
            return "EUC-JP";
    }
    return "";
}

namespace internal {
namespace {

bool IsAscii(std::string_view bytes) {
    return std::ranges::all_of(bytes, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool IsContinuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// The size of the character that `bytes` begins with, 0 if none does.
std::size_t SizeOfCharacter(std::string_view bytes) {
    const auto lead = static_cast<unsigned char>(bytes.front());
    if (lead < 0x80) return 1;
    const std::size_t size = lead < 0xC2   ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
    if (size == 0 || bytes.size() < size) return 0;
    for (std::size_t i = 1; i < size; ++i) {
        if (!IsContinuation(bytes[i])) return 0;
    }
    const auto second = static_cast<unsigned char>(bytes[1]);
    // Longer than need be, surrogates, beyond U+10FFFF.
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
        (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
        return 0;
    }
    return size;
}

}  // namespace

bool IsUtf8(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t size = SizeOfCharacter(bytes);
        if (size == 0) return false;
        bytes.remove_prefix(size);
    }
    return true;
}

std::size_t CountWideCharacters(std::string_view utf8) {
    return static_cast<std::size_t>(std::ranges::count_if(
        utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xF0) == 0xE0; }));
}

struct TextDecoder::Converter {
    explicit Converter(const char* from) : handle(iconv_open("UTF-8", from)) {
        KESSAI_CHECK(handle != reinterpret_cast<iconv_t>(-1), "the C library has no such encoding");
    }
    ~Converter() { iconv_close(handle); }
    Converter(const Converter&) = delete;
    Converter& operator=(const Converter&) = delete;

    iconv_t handle;
};

TextDecoder::TextDecoder(TextEncoding encoding) : encoding_(encoding) {
    if (encoding == TextEncoding::kShiftJis) converter_ = std::make_unique<Converter>("CP932");
    if (encoding == TextEncoding::kEucJp) converter_ = std::make_unique<Converter>("EUC-JP");
}
TextDecoder::~TextDecoder() = default;

std::optional<std::string> TextDecoder::Decode(std::string_view line) {
    // Text of two bytes a character has them.
    if (line.find('\0') != std::string_view::npos) return std::nullopt;
    if (IsAscii(line)) return std::string(line);
    if (!converter_) return IsUtf8(line) ? std::optional<std::string>(line) : std::nullopt;
    std::string text(3 * line.size(), '\0');
    std::string bytes(line);
    char* in = bytes.data();
    char* out = text.data();
    std::size_t in_left = bytes.size();
    std::size_t out_left = text.size();
    iconv(converter_->handle, nullptr, nullptr, nullptr, nullptr);
    if (iconv(converter_->handle, &in, &in_left, &out, &out_left) != 0 || in_left != 0) {
        return std::nullopt;
    }
    text.resize(text.size() - out_left);
    return text;
}

}  // namespace internal
}  // namespace kessai::statementfile
