#include "kessai/zengin/kana_text.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "kessai/text/utf8.h"

namespace kessai::zengin {
namespace {

// Pairs, position by position.
constexpr std::u16string_view kFullKana =
    u"アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワンヲ";
constexpr std::u16string_view kHalfKana = u"ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝｦ";
constexpr std::u16string_view kSmallKana = u"ァィゥェォャュョッヮヵヶｧｨｩｪｫｬｭｮｯ";
constexpr std::u16string_view kSmallKanaMadeLarge = u"ｱｲｳｴｵﾔﾕﾖﾂﾜｶｹｱｲｳｴｵﾔﾕﾖﾂ";
constexpr std::u16string_view kVoicedKana = u"ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ";
constexpr std::u16string_view kVoicedKanaBase = u"ｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎｳ";
constexpr std::u16string_view kSemiVoicedKana = u"パピプペポ";
constexpr std::u16string_view kSemiVoicedKanaBase = u"ﾊﾋﾌﾍﾎ";
constexpr std::u16string_view kSymbols = u"　‐‑–—―−ーｰ￥¥「」゛゜\u3099\u309A";
constexpr std::u16string_view kSymbolsPermitted = u" --------\\\\｢｣ﾞﾟﾞﾟ";
static_assert(kFullKana.size() == kHalfKana.size());
static_assert(kSmallKana.size() == kSmallKanaMadeLarge.size());
static_assert(kVoicedKana.size() == kVoicedKanaBase.size());
static_assert(kSemiVoicedKana.size() == kSemiVoicedKanaBase.size());
static_assert(kSymbols.size() == kSymbolsPermitted.size());

// Half-width kana are one block in Unicode and in JIS X 0201.
constexpr char32_t kHalfWidthFirst = 0xFF61;
constexpr char32_t kHalfWidthLast = 0xFF9F;
constexpr char32_t kJisKanaFirst = 0xA1;
constexpr char32_t kVoiceMark = U'ﾞ';
constexpr char32_t kSemiVoiceMark = U'ﾟ';

void AppendUtf8(char32_t character, std::string& out) {
    if (character < 0x80) {
        out += static_cast<char>(character);
        return;
    }
    out += static_cast<char>(0xE0 | character >> 12);
    out += static_cast<char>(0x80 | (character >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (character & 0x3F));
}

std::optional<char32_t> PairOf(char32_t character, std::u16string_view from,
                               std::u16string_view to) {
    if (character > 0xFFFF) return std::nullopt;
    const std::size_t at = from.find(static_cast<char16_t>(character));
    if (at == std::u16string_view::npos) return std::nullopt;
    return to[at];
}

/// ASCII or half-width kana, as its byte.
std::optional<char> ByteOf(char32_t character) {
    if (character < 0x80) return static_cast<char>(character);
    if (character < kHalfWidthFirst || character > kHalfWidthLast) return std::nullopt;
    return static_cast<char>(character - kHalfWidthFirst + kJisKanaFirst);
}

bool Permits(CharacterSet set, char byte) {
    const auto value = static_cast<unsigned char>(byte);
    if (value >= 0xB1 && value <= 0xDF) return true;
    if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z')) return true;
    switch (value) {
        case ' ':
        case '(':
        case ')':
        case '-':
        case '.':
            return true;
        case '/':
        case '\\':
        case 0xA2:  // ｢
        case 0xA3:  // ｣
        case 0xA6:  // ｦ
            return set == CharacterSet::kEdi;
        default:
            return false;
    }
}

struct HalfWidth {
    char32_t character = 0;
    char32_t mark = 0;
};

/// The half-width form; of what has none, the character itself.
HalfWidth ToHalfWidth(char32_t character) {
    constexpr char32_t kHiraganaToKatakana = U'ア' - U'あ';
    if (character >= U'ぁ' && character <= U'ゖ') character += kHiraganaToKatakana;
    if (character >= U'！' && character <= U'～') character -= U'！' - U'!';
    if (character >= U'a' && character <= U'z') return {character - (U'a' - U'A')};
    if (const auto kana = PairOf(character, kFullKana, kHalfKana)) return {*kana};
    if (const auto kana = PairOf(character, kSmallKana, kSmallKanaMadeLarge)) return {*kana};
    if (const auto kana = PairOf(character, kVoicedKana, kVoicedKanaBase)) {
        return {*kana, kVoiceMark};
    }
    if (const auto kana = PairOf(character, kSemiVoicedKana, kSemiVoicedKanaBase)) {
        return {*kana, kSemiVoiceMark};
    }
    if (const auto symbol = PairOf(character, kSymbols, kSymbolsPermitted)) return {*symbol};
    return {character};
}

std::string_view WithoutSpacesBehind(std::string_view bytes) {
    return bytes.substr(0, bytes.find_last_not_of(' ') + 1);
}

Status NotAllowed(std::size_t place, const std::string& what) {
    return Status(
        Code::kInvalidArgument, reason::kKanaNotAllowed,
        "character " + std::to_string(place) + ", " + what + ", can't be carried by a transfer");
}

std::string Hexadecimal(std::uint32_t value, int digits) {
    while (value >> (4 * digits) != 0) ++digits;
    std::string text;
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
        text += "0123456789ABCDEF"[value >> shift & 0xF];
    }
    return text;
}

}  // namespace

Result<KanaText> KanaText::FromText(std::string_view utf8, CharacterSet set) {
    std::string bytes;
    for (std::size_t place = 1; !utf8.empty(); ++place) {
        const std::string_view before = utf8;
        const char32_t character = text::TakeCharacter(utf8);
        if (character == text::kMalformedCharacter) return NotAllowed(place, "which is no UTF-8");
        const HalfWidth half = ToHalfWidth(character);
        const std::optional<char> byte = ByteOf(half.character);
        if (!byte || !Permits(set, *byte)) {
            const bool control = character < 0x20 || (character >= 0x7F && character < 0xA0);
            const std::string shown(before.substr(0, before.size() - utf8.size()));
            return NotAllowed(place,
                              (control ? "" : shown + " ") + "U+" + Hexadecimal(character, 4));
        }
        bytes += *byte;
        if (half.mark != 0) bytes += *ByteOf(half.mark);
    }
    const std::string_view kept = WithoutSpacesBehind(bytes);
    return KanaText(std::string(kept.substr(std::min(kept.find_first_not_of(' '), kept.size()))));
}

Result<KanaText> KanaText::FromBytes(std::string_view bytes, CharacterSet set) {
    bytes = WithoutSpacesBehind(bytes);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        if (Permits(set, bytes[at])) continue;
        return NotAllowed(at + 1, "byte " + Hexadecimal(static_cast<unsigned char>(bytes[at]), 2));
    }
    return KanaText(std::string(bytes));
}

bool KanaText::Fits(CharacterSet set) const {
    for (const char byte : bytes_) {
        if (!Permits(set, byte)) return false;
    }
    return true;
}

KanaText KanaText::First(std::size_t size_max) const {
    return KanaText(std::string(WithoutSpacesBehind(std::string_view(bytes_).substr(0, size_max))));
}

std::string KanaText::ToUtf8() const {
    std::string text;
    for (const char byte : bytes_) {
        const auto value = static_cast<unsigned char>(byte);
        AppendUtf8(value < 0x80 ? value : value - kJisKanaFirst + kHalfWidthFirst, text);
    }
    return text;
}

}  // namespace kessai::zengin
