#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kessai/result/result.h"

namespace kessai::pdf {

namespace reason {
/// INVALID_ARGUMENT: the file is not there, or is no scalable font with Unicode characters.
inline constexpr std::string_view kFontUnreadable = "FONT_UNREADABLE";
/// INVALID_ARGUMENT: a text has a character that the font has not, or is not UTF-8.
inline constexpr std::string_view kNotPrintable = "NOT_PRINTABLE";
/// INTERNAL: the library under this one failed (out of memory).
inline constexpr std::string_view kPdfFailed = "PDF_FAILED";
}  // namespace reason

/// Where Debian's fonts-ipaexfont-gothic puts its font.
inline constexpr std::string_view kIpaexGothicFile =
    "/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf";

/// A font file, read once. Immutable, so thread safe; documents share it.
class Font {
 public:
    /// Refuses with FONT_UNREADABLE.
    static Result<std::shared_ptr<const Font>> Open(const std::string& file);

    /// Refuses with NOT_PRINTABLE, and names the character, what cannot be set in this font.
    Status CheckPrintable(std::string_view text) const;
    /// The text with 〓, the printers' mark for a missing character, for what the font has not.
    std::string Printable(std::string_view text) const;

    /// In the unit of `size`. What the font has not is as wide as 〓.
    double WidthOf(std::string_view text, double size) const;
    /// `text` in lines of at most `width`, broken between any two characters (Japanese has no
    /// spaces to break at), but within a run of ASCII letters and digits only where it fills a line
    /// alone. At least one line.
    std::vector<std::string> Wrap(std::string_view text, double size, double width) const;

    /// The file's bytes.
    const std::string& content() const { return content_; }

 private:
    Font() = default;
    double AdvanceOf(char32_t character) const;

    std::string content_;
    /// Of each character, in ems.
    std::unordered_map<char32_t, double> advances_;
};

}  // namespace kessai::pdf
