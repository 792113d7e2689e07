#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kessai/pdf/document.h"

namespace kessai::pdf {

struct Column {
    std::string head;
    /// Its part of the width, beside the others'.
    double share = 1;
    Align align = Align::kLeft;
};

struct Row {
    /// As many as there are columns. A cell that is too long goes on in further lines.
    std::vector<std::string> cells;
    /// Of a sum: set off from the rows above.
    bool sum = false;
};

/// Sets text and tables from top to bottom, and takes a new page where one is full. `document` must
/// outlive it. One thread at a time.
class Flow {
 public:
    struct Options {
        double margin = 42;
        /// Kept free at the foot of each page, for what is the same on all of them.
        double foot = 24;
        double text_size = 8.5;
    };
    Flow(Document& document, Options options);
    explicit Flow(Document& document) : Flow(document, Options()) {}

    /// A line that begins a part; not the last one of its page.
    void Heading(std::string_view text);
    /// Wrapped.
    void Paragraph(std::string_view text);
    /// The head is set again on each page that the table reaches.
    void Table(const std::vector<Column>& columns, const std::vector<Row>& rows);
    void Space(double height) { y_ += height; }

    Page& page() { return *page_; }
    double left() const { return options_.margin; }
    double right() const { return kPageWidth - options_.margin; }
    /// Where the next thing is set.
    double y() const { return y_; }
    void MoveTo(double y) { y_ = y; }

 private:
    void NewPage();
    bool HasRoom(double height) const;
    void SetHead(const std::vector<Column>& columns, const std::vector<double>& edges);

    Document& document_;
    const Options options_;
    Page* page_ = nullptr;
    double y_ = 0;
};

}  // namespace kessai::pdf
