#include "kessai/pdf/flow.h"

#include <algorithm>
#include <cstddef>

#include "kessai/result/check.h"

namespace kessai::pdf {
namespace {

// In sizes of the text.
constexpr double kLeading = 1.35;
constexpr double kRowSpace = 0.55;
constexpr double kCellSpace = 0.4;
constexpr double kHeadingSize = 1.25;
// From the top of a line to its base.
constexpr double kAscent = 1.05;

constexpr Gray kShade{0.93};
constexpr Gray kHair{0.75};
constexpr double kHairWidth = 0.4;
constexpr double kRuleWidth = 0.8;

/// A row's cells in lines, and its height.
struct SetRow {
    std::vector<std::vector<std::string>> cells;
    double height = 0;
};

}  // namespace

Flow::Flow(Document& document, Options options) : document_(document), options_(options) {
    NewPage();
}

void Flow::NewPage() {
    page_ = &document_.AddPage();
    y_ = options_.margin;
}

bool Flow::HasRoom(double height) const {
    return y_ + height <= kPageHeight - options_.margin - options_.foot;
}

void Flow::Heading(std::string_view text) {
    const double size = options_.text_size * kHeadingSize;
    // With the head and a row of the table behind it.
    if (!HasRoom(size * 2 + options_.text_size * (kLeading + kRowSpace) * 2)) NewPage();
    y_ += size * 0.9;
    page_->Fill({left(), y_}, 3, size * 1.1, {0.2});
    page_->Text({left() + 8, y_ + size * kAscent}, size, text);
    y_ += size * 1.6;
}

void Flow::Paragraph(std::string_view text) {
    const double size = options_.text_size;
    for (const std::string& line : document_.font().Wrap(text, size, right() - left())) {
        if (!HasRoom(size * kLeading)) NewPage();
        page_->Text({left(), y_ + size * kAscent}, size, line);
        y_ += size * kLeading;
    }
}

void Flow::SetHead(const std::vector<Column>& columns, const std::vector<double>& edges) {
    const double size = options_.text_size;
    const double height = size * (kLeading + kRowSpace);
    page_->Fill({left(), y_}, right() - left(), height, kShade);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        page_->Text({(edges[i] + edges[i + 1]) / 2, y_ + size * (kRowSpace / 2 + kAscent)}, size,
                    columns[i].head, Align::kCenter);
    }
    page_->Line({left(), y_}, {right(), y_}, kRuleWidth);
    y_ += height;
    page_->Line({left(), y_}, {right(), y_}, kHairWidth);
}

void Flow::Table(const std::vector<Column>& columns, const std::vector<Row>& rows) {
    const double size = options_.text_size;
    double shares = 0;
    for (const Column& column : columns) shares += column.share;
    std::vector<double> edges{left()};
    for (const Column& column : columns) {
        edges.push_back(edges.back() + (right() - left()) * column.share / shares);
    }
    const double line = size * kLeading;
    if (!HasRoom((line + size * kRowSpace) * 2)) NewPage();
    std::vector<SetRow> set;
    for (const Row& row : rows) {
        KESSAI_CHECK(row.cells.size() == columns.size(), "a row has a cell for each column");
        SetRow& added = set.emplace_back();
        std::size_t lines = 1;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            added.cells.push_back(document_.font().Wrap(
                row.cells[i], size, edges[i + 1] - edges[i] - 2 * kCellSpace * size));
            lines = std::max(lines, added.cells.back().size());
        }
        added.height = line * static_cast<double>(lines) + size * kRowSpace;
    }
    SetHead(columns, edges);
    for (std::size_t at = 0; at < rows.size(); ++at) {
        const Row& row = rows[at];
        const double height = set[at].height;
        // A sum does not stand alone on the next page.
        const bool before_sum = at + 1 < rows.size() && rows[at + 1].sum;
        if (!HasRoom(height + (before_sum ? set[at + 1].height : 0))) {
            NewPage();
            SetHead(columns, edges);
        }
        if (row.sum) {
            page_->Fill({left(), y_}, right() - left(), height, kShade);
            page_->Line({left(), y_}, {right(), y_}, kHairWidth);
        }
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const Align align = columns[i].align;
            const double x = align == Align::kLeft     ? edges[i] + kCellSpace * size
                             : align == Align::kCenter ? (edges[i] + edges[i + 1]) / 2
                                                       : edges[i + 1] - kCellSpace * size;
            double base = y_ + size * (kRowSpace / 2 + kAscent);
            for (const std::string& text : set[at].cells[i]) {
                page_->Text({x, base}, size, text, align);
                base += line;
            }
        }
        y_ += height;
        page_->Line({left(), y_}, {right(), y_}, kHairWidth, row.sum ? Gray{} : kHair);
    }
    y_ += size * 0.5;
}

}  // namespace kessai::pdf
