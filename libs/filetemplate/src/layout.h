#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "encoding.h"
#include "file_name.h"
#include "program.h"

/// A template, checked and compiled.
namespace kessai::filetemplate::internal {

enum class Quoting : std::uint8_t {
    /// RFC 4180: of values that hold the delimiter, a quote or a line end.
    kNeeded,
    kAlways,
    kNever,
};
enum class Compression : std::uint8_t { kNone, kGzip, kZip };

struct Cell {
    std::string name;
    /// Of Constants::printers.
    std::size_t printer = 0;
    // Of fixed length:
    std::size_t width = 0;
    bool to_the_right = false;
    /// One ASCII character.
    char pad = ' ';
};

struct Line {
    /// The columns' names, or `code`.
    bool is_names = false;
    Ops code = {};
};

struct Split {
    std::optional<std::size_t> field = {};
    Printer printer = {};
    std::uint64_t rows_max = 0;
    /// Of the text of a part, without its trailer.
    std::uint64_t bytes_max = 0;
};

struct Layout {
    std::string source;
    std::size_t fields = 0;
    std::vector<bool> fields_used;
    std::string split_field;

    std::string description;
    int offset_minutes = 0;
    int cut_off_minutes = 0;
    bool makes_empty_files = true;

    Encoder encoder;
    bool fixed_length = false;
    char delimiter = ',';
    Quoting quoting = Quoting::kNeeded;
    std::string line_end = "\n";

    FileName name;
    std::optional<FileName> archive;
    Compression compression = Compression::kNone;
    Split split;

    Constants constants;
    std::vector<Cell> cells;
    /// Filters, then cells from `cells_begin`.
    Ops row;
    std::size_t cells_begin = 0;
    /// Neither knows of the part or its split, and there is no split by a field.
    bool rows_stand_alone = false;
    Ops sums;
    std::vector<Type> sum_types;
    /// Columns of money and their sums.
    std::vector<std::pair<std::string, std::size_t>> column_totals;
    std::vector<Line> header;
    bool counts_in_header = false;
    std::vector<Line> trailer;
    /// Cells of columns, the first ones.
    std::size_t columns = 0;
    /// Cells of their names.
    std::vector<Cell> names;
};

}  // namespace kessai::filetemplate::internal
