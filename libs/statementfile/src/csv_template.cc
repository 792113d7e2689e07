#include "kessai/statementfile/csv_template.h"

#include <algorithm>
#include <utility>

#include "kessai/config/schema.h"

namespace kessai::statementfile {
namespace {

constexpr std::size_t kColumnsMax = 512;

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, config::kConfigInvalid, std::move(message));
}

/// The template as it is written, before names and patterns are understood.
struct Written {
    CsvTemplate layout = {};
    std::string delimiter = ",";
    std::string currency = "JPY";
    std::string date = "yyyy/MM/dd";
    std::vector<std::string> references = {};
    /// Each column's key, what was written, and where it goes.
    struct Column {
        std::string key;
        std::string written = {};
        ColumnReference* target = nullptr;
    };
    std::vector<Column> columns = {};
};

Result<ColumnReference> ParseColumn(const std::string& key, const std::string& text) {
    if (!text.starts_with('#')) return ColumnReference{.name = text};
    const auto position = config::ParseInt(text.substr(1));
    if (!position.ok() || *position < 1 || *position > static_cast<std::int64_t>(kColumnsMax)) {
        return Invalid(key + ": \"" + text + "\" is no position, #1 to #" +
                       std::to_string(kColumnsMax));
    }
    return ColumnReference{.position = static_cast<std::size_t>(*position)};
}

void DescribeColumns(config::Schema& schema, Written& written) {
    CsvTemplate::Columns& columns = written.layout.columns;
    CsvTemplate::Totals& totals = written.layout.totals;
    const struct {
        std::string_view key;
        std::string_view description;
        ColumnReference* target;
        bool required = false;
    } keys[] = {
        {"columns.account", "Account; instead of `account`", &columns.account},
        {"columns.booked", "Day on which the bank booked it", &columns.booked, true},
        {"columns.value_date", "Day from which it counts", &columns.value_date},
        {"columns.amount", "Amount, signed or with columns.sign", &columns.amount},
        {"columns.sign", "Whether the amount came in or went out", &columns.sign},
        {"columns.in", "What came in; with columns.out instead of columns.amount", &columns.in},
        {"columns.out", "What went out", &columns.out},
        {"columns.currency", "Currency; instead of `currency`", &columns.currency},
        {"columns.balance", "Balance behind the line, which is checked", &columns.balance},
        {"columns.counterparty", "Who is on the other side", &columns.counterparty},
        {"columns.text", "What the bank writes about it", &columns.text},
        {"columns.status", "Tells lines that are not booked", &columns.status},
        {"totals.marker_at", "Column of totals.marker", &totals.marker_at},
        {"totals.count", "Column of the count of lines", &totals.count},
        {"totals.in", "Column of the sum of what came in", &totals.in},
        {"totals.out", "Column of the sum of what went out", &totals.out},
        {"totals.net", "Column of the sum of signed amounts", &totals.net},
    };
    written.columns.reserve(std::size(keys));
    for (const auto& key : keys) {
        Written::Column& column =
            written.columns.emplace_back(Written::Column{std::string(key.key), {}, key.target});
        schema.Text(key.key, &column.written,
                    {.description = key.description, .max_length = 256, .required = key.required});
    }
    schema.TextList("columns.references", &written.references,
                    {.description = "What the movement may be called by", .max_items = 16});
}

void DescribeTexts(config::Schema& schema, Written& written) {
    CsvTemplate& layout = written.layout;
    schema.Text("name", &layout.name,
                {.description = "Of the template", .max_length = 128, .required = true});
    schema.Choice("encoding", &layout.encoding,
                  {{"utf_8", TextEncoding::kUtf8},
                   {"shift_jis", TextEncoding::kShiftJis},
                   {"euc_jp", TextEncoding::kEucJp}},
                  {.description = "Of the file", .required = true});
    schema.Text("delimiter", &written.delimiter,
                {.description = "Between columns: one character, or tab"});
    schema.Int("skip_lines", &layout.skip_lines,
               {.description = "Before the header or the data", .unit = "lines", .max = 1000});
    schema.Bool("header", &layout.has_header, {.description = "A line names the columns"});
    schema.Int("column_count", &layout.column_count,
               {.description = "That each line has; 0 for as many as the header",
                .unit = "columns",
                .max = static_cast<std::int64_t>(kColumnsMax)});
    schema.Text("account", &layout.account, {.description = "Of every line", .max_length = 128});
    schema.Text("currency", &written.currency, {.description = "Of every line, ISO 4217"});
    schema.Text("date", &written.date,
                {.description = "How days are written: yyyy, yy, rr, MM, M, dd, d, * at the end"});
    schema.Text("number.thousands", &layout.thousands,
                {.description = "Between groups of three digits", .max_length = 4});
    schema.Text("number.decimal", &layout.decimal,
                {.description = "Before the fraction", .max_length = 4});
    schema.TextList("number.units", &layout.units,
                    {.description = "What may stand around a number", .max_items = 16});
    schema.TextList("sign.in", &layout.sign_in,
                    {.description = "Values of columns.sign for what came in", .max_items = 64});
    schema.TextList("sign.out", &layout.sign_out,
                    {.description = "Values for what went out", .max_items = 64});
    schema.TextList(
        "not_booked", &layout.not_booked,
        {.description = "Values of columns.status of lines that are not booked", .max_items = 64});
    schema.Choice(
        "order", &layout.order,
        {{"oldest_first", LineOrder::kOldestFirst}, {"newest_first", LineOrder::kNewestFirst}},
        {.description = "Of the lines, for balances"});
    schema.Text(
        "totals.marker", &layout.totals.marker,
        {.description = "What the line of totals at the end is known by", .max_length = 128});
}

