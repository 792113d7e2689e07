#include "kessai/filetemplate/template.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "expression.h"
#include "kessai/config/schema.h"
#include "kessai/result/check.h"
#include "layout.h"
#include "time_zone.h"
#include "yaml_reader.h"

namespace kessai::filetemplate {
namespace internal {
namespace {

constexpr int kMinutesPerDay = 24 * 60;
constexpr int kJstOffsetMinutes = 9 * 60;
constexpr std::size_t kWidthMax = 10'000;
constexpr std::size_t kFiltersMax = 100;
constexpr std::size_t kLinesMax = 20;
constexpr std::size_t kMapsMax = 100;
constexpr std::uint64_t kRowsMax = 1'000'000'000'000;

void CheckSchema(const Schema& schema) {
    std::set<std::string_view> names;
    for (const Field& field : schema.fields) {
        const bool is_enum = field.type == Type::kEnum || field.type == Type::kEnumSet;
        KESSAI_CHECK(names.insert(field.name).second, "a field is there twice");
        KESSAI_CHECK(is_enum == !field.values.empty() && field.values.size() <= kEnumValuesMax,
                     "an enum, and nothing else, has 1 to 64 values");
    }
}

std::optional<int> MinutesOf(std::string_view text) {
    if (text.size() != 5 || text[2] != ':') return std::nullopt;
    for (const std::size_t at : {0, 1, 3, 4}) {
        if (text[at] < '0' || text[at] > '9') return std::nullopt;
    }
    const int hours = 10 * (text[0] - '0') + (text[1] - '0');
    const int minutes = 10 * (text[3] - '0') + (text[4] - '0');
    const int all = 60 * hours + minutes;
    if (minutes > 59 || all == 0 || all > kMinutesPerDay) return std::nullopt;
    return all;
}

/// Reads one template. The parts depend on each other in the order of ReadAll.
class Parser {
 public:
    Parser(std::string_view yaml, std::span<const Schema> schemas)
        : reader_(yaml), schemas_(schemas) {}

    Result<std::shared_ptr<const Layout>> Parse() {
        try {
            KESSAI_RETURN_IF_ERROR(ReadAll());
        } catch (const YAML::Exception& e) {
            return Status(Code::kInvalidArgument, reason::kYamlMalformed,
                          "line 1, column 1: " + e.msg);
        }
        return std::shared_ptr<const Layout>(std::move(layout_));
    }

 private:
    Status ReadAll() {
        KESSAI_ASSIGN_OR_RETURN(const YAML::Node root, reader_.Load());
        KESSAI_ASSIGN_OR_RETURN(
            const YamlMap map,
            reader_.Map(root, {"source", "description", "filters", "day", "maps", "columns",
                               "header", "trailer", "lines", "text", "file"}));
        KESSAI_ASSIGN_OR_RETURN(layout_->description, reader_.TextOf(map, "description", ""));
        KESSAI_RETURN_IF_ERROR(ReadSource(map));
        KESSAI_RETURN_IF_ERROR(ReadDay(map));
        KESSAI_RETURN_IF_ERROR(ReadText(map));
        KESSAI_RETURN_IF_ERROR(ReadLines(map));
        KESSAI_RETURN_IF_ERROR(ReadMaps(map));
        Compilation compilation{*schema_, maps_, strict_, layout_->offset_minutes};
        compilation.fields_used.resize(schema_->fields.size());
        KESSAI_RETURN_IF_ERROR(ReadFilters(map, compilation));
        KESSAI_RETURN_IF_ERROR(ReadColumns(map, compilation));
        KESSAI_RETURN_IF_ERROR(ReadExtraLines(map, "header", Place::kHeader, compilation));
        KESSAI_RETURN_IF_ERROR(ReadExtraLines(map, "trailer", Place::kTrailer, compilation));
        KESSAI_RETURN_IF_ERROR(ReadFile(map, compilation));
        layout_->constants = std::move(compilation.constants);
        layout_->sums = std::move(compilation.sums);
        layout_->sums.push_back({OpKind::kEnd});
        layout_->counts_in_header = compilation.counts_in_header;
        layout_->sum_types = std::move(compilation.sum_types);
        layout_->fields_used = std::move(compilation.fields_used);
        layout_->rows_stand_alone =
            !layout_->split.field && !KnowsPart(layout_->row) && !KnowsPart(layout_->sums);
        return OkStatus();
    }

