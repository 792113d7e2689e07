#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/filetemplate/writer.h"
#include "layout.h"
#include "line_buffer.h"

namespace kessai::filetemplate::internal {

/// Finds out about a cell's bytes, sixteen at a time.
class ByteClasses {
 public:
    struct Found {
        bool needs_quotes = false;
        bool beyond_ascii = false;
    };

    explicit ByteClasses(const Layout& layout);

    Found In(std::string_view text) const {
        const std::size_t size = text.size();
        const char* const begin = text.data();
        const char* const end = begin + size;
        Bytes special = {};
        Bytes all = {};
        if (size >= 16) {
            // The last ones overlap those before.
            for (const char* at = begin; at + 16 < end; at += 16) Add(Load(at), special, all);
            Add(Load(end - 16), special, all);
        } else if (size >= 8) {
            Add(Pair(LoadAs<std::uint64_t>(begin), LoadAs<std::uint64_t>(end - 8)), special, all);
        } else if (size >= 4) {
            const std::uint64_t eight =
                LoadAs<std::uint32_t>(begin) | std::uint64_t{LoadAs<std::uint32_t>(end - 4)} << 32;
            Add(Pair(eight, eight), special, all);
        } else if (size > 0) {
            // Of three bytes at most each is the first, the middle or the last one; zeros are
            // nothing.
            const auto byte = [begin](std::size_t i) {
                return std::uint64_t{static_cast<unsigned char>(begin[i])};
            };
            const std::uint64_t three = byte(0) | byte(size / 2) << 8 | byte(size - 1) << 16;
            Add(Pair(three, three), special, all);
        }
        constexpr std::uint64_t kHighBits = 0x8080808080808080;
        return {(Half(special, 0) | Half(special, 1)) != 0,
                ((Half(all, 0) | Half(all, 1)) & kHighBits) != 0};
    }

 private:
    using Bytes = std::uint8_t __attribute__((vector_size(16)));

    template <class T>
    static T LoadAs(const char* bytes) {
        T loaded;
        std::memcpy(&loaded, bytes, sizeof loaded);
        return loaded;
    }
    static Bytes Load(const char* bytes) { return LoadAs<Bytes>(bytes); }
    static Bytes Pair(std::uint64_t first, std::uint64_t second) {
        const std::uint64_t both[2] = {first, second};
        return LoadAs<Bytes>(reinterpret_cast<const char*>(both));
    }
    static std::uint64_t Half(const Bytes& bytes, int which) {
        std::uint64_t halves[2];
        std::memcpy(halves, &bytes, sizeof halves);
        return halves[which];
    }
    void Add(Bytes bytes, Bytes& special, Bytes& all) const {
        all |= bytes;
        for (const Bytes& one : special_) special |= static_cast<Bytes>(bytes == one);
    }

    /// Line ends, the delimiter and the quote, sixteen times each.
    std::array<Bytes, 4> special_;
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