Status Understand(Written& written) {
    CsvTemplate& layout = written.layout;
    if (written.delimiter == "tab") written.delimiter = "\t";
    if (written.delimiter.size() != 1 || written.delimiter == "\"" || written.delimiter == "\n" ||
        written.delimiter == "\r") {
        return Invalid("delimiter: expected one character, or tab");
    }
    layout.delimiter = written.delimiter.front();
    const auto currency = Currency::Parse(written.currency);
    if (!currency.ok()) return Invalid("currency: " + std::string(currency.status().message()));
    layout.currency = *currency;
    auto date = DateFormat::Parse(written.date);
    if (!date.ok()) return Invalid("date: " + std::string(date.status().message()));
    layout.date = *std::move(date);
    for (Written::Column& column : written.columns) {
        if (column.written.empty()) continue;
        KESSAI_ASSIGN_OR_RETURN(*column.target, ParseColumn(column.key, column.written));
    }
    layout.columns.references.clear();
    for (const std::string& reference : written.references) {
        KESSAI_ASSIGN_OR_RETURN(ColumnReference column,
                                ParseColumn("columns.references", reference));
        layout.columns.references.push_back(std::move(column));
    }
    return OkStatus();
}

Status CheckNames(const Written& written) {
    if (written.layout.has_header) return OkStatus();
    const auto check = [](const std::string& key, const ColumnReference& column) -> Status {
        if (column.name.empty()) return OkStatus();
        return Invalid(key + ": without a header, columns are given by position, not as \"" +
                       column.name + '"');
    };
    for (const Written::Column& column : written.columns) {
        KESSAI_RETURN_IF_ERROR(check(column.key, *column.target));
    }
    for (const ColumnReference& reference : written.layout.columns.references) {
        KESSAI_RETURN_IF_ERROR(check("columns.references", reference));
    }
    return OkStatus();
}

Status CheckAmounts(const CsvTemplate& layout) {
    const CsvTemplate::Columns& columns = layout.columns;
    if (columns.amount.given() == (columns.in.given() || columns.out.given())) {
        return Invalid("columns.amount, or columns.in and columns.out: one of the two is needed");
    }
    if (columns.sign.given() && !columns.amount.given()) {
        return Invalid("columns.sign goes with columns.amount");
    }
    if (columns.sign.given() == (layout.sign_in.empty() && layout.sign_out.empty())) {
        return Invalid("columns.sign needs the values in sign.in and sign.out, and they need it");
    }
    for (const std::string& value : layout.sign_in) {
        if (std::ranges::find(layout.sign_out, value) != layout.sign_out.end()) {
            return Invalid("sign.in and sign.out both have \"" + value + '"');
        }
    }
    if (!layout.thousands.empty() && layout.thousands == layout.decimal) {
        return Invalid("number.thousands and number.decimal are the same");
    }
    return OkStatus();
}

Status CheckRest(const CsvTemplate& layout) {
    if (layout.account.empty() == !layout.columns.account.given()) {
        return Invalid("account, or columns.account: one of the two is needed");
    }
    if (layout.columns.status.given() == layout.not_booked.empty()) {
        return Invalid("columns.status needs the values in not_booked, and they need it");
    }
    const CsvTemplate::Totals& totals = layout.totals;
    const bool sums =
        totals.count.given() || totals.in.given() || totals.out.given() || totals.net.given();
    if (totals.marker.empty() != !sums || (totals.marker_at.given() && !sums)) {
        return Invalid(
            "totals.marker needs one of totals.count, in, out and net, and they need it");
    }
    return OkStatus();
}

}  // namespace

std::string ColumnReference::ToString() const {
    return name.empty() ? '#' + std::to_string(position) : name;
}

Result<CsvTemplate> CsvTemplate::Parse(std::string_view yaml) {
    Written written;
    config::Schema schema;
    DescribeTexts(schema, written);
    DescribeColumns(schema, written);
    schema.Check([&written]() -> Status {
        KESSAI_RETURN_IF_ERROR(Understand(written));
        KESSAI_RETURN_IF_ERROR(CheckNames(written));
        KESSAI_RETURN_IF_ERROR(CheckAmounts(written.layout));
        return CheckRest(written.layout);
    });
    KESSAI_RETURN_IF_ERROR(
        schema.Load({.document = config::Document{"template", std::string(yaml)}}));
    CsvTemplate layout = std::move(written.layout);
    if (!layout.totals.marker.empty() && !layout.totals.marker_at.given()) {
        layout.totals.marker_at.position = 1;
    }
    return layout;
}

}  // namespace kessai::statementfile