    static bool KnowsPart(const Ops& code) {
        return std::any_of(code.begin(), code.end(), [](const Op& op) {
            return op.kind == OpKind::kFile &&
                   (op.a == static_cast<std::uint32_t>(FileValue::kPart) ||
                    op.a == static_cast<std::uint32_t>(FileValue::kSplit));
        });
    }

    Status ReadSource(const YamlMap& map) {
        KESSAI_ASSIGN_OR_RETURN(const YAML::Node node, reader_.Required(map, "source"));
        KESSAI_ASSIGN_OR_RETURN(layout_->source, reader_.Text(node));
        std::string known;
        for (const Schema& schema : schemas_) {
            if (schema.source == layout_->source) schema_ = &schema;
            known += (known.empty() ? "" : ", ") + schema.source;
        }
        if (schema_ == nullptr) {
            return reader_.At(node, reason::kSourceUnknown,
                              "there is no source \"" + layout_->source + "\"; there are " + known);
        }
        CheckSchema(*schema_);
        layout_->fields = schema_->fields.size();
        return OkStatus();
    }

    Status ReadDay(const YamlMap& map) {
        const auto node = map.Find("day");
        layout_->offset_minutes = kJstOffsetMinutes;
        layout_->cut_off_minutes = kMinutesPerDay;
        if (!node) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const YamlMap day, reader_.Map(*node, {"time_zone", "cut_off"}));
        KESSAI_ASSIGN_OR_RETURN(const std::string zone,
                                reader_.TextOf(day, "time_zone", "Asia/Tokyo"));
        const auto offset = ZoneOffsetMinutes(zone);
        if (!offset) {
            return reader_.At(
                *day.Find("time_zone"), reason::kZoneUnknown,
                "\"" + zone + "\" is no time zone here; allowed are " + std::string(kZonesAllowed));
        }
        KESSAI_ASSIGN_OR_RETURN(const std::string cut_off, reader_.TextOf(day, "cut_off", "24:00"));
        const auto minutes = MinutesOf(cut_off);
        if (!minutes) {
            return reader_.At(*day.Find("cut_off"), reason::kValueInvalid,
                              "\"" + cut_off +
                                  "\" is no time at which a day is cut off; allowed are 00:01 to "
                                  "24:00, its end");
        }
        layout_->offset_minutes = *offset;
        layout_->cut_off_minutes = *minutes;
        return OkStatus();
    }

    // --- text and lines

    Status ReadText(const YamlMap& map) {
        const auto node = map.Find("text");
        Encoding encoding = Encoding::kUtf8;
        std::optional<std::string> replacement;
        if (node) {
            KESSAI_ASSIGN_OR_RETURN(const YamlMap text,
                                    reader_.Map(*node, {"encoding", "lacking"}));
            KESSAI_ASSIGN_OR_RETURN(
                const std::string name,
                reader_.TextOf(text, "encoding", "utf-8", {"utf-8", "utf-8-bom", "shift_jis"}));
            if (name == "utf-8-bom") encoding = Encoding::kUtf8Bom;
            if (name == "shift_jis") encoding = Encoding::kShiftJis;
            KESSAI_ASSIGN_OR_RETURN(replacement, ReadReplacement(text, encoding));
        }
        strict_.Init(encoding, std::nullopt);
        layout_->encoder.Init(encoding, replacement);
        return OkStatus();
    }

