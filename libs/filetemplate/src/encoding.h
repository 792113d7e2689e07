#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kessai/text/utf8.h"

/// UTF-8, and Shift_JIS as Windows has it (code page 932).
namespace kessai::filetemplate::internal {

using text::kMalformedCharacter;
using text::TakeCharacter;

bool IsUtf8(std::string_view text);
/// How many characters well-formed UTF-8 has.
std::size_t CharactersIn(std::string_view utf8);
/// The bytes of the first `count` characters, of all if there are fewer.
std::size_t BytesOfCharacters(std::string_view utf8, std::size_t count);
/// "あ U+3042", without the character itself if it is a control character.
std::string ShowCharacter(std::string_view utf8);

/// The code of a character beyond ASCII: one byte of a half-width kana, two of the others, 0 of
/// what code page 932 lacks. Beside Windows' own mapping it takes the characters that other systems
/// have in the place of its own (JIS X 0208 by Unicode's former table, and Apple's): 〜 ‖ − ¢ £ ¬
/// —.
std::uint16_t ShiftJisOf(char32_t character);

enum class Encoding : std::uint8_t { kUtf8, kUtf8Bom, kShiftJis };

class Encoder {
 public:
    enum class Outcome : std::uint8_t { kDone, kLacking, kMalformed };
    struct Encoded {
        Outcome outcome;
        char* end;
        /// Of what is not kDone: where in the text.
        std::size_t at;
    };

    Encoder() = default;
    /// `replacement`: the character for each one that the encoding lacks; none to refuse them.
    /// Refuses (false) more or less than one character, and one that the encoding lacks itself.
    bool Init(Encoding encoding, const std::optional<std::string>& replacement);

    Encoding encoding() const { return encoding_; }
    /// Writes at most as many bytes as `utf8` has.
    Encoded Encode(std::string_view utf8, char* out) const;
    /// The encoded size, none where it can't be.
    std::optional<std::size_t> SizeOf(std::string_view utf8) const;

 private:
    Encoded EncodeShiftJis(std::string_view utf8, char* out) const;

    Encoding encoding_ = Encoding::kUtf8;
    std::optional<std::uint16_t> replacement_;
};

}  // namespace kessai::filetemplate::internal
