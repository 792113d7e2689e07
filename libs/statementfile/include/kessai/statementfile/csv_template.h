#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/money/money.h"
#include "kessai/result/result.h"
#include "kessai/statementfile/date_format.h"

namespace kessai::statementfile {

enum class TextEncoding : std::uint8_t {
    kUtf8,
    /// Windows-31J (CP932), which is what Japanese banks and Excel write.
    kShiftJis,
    kEucJp,
};
/// "UTF-8" and so on, for messages.
std::string_view NameOf(TextEncoding encoding);

/// How the lines of a file with balances follow each other.
enum class LineOrder : std::uint8_t { kOldestFirst, kNewestFirst };

/// A column by its name in the header, or by its position ("#3"); none if empty.
struct ColumnReference {
    std::string name = {};
    /// From 1; 0 if by name or none.
    std::size_t position = 0;

    bool given() const { return !name.empty() || position != 0; }
    /// As the template says it.
    std::string ToString() const;
};

/// How a file of separated values is to be read. Made from YAML only; README.md lists the keys.
struct CsvTemplate {
    std::string name = {};
    TextEncoding encoding = TextEncoding::kUtf8;
    char delimiter = ',';
    /// Lines before the header, or before the data.
    std::size_t skip_lines = 0;
    bool has_header = true;
    /// How many columns each line has; 0 for as many as the header, or as needed.
    std::size_t column_count = 0;
    /// Of every line, where there is no column of it.
    std::string account = {};
    Currency currency = Currency::Jpy();

    struct Columns {
        ColumnReference account = {};
        ColumnReference booked = {};
        ColumnReference value_date = {};
        /// Signed, or with `sign` beside it.
        ColumnReference amount = {};
        ColumnReference sign = {};
        /// Instead of `amount`.
        ColumnReference in = {};
        ColumnReference out = {};
        ColumnReference currency = {};
        ColumnReference balance = {};
        ColumnReference counterparty = {};
        ColumnReference text = {};
        std::vector<ColumnReference> references = {};
        /// Lines whose value there is one of `not_booked` are no items.
        ColumnReference status = {};
    };
    Columns columns = {};

    DateFormat date = {};
    /// Between groups of three digits; empty for none.
    std::string thousands = ",";
    std::string decimal = ".";
    /// What may stand before or behind a number: ¥, 円.
    std::vector<std::string> units = {};
    std::vector<std::string> sign_in = {};
    std::vector<std::string> sign_out = {};
    std::vector<std::string> not_booked = {};
    LineOrder order = LineOrder::kOldestFirst;

    /// The line of totals that the file ends with, known by a text in a column; none if empty.
    struct Totals {
        std::string marker = {};
        ColumnReference marker_at = {};
        ColumnReference count = {};
        ColumnReference in = {};
        ColumnReference out = {};
        ColumnReference net = {};
    };
    Totals totals = {};

    /// Refuses with INVALID_ARGUMENT CONFIG_INVALID naming every problem, its line and its key.
    static Result<CsvTemplate> Parse(std::string_view yaml);
};

}  // namespace kessai::statementfile