    Result<std::optional<std::string>> ReadReplacement(const YamlMap& text, Encoding encoding) {
        const auto lacking = text.Find("lacking");
        if (!lacking || (lacking->IsScalar() && lacking->Scalar() == "refuse")) {
            return std::optional<std::string>();
        }
        if (lacking->IsScalar()) {
            return reader_.At(*lacking, reason::kValueInvalid,
                              "allowed are refuse and {replace: \"〓\"}");
        }
        KESSAI_ASSIGN_OR_RETURN(const YamlMap map, reader_.Map(*lacking, {"replace"}));
        KESSAI_ASSIGN_OR_RETURN(const YAML::Node node, reader_.Required(map, "replace"));
        KESSAI_ASSIGN_OR_RETURN(const std::string replacement, reader_.Text(node));
        constexpr std::string_view kNeedQuotes = ",;|:\t\"\r\n";
        if (!Encoder().Init(encoding, replacement) ||
            kNeedQuotes.find(replacement) != std::string_view::npos) {
            return reader_.At(node, reason::kValueInvalid,
                              "expected one character that the encoding has, and that is no "
                              "delimiter, quote or line end");
        }
        return std::optional(replacement);
    }

    Status ReadLines(const YamlMap& map) {
        const auto node = map.Find("lines");
        if (!node) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const YamlMap lines,
                                reader_.Map(*node, {"layout", "delimiter", "quoting", "end"}));
        KESSAI_ASSIGN_OR_RETURN(
            const std::string layout,
            reader_.TextOf(lines, "layout", "delimited", {"delimited", "fixed"}));
        layout_->fixed_length = layout == "fixed";
        for (const std::string_view key : {"delimiter", "quoting"}) {
            const auto found = lines.Find(key);
            if (layout_->fixed_length && found) {
                return reader_.At(*found, reason::kKeyTwice,
                                  "lines of fixed length have no " + std::string(key));
            }
        }
        KESSAI_ASSIGN_OR_RETURN(
            const std::string delimiter,
            reader_.TextOf(lines, "delimiter", ",", {",", ";", ":", "|", "\t"}));
        layout_->delimiter = delimiter.front();
        if (delimiter == "|" && layout_->encoder.encoding() == Encoding::kShiftJis) {
            return reader_.At(*lines.Find("delimiter"), reason::kValueInvalid,
                              "| is the second byte of characters in Shift_JIS");
        }
        KESSAI_ASSIGN_OR_RETURN(
            const std::string quoting,
            reader_.TextOf(lines, "quoting", "needed", {"needed", "always", "never"}));
        layout_->quoting = quoting == "always"  ? Quoting::kAlways
                           : quoting == "never" ? Quoting::kNever
                                                : Quoting::kNeeded;
        KESSAI_ASSIGN_OR_RETURN(const std::string end,
                                reader_.TextOf(lines, "end", "lf", {"lf", "crlf"}));
        layout_->line_end = end == "lf" ? "\n" : "\r\n";
        return OkStatus();
    }

    // --- expressions

    Status ReadMaps(const YamlMap& map) {
        const auto node = map.Find("maps");
        if (!node) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const YamlMap all, reader_.Map(*node, {}));
        KESSAI_RETURN_IF_ERROR(CheckCount(*node, all.entries().size(), kMapsMax));
        for (const auto& [name, value] : all.entries()) {
            const std::string& called = name.Scalar();
            constexpr std::string_view kNameBytes = "abcdefghijklmnopqrstuvwxyz_0123456789";
            if (called.empty() || (called[0] >= '0' && called[0] <= '9') ||
                called.find_first_not_of(kNameBytes) != std::string::npos) {
                return reader_.At(name, reason::kValueInvalid,
                                  "a map's name is lower case letters, digits and underscores");
            }
            KESSAI_ASSIGN_OR_RETURN(const YamlMap texts, reader_.Map(value, {}));
            ValueMap& into = maps_[name.Scalar()];
            for (const auto& [key, text] : texts.entries()) {
                KESSAI_ASSIGN_OR_RETURN(std::string mapped, reader_.Text(text));
                if (!strict_.SizeOf(mapped)) return NotEncodable(text);
                into.emplace(key.Scalar(), std::move(mapped));
            }
        }
        return OkStatus();
    }

