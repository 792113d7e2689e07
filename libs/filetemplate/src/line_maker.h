#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/filetemplate/writer.h"
#include "layout.h"
#include "line_buffer.h"

namespace kessai::filetemplate::internal {

/// Finds out about a cell's bytes, eight at a time.
class ByteClasses {
 public:
    struct Found {
        bool needs_quotes = false;
        bool beyond_ascii = false;
    };

    explicit ByteClasses(const Layout& layout);
    Found In(std::string_view text) const;

 private:
    void Add(const char* bytes, std::size_t count, std::uint64_t& special,
             std::uint64_t& high) const;

    std::array<std::uint64_t, 4> special_;
};

/// Makes lines of rows, headers and trailers in a buffer, and adds up the rows' totals. What it
/// knows of the file is what is Set. Belongs to one thread at a time.
class LineMaker {
 public:
    LineMaker(std::shared_ptr<const Layout> layout, const FileContext& context);

    void Set(FileValue value, Value to) { machine_.file()[static_cast<std::size_t>(value)] = to; }
    FileValues& file() { return machine_.file(); }
    Arena& arena() { return machine_.arena(); }
    LineBuffer& buffer() { return buffer_; }
    const LineBuffer& buffer() const { return buffer_; }

    /// The row that comes, from 1: for refusals.
    void BeginRow(std::uint64_t number, Row row) {
        row_number_ = number;
        machine_.Begin(row);
    }
    /// Whether the filters let it through.
    Status Filter(bool& passes);
    /// Its line.
    Status PutRow(Row row);
    /// Adds it to the totals.
    Status AddSums();
    Status PutLines(const std::vector<Line>& lines);

    /// Of the rows since ClearSums, by their number in the template.
    std::vector<Value>& sums() { return machine_.sums(); }
    const std::vector<bool>& summed() const { return summed_; }
    void ClearSums();
    /// Adds the totals of other rows. False, and nothing is added, where one of them would be
    /// refused row by row.
    bool TryAddSums(const std::vector<Value>& sums, const std::vector<bool>& summed);

    /// "row 7, ", as refusals begin.
    std::string Where() const;
    static Status OutOfRangeAt(const std::string& where);

 private:
    Status PutLine(const Ops& code, std::size_t at);
    Status PutNames();
    Status EndLine(std::size_t before);
    Status PutCell(const Cell& cell, std::string_view text, bool is_number);
    Status PutQuoted(const Cell& cell, std::string_view text);
    Status PutFixed(const Cell& cell, std::string_view text, bool has_line_end, bool is_number);
    Status PutEncoded(const Cell& cell, std::string_view text);
    Status AddTo(std::size_t index, const Value& value);

    std::string Where(const Cell& cell) const;
    Status Fail(const Cell& cell, std::string_view reason, const std::string& message) const;
    Status NeedsQuotes(const Cell& cell) const;
    Status OutOfRange(const Ops& code, std::size_t at) const;

    const std::shared_ptr<const Layout> layout_;
    const std::string merchant_id_;
    const ByteClasses classes_;
    Machine machine_;
    LineBuffer buffer_;
    std::vector<bool> summed_;
    std::uint64_t row_number_ = 0;
    bool in_row_ = true;
    bool line_has_cells_ = false;
};

}  // namespace kessai::filetemplate::internal
