#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/filetemplate/template.h"

namespace kessai::filetemplate {

namespace internal {
class LineMaker;
}

namespace reason {
// Of Writer, INVALID_ARGUMENT unless said otherwise; with the row, from 1 as given, and the column.
/// Longer than its fixed width.
inline constexpr std::string_view kValueTooWide = "FILE_VALUE_TOO_WIDE";
/// The encoding lacks a character, and the template says to refuse it.
inline constexpr std::string_view kCharacterLacking = "FILE_CHARACTER_LACKING";
inline constexpr std::string_view kTextNotUtf8 = "FILE_TEXT_NOT_UTF8";
/// Holds a line end or the delimiter where the template has no quotes.
inline constexpr std::string_view kValueNeedsQuotes = "FILE_VALUE_NEEDS_QUOTES";
/// OUT_OF_RANGE: a number or a total beyond 64 bits, or a day before year 1 or after 9999.
inline constexpr std::string_view kValueOutOfRange = "FILE_VALUE_OUT_OF_RANGE";
/// A total over amounts in several currencies.
inline constexpr std::string_view kCurrenciesMixed = "FILE_CURRENCIES_MIXED";
/// FAILED_PRECONDITION: rows that are split by a field did not come in its order.
inline constexpr std::string_view kRowsOutOfOrder = "FILE_ROWS_OUT_OF_ORDER";
/// FAILED_PRECONDITION: rows are not those that were counted for headers.
inline constexpr std::string_view kRowsChanged = "FILE_ROWS_CHANGED";
/// The name would be empty, longer than 251 bytes, hidden, or hold a slash or control character.
inline constexpr std::string_view kFileNameInvalid = "FILE_NAME_INVALID";
/// OUT_OF_RANGE: an entry of 4 GiB or more, or over 65,535 entries; splitting or gzip helps.
inline constexpr std::string_view kArchiveTooLarge = "FILE_ARCHIVE_TOO_LARGE";
}  // namespace reason

/// The sum of a column of money over the rows of a file.
struct ColumnTotal {
    std::string column;
    Money sum;

    bool operator==(const ColumnTotal&) const = default;
};

/// What is known of a file when all of its bytes are there.
struct WrittenFile {
    std::string name;
    /// From 1; of an archive, its first part's.
    std::uint32_t part = 1;
    /// Of the field that it is split by, if it holds one value of it.
    std::string split_value;
    std::uint64_t rows = 0;
    /// Of the text, and as stored (compressed).
    std::uint64_t text_bytes = 0;
    std::uint64_t bytes = 0;
    /// Of the stored bytes.
    std::array<std::uint8_t, 32> sha256 = {};
    std::vector<ColumnTotal> totals;

    bool operator==(const WrittenFile&) const = default;
};

/// Where files go. Begin, then Write any number of times, then End; one file after the other. A
/// refusal ends the writer. A file without End is a half one, to be dropped.
class FileSink {
 public:
    virtual ~FileSink() = default;
    virtual Status Begin(const std::string& name) = 0;
    virtual Status Write(std::string_view bytes) = 0;
    virtual Status End(const WrittenFile& file) = 0;
};

/// What expressions and file names know as file.….
struct FileContext {
    std::string merchant_id = {};
    BusinessDate date = {};
    Period period = {};
    /// A correction makes a new version.
    std::uint32_t version = 1;
};

/// What a header tells of its part: its rows, and the sums over them by their number in the
/// template.
struct PartCount {
    std::uint64_t rows = 0;
    std::vector<Value> sums;
};

/// Rows that a RowPrinter printed, for the Writer of the same template and context.
struct PrintedRows {
    std::string text;
    /// Those it was given, and those that the filters let through.
    std::uint64_t rows_given = 0;
    std::uint64_t rows = 0;
    /// The template's sums over these, and which of them have anything.
    std::vector<Value> sums;
    std::vector<bool> summed;
};

/// Prints rows ahead of the Writer that takes them, so that several threads can work at one file.
/// One thread at a time; as many printers as one likes.
class RowPrinter {
 public:
    /// Precondition: rows_stand_alone() of the template.
    RowPrinter(const Template& file_template, const FileContext& context);
    RowPrinter(RowPrinter&&) noexcept;
    RowPrinter& operator=(RowPrinter&&) noexcept;
    ~RowPrinter();

    /// Precondition: `row` is of the template's schema. What Writer::Append would refuse is refused
    /// here, with another number of the row; after that the printer is of no use any more.
    Status Append(Row row);
    /// The rows since the last Take.
    PrintedRows Take();

 private:
    std::unique_ptr<internal::LineMaker> lines_;
    std::uint64_t rows_given_ = 0;
    std::uint64_t rows_ = 0;
};

/// Writes the rows of one merchant and period into one file, or several where the template splits
/// them. Holds a buffer of some 300 KiB and the longest line, and allocates nothing for a row. The
/// same template, context and rows give the same bytes; compressed ones, with the same zlib.
/// Belongs to one thread at a time.
///
/// After a refusal every later call gives the same one, and the file that was begun stays half.
class Writer {
 public:
    /// `sink` must outlive it. `counts`: of the parts, where counts_in_header() of the template.
    Writer(const Template& file_template, FileContext context, FileSink& sink,
           std::vector<PartCount> counts = {});
    /// Writes nothing, and counts the same rows for headers.
    static Writer Counting(const Template& file_template, FileContext context);
    Writer(Writer&&) noexcept;
    Writer& operator=(Writer&&) noexcept;
    ~Writer();

    /// Precondition: `row` is of the template's schema, field by field.
    Status Append(Row row);
    /// Appends rows that were printed ahead: the same bytes, counts and totals as by Append of
    /// each. False, and nothing is done, where a part would end among them or a total be refused:
    /// they are to be appended one by one then. Precondition: rows_stand_alone() of the template.
    Result<bool> AppendPrinted(const PrintedRows& rows);
    /// Writes trailers and ends the last file. Not to be called twice.
    Status Finish();

    /// Of a counting writer, after Finish.
    const std::vector<PartCount>& counts() const;
    /// Rows given, and rows written: the filters let these through.
    std::uint64_t rows_given() const;
    std::uint64_t rows_written() const;

 private:
    class Impl;
    explicit Writer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::filetemplate