    Status NotEncodable(const YAML::Node& node) {
        return reader_.At(node, reason::kTextNotEncodable,
                          "the encoding lacks a character of \"" + node.Scalar() + "\"");
    }

    Result<Expression> CompileAt(const YAML::Node& node, Place place,
                                 const std::optional<YAML::Node>& format_node,
                                 Compilation& compilation) {
        KESSAI_ASSIGN_OR_RETURN(const std::string text, reader_.Text(node));
        std::optional<std::string> format;
        if (format_node) {
            KESSAI_ASSIGN_OR_RETURN(format, reader_.Text(*format_node));
        }
        auto compiled = Compile(text, place, format, compilation);
        if (const auto* refusal = std::get_if<Refusal>(&compiled)) {
            return reader_.Within(refusal->in_format ? *format_node : node, refusal->at,
                                  refusal->reason, refusal->message);
        }
        return std::get<Expression>(std::move(compiled));
    }

    Status ReadFilters(const YamlMap& map, Compilation& compilation) {
        const auto node = map.Find("filters");
        if (!node) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const std::vector<YAML::Node> filters, reader_.List(*node));
        KESSAI_RETURN_IF_ERROR(CheckCount(*node, filters.size(), kFiltersMax));
        for (const YAML::Node& filter : filters) {
            KESSAI_ASSIGN_OR_RETURN(const Expression expression,
                                    CompileAt(filter, Place::kRow, std::nullopt, compilation));
            if (expression.type != Type::kBoolean) {
                return reader_.At(filter, reason::kTypeWrong,
                                  "a filter is a condition, this is of type " +
                                      std::string(TypeName(expression.type)));
            }
            Append(layout_->row, expression.code);
            layout_->row.push_back({OpKind::kFilter});
        }
        return OkStatus();
    }

    Status CheckCount(const YAML::Node& node, std::size_t count, std::size_t most) {
        if (count <= most) return OkStatus();
        return reader_.At(node, reason::kValueInvalid, "at most " + std::to_string(most));
    }

    Status ReadColumns(const YamlMap& map, Compilation& compilation) {
        KESSAI_ASSIGN_OR_RETURN(const YAML::Node node, reader_.Required(map, "columns"));
        KESSAI_ASSIGN_OR_RETURN(const std::vector<YAML::Node> columns, reader_.List(node));
        if (columns.empty()) {
            return reader_.At(node, reason::kValueInvalid, "a file has a column");
        }
        KESSAI_RETURN_IF_ERROR(CheckCount(node, columns.size(), kColumnsMax));
        layout_->cells_begin = layout_->row.size();
        std::set<std::string> names;
        for (const YAML::Node& column : columns) {
            KESSAI_ASSIGN_OR_RETURN(const Expression expression,
                                    ReadCell(column, Place::kRow, layout_->row, compilation));
            const std::string& name = layout_->cells.back().name;
            if (!names.insert(name).second) {
                return reader_.At(column, reason::kKeyTwice,
                                  "a column \"" + name + "\" is there already");
            }
            if (expression.type == Type::kMoney) {
                layout_->column_totals.emplace_back(name, AddSum(expression, compilation));
            }
        }
        columns_ = columns;
        layout_->columns = columns.size();
        layout_->row.push_back({OpKind::kEnd});
        return OkStatus();
    }

    /// Adds the cell, and to `code` what gives its value.
    Result<Expression> ReadCell(const YAML::Node& node, Place place, Ops& code,
                                Compilation& compilation) {
        KESSAI_ASSIGN_OR_RETURN(const YamlMap map, reader_.Map(node, {"name", "value", "format",
                                                                      "width", "align", "pad"}));
        Cell cell;
        if (const auto name = map.Find("name")) {
            KESSAI_ASSIGN_OR_RETURN(cell.name, reader_.Text(*name));
            if (!strict_.SizeOf(cell.name)) return NotEncodable(*name);
        } else if (place == Place::kRow) {
            return reader_.Required(map, "name").status();
        }
        KESSAI_ASSIGN_OR_RETURN(const YAML::Node value, reader_.Required(map, "value"));
        KESSAI_ASSIGN_OR_RETURN(Expression expression,
                                CompileAt(value, place, map.Find("format"), compilation));
        if (expression.type == Type::kBoolean) {
            return reader_.At(value, reason::kTypeWrong,
                              "a condition is not printed by itself: if(…, 'yes', 'no')");
        }
        KESSAI_RETURN_IF_ERROR(ReadWidth(map, expression, cell));
        cell.printer = compilation.constants.printers.size();
        compilation.constants.printers.push_back(expression.printer);
        Append(code, expression.code);
        code.push_back(
            {OpKind::kCell, Comparison::kEqual, static_cast<std::uint32_t>(layout_->cells.size())});
        layout_->cells.push_back(std::move(cell));
        return expression;
    }

    Status ReadWidth(const YamlMap& map, const Expression& expression, Cell& cell) {
        for (const std::string_view key : {"width", "align", "pad"}) {
            const auto found = map.Find(key);
            if (!layout_->fixed_length && found) {
                return reader_.At(*found, reason::kKeyTwice,
                                  "only lines of fixed length have a " + std::string(key));
            }
        }
        if (!layout_->fixed_length) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const YAML::Node node, reader_.Required(map, "width"));
        KESSAI_ASSIGN_OR_RETURN(const std::uint64_t width, Number(node, kWidthMax));
        cell.width = width;
        if (expression.longest && *expression.longest > cell.width) {
            return reader_.At(node, reason::kWidthTooSmall,
                              "values take up to " + std::to_string(*expression.longest) +
                                  " bytes, the width is " + std::to_string(cell.width));
        }
        const bool number = expression.type == Type::kInteger || expression.type == Type::kMoney;
        KESSAI_ASSIGN_OR_RETURN(
            const std::string align,
            reader_.TextOf(map, "align", number ? "right" : "left", {"left", "right"}));
        cell.to_the_right = align == "right";
        KESSAI_ASSIGN_OR_RETURN(const std::string pad, reader_.TextOf(map, "pad", " "));
        const bool zeros_behind = pad == "0" && !cell.to_the_right;
        if (pad.size() != 1 || pad[0] < ' ' || pad[0] > '~' || zeros_behind) {
            return reader_.At(*map.Find("pad"), reason::kValueInvalid,
                              zeros_behind ? "zeros behind a value would be read as digits of it"
                                           : "expected one printable ASCII character");
        }
        cell.pad = pad[0];
        return OkStatus();
    }

    Result<std::uint64_t> Number(const YAML::Node& node, std::uint64_t most) {
        KESSAI_ASSIGN_OR_RETURN(const std::string text, reader_.Text(node));
        std::uint64_t number = 0;
        const char* const end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, number);
        const bool whole = read.ec == std::errc{} && read.ptr == end;
        if (whole && number >= 1 && number <= most) return number;
        return reader_.At(node, reason::kValueInvalid,
                          "expected a number from 1 to " + std::to_string(most));
    }

    Result<std::uint64_t> Size(const YAML::Node& node) {
        KESSAI_ASSIGN_OR_RETURN(const std::string text, reader_.Text(node));
        const auto size = config::ParseSize(text);
        if (size.ok() && *size >= 1) return *size;
        return reader_.At(node, reason::kValueInvalid,
                          "expected a size in bytes such as 4096, 64KiB or 10MiB");
    }

    // --- header, trailer, file

    Status ReadExtraLines(const YamlMap& map, std::string_view key, Place place,
                          Compilation& compilation) {
        const auto node = map.Find(key);
        if (!node) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const std::vector<YAML::Node> lines, reader_.List(*node));
        KESSAI_RETURN_IF_ERROR(CheckCount(*node, lines.size(), kLinesMax));
        for (const YAML::Node& line : lines) {
            Line& added =
                (place == Place::kHeader ? layout_->header : layout_->trailer).emplace_back();
            if (line.IsScalar()) {
                if (line.Scalar() != "names") {
                    return reader_.At(line, reason::kValueInvalid,
                                      "a line is names, for the names of the columns, or a list "
                                      "of values");
                }
                added.is_names = true;
                KESSAI_RETURN_IF_ERROR(ReadNames());
                continue;
            }
            KESSAI_ASSIGN_OR_RETURN(const std::vector<YAML::Node> cells, reader_.List(line));
            KESSAI_RETURN_IF_ERROR(CheckCount(line, cells.size(), kColumnsMax));
            for (const YAML::Node& cell : cells) {
                KESSAI_RETURN_IF_ERROR(ReadCell(cell, place, added.code, compilation));
            }
            added.code.push_back({OpKind::kLineEnd});
        }
        return OkStatus();
    }

    Status ReadNames() {
        layout_->names.clear();
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            Cell cell = layout_->cells[i];
            cell.to_the_right = false;
            cell.pad = ' ';
            const std::size_t size = *strict_.SizeOf(cell.name);
            if (layout_->fixed_length && size > cell.width) {
                return reader_.At(columns_[i], reason::kWidthTooSmall,
                                  "the column's name takes " + std::to_string(size) +
                                      " bytes, the width is " + std::to_string(cell.width));
            }
            std::string needs_quotes = "\r\n";
            if (!layout_->fixed_length) needs_quotes += layout_->delimiter;
            const bool quoted = !layout_->fixed_length && layout_->quoting != Quoting::kNever;
            if (!quoted && cell.name.find_first_of(needs_quotes) != std::string::npos) {
                return reader_.At(columns_[i], reason::kValueInvalid,
                                  "without quotes, a name in the file holds no delimiter and no "
                                  "line end");
            }
            layout_->names.push_back(std::move(cell));
        }
        return OkStatus();
    }

    Status ReadFile(const YamlMap& map, Compilation& compilation) {
        KESSAI_ASSIGN_OR_RETURN(const YAML::Node node, reader_.Required(map, "file"));
        KESSAI_ASSIGN_OR_RETURN(
            const YamlMap file,
            reader_.Map(node, {"name", "when_empty", "split", "compression", "archive"}));
        KESSAI_ASSIGN_OR_RETURN(const std::string when_empty,
                                reader_.TextOf(file, "when_empty", "file", {"file", "none"}));
        layout_->makes_empty_files = when_empty == "file";
        KESSAI_ASSIGN_OR_RETURN(
            const std::string compression,
            reader_.TextOf(file, "compression", "none", {"none", "gzip", "zip"}));
        layout_->compression = compression == "gzip"  ? Compression::kGzip
                               : compression == "zip" ? Compression::kZip
                                                      : Compression::kNone;
        KESSAI_RETURN_IF_ERROR(ReadSplit(file, compilation));
        KESSAI_ASSIGN_OR_RETURN(const YAML::Node name, reader_.Required(file, "name"));
        KESSAI_ASSIGN_OR_RETURN(layout_->name, ReadName(name));
        KESSAI_RETURN_IF_ERROR(CheckNamesDiffer(name));
        return ReadArchive(file);
    }

    Result<FileName> ReadName(const YAML::Node& node) {
        KESSAI_ASSIGN_OR_RETURN(const std::string text, reader_.Text(node));
        auto name = FileName::Parse(text, layout_->offset_minutes);
        if (const auto* refusal = std::get_if<Refusal>(&name)) {
            return reader_.Within(node, refusal->at, refusal->reason, refusal->message);
        }
        return std::get<FileName>(std::move(name));
    }

    Status CheckNamesDiffer(const YAML::Node& node) {
        const Split& split = layout_->split;
        const bool by_size = split.rows_max > 0 || split.bytes_max > 0;
        if (layout_->name.Has(FileValue::kPart) || (!by_size && !split.field)) return OkStatus();
        if (by_size || !layout_->name.Has(FileValue::kSplit)) {
            return reader_.At(node, reason::kFileNameAmbiguous,
                              by_size ? "parts have to differ by their number, {part}"
                                      : "parts have to differ by {split} or {part}");
        }
        return OkStatus();
    }

    Status ReadArchive(const YamlMap& file) {
        const auto node = file.Find("archive");
        if (!node) return OkStatus();
        if (layout_->compression != Compression::kZip) {
            return reader_.At(*node, reason::kKeyTwice, "only zip has an archive of all parts");
        }
        KESSAI_ASSIGN_OR_RETURN(layout_->archive, ReadName(*node));
        for (const FileValue value : {FileValue::kPart, FileValue::kSplit}) {
            if (layout_->archive->Has(value)) {
                return reader_.At(*node, reason::kNotAvailableHere,
                                  "an archive holds all parts; {part} and {split} belong to their "
                                  "names");
            }
        }
        return OkStatus();
    }

    Status ReadSplit(const YamlMap& file, Compilation& compilation) {
        const auto node = file.Find("split");
        if (!node) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const YamlMap map, reader_.Map(*node, {"by", "rows", "bytes"}));
        Split& split = layout_->split;
        if (const auto rows = map.Find("rows")) {
            KESSAI_ASSIGN_OR_RETURN(split.rows_max, Number(*rows, kRowsMax));
        }
        if (const auto bytes = map.Find("bytes")) {
            if (compilation.counts_in_header) {
                return reader_.At(*bytes, reason::kNotAvailableHere,
                                  "a header with counts or totals would change how many rows there "
                                  "are; rows has no such trouble");
            }
            KESSAI_ASSIGN_OR_RETURN(split.bytes_max, Size(*bytes));
        }
        const auto by = map.Find("by");
        if (!by) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(const Expression field,
                                CompileAt(*by, Place::kRow, std::nullopt, compilation));
        const bool ordered = field.type == Type::kText || field.type == Type::kInteger ||
                             field.type == Type::kDate || field.type == Type::kEnum;
        if (field.code.size() != 1 || field.code.front().kind != OpKind::kField || !ordered) {
            return reader_.At(*by, reason::kTypeWrong,
                              "expected a field of type text, integer, date or enum");
        }
        split.field = field.code.front().a;
        split.printer = field.printer;
        layout_->split_field = schema_->fields[*split.field].name;
        return OkStatus();
    }

    YamlReader reader_;
    std::span<const Schema> schemas_;
    const Schema* schema_ = nullptr;
    std::map<std::string, ValueMap, std::less<>> maps_;
    /// Of the template's own texts, in which nothing is replaced.
    Encoder strict_;
    std::vector<YAML::Node> columns_;
    std::shared_ptr<Layout> layout_ = std::make_shared<Layout>();
};

}  // namespace
}  // namespace internal

