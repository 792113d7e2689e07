#include "kessai/pdf/font.h"

#include <ft2build.h>
// FreeType names its headers by macros.
#include FT_FREETYPE_H
#include FT_ADVANCES_H

#include <fstream>
#include <sstream>
#include <utility>

#include "utf8.h"

namespace kessai::pdf {
namespace {

constexpr char32_t kMissing = U'〓';

struct Library {
    Library() { ok = FT_Init_FreeType(&library) == 0; }
    ~Library() {
        if (ok) FT_Done_FreeType(library);
    }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    FT_Library library = nullptr;
    bool ok = false;
};

Status Unreadable(const std::string& file, std::string_view why) {
    return Status(Code::kInvalidArgument, reason::kFontUnreadable, file + ": " + std::string(why));
}

bool IsRunCharacter(char32_t character) {
    return (character >= U'0' && character <= U'9') || (character >= U'A' && character <= U'Z') ||
           (character >= U'a' && character <= U'z');
}

std::string Hex(char32_t character) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    std::string hex;
    for (int shift = character > 0xFFFF ? 20 : 12; shift >= 0; shift -= 4) {
        hex.push_back(kDigits[(character >> shift) & 15]);
    }
    return hex;
}

}  // namespace

Result<std::shared_ptr<const Font>> Font::Open(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return Unreadable(file, "cannot be read");
    const std::shared_ptr<Font> font(new Font());
    std::ostringstream content;
    content << stream.rdbuf();
    font->content_ = std::move(content).str();

    const Library freetype;
    FT_Face face = nullptr;
    if (!freetype.ok ||
        FT_New_Memory_Face(freetype.library,
                           reinterpret_cast<const FT_Byte*>(font->content_.data()),
                           static_cast<FT_Long>(font->content_.size()), 0, &face) != 0) {
        return Unreadable(file, "is no font");
    }
    if (FT_IS_SCALABLE(face) && face->units_per_EM > 0 &&
        FT_Select_Charmap(face, FT_ENCODING_UNICODE) == 0) {
        FT_UInt glyph = 0;
        for (FT_ULong code = FT_Get_First_Char(face, &glyph); glyph != 0;
             code = FT_Get_Next_Char(face, code, &glyph)) {
            FT_Fixed advance = 0;
            if (FT_Get_Advance(face, glyph, FT_LOAD_NO_SCALE, &advance) != 0) continue;
            font->advances_[static_cast<char32_t>(code)] =
                static_cast<double>(advance) / face->units_per_EM;
        }
    }
    FT_Done_Face(face);
    if (!font->advances_.contains(kMissing)) return Unreadable(file, "has no Japanese characters");
    return std::shared_ptr<const Font>(font);
}

Status Font::CheckPrintable(std::string_view text) const {
    while (!text.empty()) {
        const char32_t character = internal::TakeCharacter(text);
        if (!advances_.contains(character)) {
            return Status(Code::kInvalidArgument, reason::kNotPrintable,
                          "the font has no character U+" + Hex(character));
        }
    }
    return OkStatus();
}

std::string Font::Printable(std::string_view text) const {
    std::string printable;
    while (!text.empty()) {
        const char32_t character = internal::TakeCharacter(text);
        internal::AppendCharacter(advances_.contains(character) ? character : kMissing, printable);
    }
    return printable;
}

double Font::AdvanceOf(char32_t character) const {
    const auto found = advances_.find(character);
    return found == advances_.end() ? advances_.at(kMissing) : found->second;
}

double Font::WidthOf(std::string_view text, double size) const {
    double ems = 0;
    while (!text.empty()) ems += AdvanceOf(internal::TakeCharacter(text));
    return ems * size;
}

std::vector<std::string> Font::Wrap(std::string_view text, double size, double width) const {
    std::vector<std::string> lines(1);
    double used = 0;
    while (!text.empty()) {
        // What stays together: one character, or a run of letters and digits.
        std::string piece;
        double wide = 0;
        bool run = true;
        do {
            std::string_view rest = text;
            const char32_t character = internal::TakeCharacter(rest);
            run = IsRunCharacter(character);
            const double advance = AdvanceOf(character) * size;
            if (!piece.empty() && (!run || wide + advance > width)) break;
            internal::AppendCharacter(character, piece);
            wide += advance;
            text = rest;
        } while (run && !text.empty());
        if (used > 0 && used + wide > width) {
            lines.emplace_back();
            used = 0;
        }
        lines.back() += piece;
        used += wide;
    }
    return lines;
}

}  // namespace kessai::pdf
