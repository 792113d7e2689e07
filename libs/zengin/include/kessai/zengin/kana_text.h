#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "kessai/result/result.h"

namespace kessai::zengin {

namespace reason {
/// INVALID_ARGUMENT: a character that a transfer can't carry; the message names the first of them
/// and its place.
inline constexpr std::string_view kKanaNotAllowed = "KANA_NOT_ALLOWED";
}  // namespace reason

/// Text in the characters that a transfer carries through the Zengin system, kept as its bytes in a
/// file: one byte a character, JIS X 0201, which is also the single-byte half of Shift_JIS.
///
///     0-9 A-Z space  ( ) - . / \ ,   ｢ ｣   ｱ to ﾝ without ｦ and small kana   ﾞ ﾟ
///
/// \ is byte 5C, which JIS X 0201 shows as the yen sign. Source: the character tables that banks
/// publish with the Japanese Bankers Association's record format (全銀協規定形式); README.md.
/// Value type.
class KanaText {
 public:
    KanaText() = default;

    /// Converts UTF-8 as people type it: hiragana, full-width and half-width katakana, full-width
    /// and half-width letters, digits and symbols. Letters become capitals, small kana large,
    /// voiced kana two characters, every dash and the long vowel sign a hyphen, ヲ an ｵ. White
    /// space is kept, as it separates family from given name. Refuses with KANA_NOT_ALLOWED what
    /// has no permitted form: kanji, ・, ＆, malformed UTF-8.
    static Result<KanaText> FromText(std::string_view utf8);
    /// Takes the bytes of a file as they are; refuses with KANA_NOT_ALLOWED.
    static Result<KanaText> FromBytes(std::string_view bytes);

    const std::string& bytes() const { return bytes_; }
    /// Bytes, and characters as banks count them: ガ is two.
    std::size_t size() const { return bytes_.size(); }
    bool empty() const { return bytes_.empty(); }

    /// The first `size_max` characters: how banks give a name that is too long for its field.
    KanaText First(std::size_t size_max) const;
    /// Half-width kana in UTF-8, for columns, logs and people. FromText() reads it back.
    std::string ToUtf8() const;

    bool operator==(const KanaText&) const = default;

 private:
    explicit KanaText(std::string bytes) : bytes_(std::move(bytes)) {}
    std::string bytes_;
};

}  // namespace kessai::zengin