Result<Template> Template::Parse(std::string_view yaml, std::span<const Schema> schemas) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (yaml.starts_with(kByteOrderMark)) yaml.remove_prefix(kByteOrderMark.size());
    KESSAI_ASSIGN_OR_RETURN(auto layout, internal::Parser(yaml, schemas).Parse());
    return Template(std::move(layout));
}

const std::string& Template::source() const {
    return layout_->source;
}
const std::vector<bool>& Template::fields_used() const {
    return layout_->fields_used;
}
const std::string& Template::split_field() const {
    return layout_->split_field;
}
bool Template::counts_in_header() const {
    return layout_->counts_in_header;
}
bool Template::rows_stand_alone() const {
    return layout_->rows_stand_alone;
}
bool Template::makes_empty_files() const {
    return layout_->makes_empty_files;
}

const std::string& Template::description() const {
    return layout_->description;
}

Period Template::PeriodOf(BusinessDate day) const {
    const Instant midnight = day.day();
    const Instant to = midnight - std::chrono::minutes(layout_->offset_minutes) +
                       std::chrono::minutes(layout_->cut_off_minutes);
    return {to - std::chrono::days(1), to};
}

bool Template::follows_business_date() const {
    return layout_->offset_minutes == internal::kJstOffsetMinutes &&
           layout_->cut_off_minutes == internal::kMinutesPerDay;
}

}  // namespace kessai::filetemplate
