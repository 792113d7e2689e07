#include "encoding.h"

#include <array>
#include <cstring>
#include <memory>

#include "character_table.h"
#include "kessai/result/check.h"

namespace kessai::filetemplate::internal {
namespace {

constexpr char32_t kNoCharacter = 0xFFFD;
constexpr char32_t kHalfWidthFirst = 0xFF61;
constexpr char32_t kHalfWidthLast = 0xFF9F;
constexpr char32_t kHalfWidthOffset = kHalfWidthFirst - 0xA1;
constexpr std::size_t kPlane = 0x10000;

struct Twin {
    char16_t other;
    char16_t ours;
};
constexpr Twin kTwins[] = {
    {u'\u301C', u'\uFF5E'},  // wave dash, fullwidth tilde
    {u'\u2016', u'\u2225'},  // double vertical line, parallel to
    {u'\u2212', u'\uFF0D'},  // minus sign, fullwidth hyphen-minus
    {u'\u00A2', u'\uFFE0'},  // cent sign
    {u'\u00A3', u'\uFFE1'},  // pound sign
    {u'\u00AC', u'\uFFE2'},  // not sign
    {u'\u2014', u'\u2015'},  // em dash, horizontal bar
};

using Codes = std::array<std::uint16_t, kPlane>;

unsigned HexDigit(char digit) {
    return static_cast<unsigned>(digit <= '9' ? digit - '0' : digit - 'A' + 10);
}

void ReadLine(std::string_view line, Codes& codes) {
    const unsigned lead = HexDigit(line[0]) << 4 | HexDigit(line[1]);
    line.remove_prefix(3);
    for (unsigned trail = 0x40; !line.empty(); ++trail) {
        if (trail == 0x7F) ++trail;
        const char32_t character = TakeCharacter(line);
        KESSAI_CHECK(character < kPlane && trail <= 0xFC, "data/cp932.txt");
        std::uint16_t& code = codes[character];
        if (character != kNoCharacter && code == 0) {
            code = static_cast<std::uint16_t>(lead << 8 | trail);
        }
    }
}

std::unique_ptr<const Codes> ReadCodes() {
    auto codes = std::make_unique<Codes>();
    codes->fill(0);
    std::string_view rest = CharacterTable();
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        ReadLine(rest.substr(0, end), *codes);
        rest.remove_prefix(end + 1);
    }
    for (char32_t kana = kHalfWidthFirst; kana <= kHalfWidthLast; ++kana) {
        (*codes)[kana] = static_cast<std::uint16_t>(kana - kHalfWidthOffset);
    }
    for (const Twin& twin : kTwins) {
        if ((*codes)[twin.other] == 0) (*codes)[twin.other] = (*codes)[twin.ours];
    }
    return codes;
}

const Codes& AllCodes() {
    static const std::unique_ptr<const Codes> codes = ReadCodes();
    return *codes;
}

char* Put(std::uint16_t code, char* out) {
    if (code > 0xFF) *out++ = static_cast<char>(code >> 8);
    *out++ = static_cast<char>(code & 0xFF);
    return out;
}

/// The bytes before the first that is not ASCII.
std::size_t AsciiPrefix(std::string_view text) {
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
        std::uint64_t eight;
        std::memcpy(&eight, text.data() + at, sizeof eight);
        if ((eight & 0x8080808080808080) != 0) break;
    }
    while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
    return at;
}

/// Of kana, kanji and most others at the beginning of `text`; 0 of all that needs a closer look.
std::uint16_t CodeOfThreeBytes(std::string_view text, const Codes& codes) {
    if (text.size() < 3) return 0;
    const auto first = static_cast<unsigned char>(text[0]);
    const auto second = static_cast<unsigned char>(text[1]);
    const auto third = static_cast<unsigned char>(text[2]);
    if ((first & 0xF0) != 0xE0 || (second & 0xC0) != 0x80 || (third & 0xC0) != 0x80) return 0;
    const unsigned character = (first & 0x0Fu) << 12 | (second & 0x3Fu) << 6 | (third & 0x3Fu);
    return character < 0x800 ? std::uint16_t{0} : codes[character];
}

}  // namespace

