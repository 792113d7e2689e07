#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "kessai/result/result.h"

namespace kessai::zengin {

namespace reason {
/// INVALID_ARGUMENT: a character that a transfer can't carry; the message names the first of them
/// and its place.
inline constexpr std::string_view kKanaNotAllowed = "KANA_NOT_ALLOWED";
}  // namespace reason

/// Which characters a field may hold. Of all of them: 0-9, A-Z, ｱ to ﾝ without ｦ and small kana, ﾞ,
/// ﾟ and the space; there is no long vowel sign, a hyphen stands for it. Source: 使用文字一覧,
/// appendix 1 of the Japanese Bankers Association's 適用業務およびレコード・フォーマット (2019);
/// README.md.
enum class CharacterSet {
    /// Names of people, companies, banks and branches: also ( ) - .
    kName,
    /// What goes to the payee as EDI text: also ( ) - . / \ ｢ ｣ and ｦ. \ is byte 5C, which is shown
    /// as the yen sign.
    kEdi,
};

/// Text in the characters that a transfer carries, kept as its bytes in a file: one byte a
/// character, JIS X 0201, which is also the single-byte half of Shift_JIS. Value type.
class KanaText {
 public:
    KanaText() = default;

    /// Converts UTF-8 as people type it: hiragana, full-width and half-width katakana, full-width
    /// and half-width letters, digits and symbols. Letters become capitals, small kana large,
    /// voiced kana two characters, dashes and the long vowel sign a hyphen; spaces around it are
    /// dropped. Refuses with KANA_NOT_ALLOWED what has no such form: kanji, ・, ＆, malformed
    /// UTF-8; in a name ヲ too, for the bank alone knows how it has the name.
    static Result<KanaText> FromText(std::string_view utf8, CharacterSet set = CharacterSet::kName);
    /// Takes the bytes of a field as they are, but for the spaces that fill it up behind; refuses
    /// with KANA_NOT_ALLOWED.
    static Result<KanaText> FromBytes(std::string_view bytes,
                                      CharacterSet set = CharacterSet::kName);

    /// Whether a field of `set` may hold it.
    bool Fits(CharacterSet set) const;

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
