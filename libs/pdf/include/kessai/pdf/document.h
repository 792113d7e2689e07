#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kessai/pdf/font.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::pdf {

/// Points of 1/72 inch, from the upper left corner.
struct Point {
    double x = 0;
    double y = 0;
};

/// Of A4, upright.
inline constexpr double kPageWidth = 595.276;
inline constexpr double kPageHeight = 841.89;

enum class Align { kLeft, kCenter, kRight };

/// 0 black to 1 white.
struct Gray {
    double level = 0;
};

/// One page, drawn in the order of the calls. One thread at a time.
class Page {
 public:
    /// `at` is on the base line: where the text begins, its middle, or where it ends. Characters
    /// that the font has not are set as 〓.
    void Text(Point at, double size, std::string_view text, Align align = Align::kLeft,
              Gray gray = {});
    void Line(Point from, Point to, double width, Gray gray = {});
    void Fill(Point corner, double width, double height, Gray gray);

 private:
    friend class Document;
    struct TextMark {
        Point at;
        double size;
        std::string text;
        Align align;
        Gray gray;
    };
    struct LineMark {
        Point from;
        Point to;
        double width;
        Gray gray;
    };
    struct FillMark {
        Point corner;
        double width;
        double height;
        Gray gray;
    };
    std::vector<std::variant<TextMark, LineMark, FillMark>> marks_;
};

struct DocumentInfo {
    std::string title;
    std::string author;
    /// The only time in the file: not read from a clock, so that the same document is the same
    /// bytes.
    Instant created;
};

/// A document of A4 pages in one font, of which it embeds the characters that it uses. Pages may be
/// drawn on in any order until it is written. One thread at a time; documents that share a font are
/// independent.
class Document {
 public:
    Document(std::shared_ptr<const Font> font, DocumentInfo info)
        : font_(std::move(font)), info_(std::move(info)) {}

    /// References stay good.
    Page& AddPage() { return pages_.emplace_back(); }
    std::deque<Page>& pages() { return pages_; }
    const Font& font() const { return *font_; }

    /// The file. The same pages, information, font and version of the library give the same bytes.
    /// Precondition: a page. INTERNAL PDF_FAILED.
    Result<std::string> Write() const;

 private:
    std::shared_ptr<const Font> font_;
    DocumentInfo info_;
    std::deque<Page> pages_;
};

}  // namespace kessai::pdf