bool IsUtf8(std::string_view text) {
    while (!text.empty()) {
        text.remove_prefix(AsciiPrefix(text));
        if (!text.empty() && TakeCharacter(text) == kMalformedCharacter) return false;
    }
    return true;
}

std::size_t CharactersIn(std::string_view utf8) {
    std::size_t count = 0;
    for (const char byte : utf8) count += (byte & 0xC0) != 0x80 ? 1 : 0;
    return count;
}

std::size_t BytesOfCharacters(std::string_view utf8, std::size_t count) {
    for (std::size_t at = 0; at < utf8.size(); ++at) {
        if ((utf8[at] & 0xC0) != 0x80 && count-- == 0) return at;
    }
    return utf8.size();
}

std::string ShowCharacter(std::string_view utf8) {
    const std::string_view before = utf8;
    const char32_t character = TakeCharacter(utf8);
    if (character == kMalformedCharacter) return "a byte that is no UTF-8";
    const bool control = character < 0x20 || (character >= 0x7F && character < 0xA0);
    std::string shown(control ? "" : before.substr(0, before.size() - utf8.size()));
    shown += control ? "U+" : " U+";
    for (int shift = character > 0xFFFF ? 20 : 12; shift >= 0; shift -= 4) {
        shown += "0123456789ABCDEF"[character >> shift & 0xF];
    }
    return shown;
}

std::uint16_t ShiftJisOf(char32_t character) {
    return character < kPlane ? AllCodes()[character] : std::uint16_t{0};
}

bool Encoder::Init(Encoding encoding, const std::optional<std::string>& replacement) {
    encoding_ = encoding;
    replacement_.reset();
    if (!replacement) return true;
    std::string_view text = *replacement;
    if (text.empty()) return false;
    const char32_t character = TakeCharacter(text);
    if (character == kMalformedCharacter || !text.empty()) return false;
    const std::uint16_t code =
        character < 0x80 ? static_cast<std::uint16_t>(character) : ShiftJisOf(character);
    replacement_ = code;
    return code != 0;
}

Encoder::Encoded Encoder::Encode(std::string_view utf8, char* out) const {
    if (encoding_ == Encoding::kShiftJis) return EncodeShiftJis(utf8, out);
    for (std::string_view rest = utf8; !rest.empty();) {
        rest.remove_prefix(AsciiPrefix(rest));
        if (!rest.empty() && TakeCharacter(rest) == kMalformedCharacter) {
            return {Outcome::kMalformed, out, utf8.size() - rest.size()};
        }
    }
    if (!utf8.empty()) std::memcpy(out, utf8.data(), utf8.size());
    return {Outcome::kDone, out + utf8.size(), 0};
}

Encoder::Encoded Encoder::EncodeShiftJis(std::string_view utf8, char* out) const {
    const Codes& codes = AllCodes();
    for (std::string_view rest = utf8; !rest.empty();) {
        if (const std::size_t ascii = AsciiPrefix(rest); ascii > 0) {
            std::memcpy(out, rest.data(), ascii);
            out += ascii;
            rest.remove_prefix(ascii);
            continue;
        }
        if (const std::uint16_t code = CodeOfThreeBytes(rest, codes); code != 0) [[likely]] {
            out = Put(code, out);
            rest.remove_prefix(3);
            continue;
        }
        const std::size_t at = utf8.size() - rest.size();
        const char32_t character = TakeCharacter(rest);
        if (character == kMalformedCharacter) return {Outcome::kMalformed, out, at};
        std::uint16_t code = character < kPlane ? codes[character] : std::uint16_t{0};
        if (code == 0) {
            if (!replacement_) return {Outcome::kLacking, out, at};
            code = *replacement_;
        }
        out = Put(code, out);
    }
    return {Outcome::kDone, out, 0};
}

std::optional<std::size_t> Encoder::SizeOf(std::string_view utf8) const {
    std::string bytes(utf8.size(), '\0');
    const Encoded encoded = Encode(utf8, bytes.data());
    if (encoded.outcome != Outcome::kDone) return std::nullopt;
    return static_cast<std::size_t>(encoded.end - bytes.data());
}

}  // namespace kessai::filetemplate::internal
