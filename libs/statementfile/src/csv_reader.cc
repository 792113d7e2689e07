#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "amount_text.h"
#include "csv_line.h"
#include "kessai/statementfile/statement_file_reader.h"
#include "line_splitter.h"
#include "tally.h"
#include "text_decoder.h"

namespace kessai::statementfile {
namespace {

using internal::CheckCredits;
using internal::CheckDebits;
using internal::ReadAmount;
using internal::Tally;
using internal::TotalsWrong;
using internal::Trim;

using Fields = std::vector<std::string>;

Status Refuse(std::string_view reason, std::string message) {
    return Status(Code::kInvalidArgument, reason, std::move(message));
}

std::string OnLine(std::size_t line) {
    return "line " + std::to_string(line);
}

bool IsOneOf(const std::vector<std::string>& values, std::string_view value) {
    return std::ranges::find(values, value) != values.end();
}

/// Sets the position of a column that is given by its name.
Status FindColumn(const Fields& header, std::size_t line, ColumnReference& column) {
    if (column.name.empty()) return OkStatus();
    for (std::size_t i = 0; i < header.size(); ++i) {
        if (Trim(header[i]) != column.name) continue;
        if (column.position != 0) {
            return Refuse(reason::kColumnMissing,
                          OnLine(line) + " has two columns \"" + column.name + '"');
        }
        column.position = i + 1;
    }
    if (column.position != 0) return OkStatus();
    return Refuse(reason::kColumnMissing, OnLine(line) + " has no column \"" + column.name +
                                              "\" among its " + std::to_string(header.size()));
}

/// Every column of a template.
std::vector<ColumnReference*> ColumnsOf(CsvTemplate& layout) {
    CsvTemplate::Columns& columns = layout.columns;
    std::vector<ColumnReference*> all = {
        &columns.account, &columns.booked,       &columns.value_date, &columns.amount,
        &columns.sign,    &columns.in,           &columns.out,        &columns.currency,
        &columns.balance, &columns.counterparty, &columns.text,       &columns.status};
    for (ColumnReference& reference : columns.references) all.push_back(&reference);
    return all;
}

std::vector<ColumnReference*> TotalsColumnsOf(CsvTemplate& layout) {
    CsvTemplate::Totals& totals = layout.totals;
    return {&totals.marker_at, &totals.count, &totals.in, &totals.out, &totals.net};
}

/// One line, by the template's columns.
class Row {
 public:
    Row(const CsvTemplate& layout, const Fields& fields) : layout_(layout), fields_(fields) {}

    /// Empty if the template or the line has none.
    std::string_view At(const ColumnReference& column) const {
        if (column.position == 0 || column.position > fields_.size()) return {};
        return Trim(fields_[column.position - 1]);
    }

    Result<StatementItem> Read() const {
        const CsvTemplate::Columns& columns = layout_.columns;
        StatementItem item;
        item.account = columns.account.given() ? std::string(At(columns.account)) : layout_.account;
        if (item.account.empty()) return Missing(columns.account);
        KESSAI_ASSIGN_OR_RETURN(item.booked, ReadDate(columns.booked));
        item.value_date = item.booked;
        if (!At(columns.value_date).empty()) {
            KESSAI_ASSIGN_OR_RETURN(item.value_date, ReadDate(columns.value_date));
        }
        KESSAI_ASSIGN_OR_RETURN(item.amount, ReadSigned());
        for (const ColumnReference& reference : columns.references) {
            const std::string_view value = At(reference);
            if (value.empty()) continue;
            item.references.push_back({reference.ToString(), std::string(value)});
        }
        item.counterparty = At(columns.counterparty);
        item.text = At(columns.text);
        return item;
    }

    Result<Money> ReadSigned() const {
        const CsvTemplate::Columns& columns = layout_.columns;
        KESSAI_ASSIGN_OR_RETURN(const Currency currency, ReadCurrency());
        if (!columns.amount.given()) return ReadInAndOut(currency);
        if (At(columns.amount).empty()) return Missing(columns.amount);
        KESSAI_ASSIGN_OR_RETURN(const Money amount, Amount(columns.amount, currency));
        if (!columns.sign.given()) return amount;
        const std::string_view sign = At(columns.sign);
        if (IsOneOf(layout_.sign_in, sign)) return amount;
        if (IsOneOf(layout_.sign_out, sign)) return amount.Negate();
        return Refuse(reason::kSignUnknown, In(columns.sign) + "\"" + std::string(sign) +
                                                "\" is none of the template's signs");
    }

    /// None if the line has no balance.
    Result<std::optional<Money>> ReadBalance() const {
        if (At(layout_.columns.balance).empty()) return std::optional<Money>();
        KESSAI_ASSIGN_OR_RETURN(const Currency currency, ReadCurrency());
        KESSAI_ASSIGN_OR_RETURN(const Money balance, Amount(layout_.columns.balance, currency));
        return std::optional(balance);
    }

    /// Of the line of totals; none if the template has no such column.
    Result<std::optional<std::int64_t>> ReadTotal(const ColumnReference& column) const {
        if (!column.given()) return std::optional<std::int64_t>();
        if (At(column).empty()) return Missing(column);
        KESSAI_ASSIGN_OR_RETURN(const Money total, Amount(column, layout_.currency));
        return std::optional(total.minor());
    }

 private:
    static std::string In(const ColumnReference& column) {
        return "column " + column.ToString() + ": ";
    }
    static Status Missing(const ColumnReference& column) {
        return Refuse(reason::kFieldMissing, In(column) + "is empty");
    }
    static Status InContext(const Status& status, const ColumnReference& column) {
        return status.WithContext("column " + column.ToString());
    }

    Result<BusinessDate> ReadDate(const ColumnReference& column) const {
        if (At(column).empty()) return Missing(column);
        auto date = layout_.date.Read(At(column));
        if (!date.ok()) return InContext(date.status(), column);
        return date;
    }
    Result<Money> Amount(const ColumnReference& column, Currency currency) const {
        auto amount = ReadAmount(
            At(column),
            {.thousands = layout_.thousands, .decimal = layout_.decimal, .units = &layout_.units},
            currency);
        if (!amount.ok()) return InContext(amount.status(), column);
        return amount;
    }
    Result<Currency> ReadCurrency() const {
        const ColumnReference& column = layout_.columns.currency;
        if (!column.given()) return layout_.currency;
        const auto currency = Currency::Parse(At(column));
        if (currency.ok()) return *currency;
        return Refuse(reason::kCurrencyWrong, In(column) + "\"" + std::string(At(column)) +
                                                  "\" is no currency that is handled");
    }
    /// One of the two columns has a number, and the other one nothing or zero.
    Result<Money> ReadInAndOut(Currency currency) const {
        const ColumnReference& in = layout_.columns.in;
        const ColumnReference& out = layout_.columns.out;
        if (At(in).empty() && At(out).empty()) return Missing(in.given() ? in : out);
        Money came_in(0, currency);
        Money went_out(0, currency);
        if (!At(in).empty()) {
            KESSAI_ASSIGN_OR_RETURN(came_in, Amount(in, currency));
        }
        if (!At(out).empty()) {
            KESSAI_ASSIGN_OR_RETURN(went_out, Amount(out, currency));
        }
        if (!came_in.is_zero() && !went_out.is_zero()) {
            return Refuse(reason::kAmountMalformed, "columns " + in.ToString() + " and " +
                                                        out.ToString() + " both have an amount");
        }
        return came_in.Subtract(went_out);
    }

    const CsvTemplate& layout_;
    const Fields& fields_;
};

/// The lines of one account.
struct Account {
    StatementSummary summary = {};
    Tally tally = {};
    /// Behind the line before, in the order of the file, and that line's amount.
    std::optional<Money> balance = {};
    Money amount = {};
    /// How many lines were broken before it.
    std::int64_t breaks = 0;
    bool lacks_balance = false;
};

class CsvReader final : public StatementFileReader {
 public:
    CsvReader(CsvTemplate layout, StatementSink sink)
        : StatementFileReader(std::move(sink)),
          layout_(std::move(layout)),
          decoder_(layout_.encoding) {}

 protected:
    Status TakeBytes(std::string_view bytes) override { return lines_.Feed(bytes, take_); }

    Result<std::vector<StatementSummary>> End() override {
        KESSAI_RETURN_IF_ERROR(lines_.End(take_));
        KESSAI_RETURN_IF_ERROR(CheckWhole());
        const bool unread = all_.unread > 0;
        std::vector<StatementSummary> statements;
        for (auto& [name, account] : accounts_) {
            StatementSummary& summary = account.summary;
            summary.movements = account.tally.movements;
            summary.counts_checked = totals_line_ != 0 && layout_.totals.count.given();
            summary.sums_checked = totals_line_ != 0 && !unread &&
                                   (layout_.totals.in.given() || layout_.totals.out.given() ||
                                    layout_.totals.net.given());
            summary.balance_checked =
                layout_.columns.balance.given() && !account.lacks_balance && breaks_ == 0;
            if (!summary.balance_checked) summary.opening = summary.closing = std::nullopt;
            statements.push_back(std::move(summary));
        }
        if (statements.size() == 1) statements.front().unread = all_.unread;
        return statements;
    }

 private:
    Status TakeLine(std::size_t line, std::string_view bytes, bool too_long) {
        any_line_ = true;
        if (line == 1) KESSAI_RETURN_IF_ERROR(TakeByteOrderMark(bytes));
        if (line <= layout_.skip_lines) return OkStatus();
        if (too_long) {
            return TakeBroken(
                line, Refuse(reason::kLineTooLong,
                             "is longer than " + std::to_string(internal::LineSplitter::kBytesMax) +
                                 " bytes"));
        }
        const std::optional<std::string> text = decoder_.Decode(bytes);
        if (!text) {
            return Refuse(reason::kEncodingWrong, OnLine(line) + " is not " +
                                                      std::string(NameOf(layout_.encoding)) +
                                                      ", the template's encoding");
        }
        NoteEncoding(line, bytes);
        if (layout_.has_header && !header_) return TakeHeader(line, *text);
        if (Trim(*text).empty()) return OkStatus();
        return TakeData(line, *text);
    }

    static Status TakeByteOrderMark(std::string_view& bytes, TextEncoding encoding) {
        constexpr std::string_view kUtf8 = "\xEF\xBB\xBF";
        if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
            return Refuse(reason::kEncodingWrong, "the file begins as UTF-16, the template says " +
                                                      std::string(NameOf(encoding)));
        }
        if (!bytes.starts_with(kUtf8)) return OkStatus();
        if (encoding != TextEncoding::kUtf8) {
            return Refuse(reason::kEncodingWrong, "the file begins as UTF-8, the template says " +
                                                      std::string(NameOf(encoding)));
        }
        bytes.remove_prefix(kUtf8.size());
        return OkStatus();
    }
    Status TakeByteOrderMark(std::string_view& bytes) const {
        return TakeByteOrderMark(bytes, layout_.encoding);
    }

    /// Most of UTF-8 is some Shift_JIS or EUC-JP too. Where every line that is not ASCII is UTF-8
    /// with kana or kanji, the template is wrong.
    void NoteEncoding(std::size_t line, std::string_view bytes) {
        if (layout_.encoding == TextEncoding::kUtf8) return;
        if (std::ranges::all_of(bytes, [](char c) { return (c & 0x80) == 0; })) return;
        constexpr std::size_t kWideMin = 2;
        const bool is_utf8 =
            internal::IsUtf8(bytes) && internal::CountWideCharacters(bytes) >= kWideMin;
        if (is_utf8 && utf8_line_ == 0) utf8_line_ = line;
        if (!is_utf8) is_encoded_ = true;
    }

    Status TakeHeader(std::size_t line, const std::string& text) {
        auto header = internal::SplitCsvLine(text, layout_.delimiter);
        if (!header.ok()) {
            return Refuse(reason::kFileMalformed,
                          OnLine(line) + ", the header: " + std::string(header.status().message()));
        }
        header_ = *std::move(header);
        for (ColumnReference* column : ColumnsOf(layout_)) {
            KESSAI_RETURN_IF_ERROR(FindColumn(*header_, line, *column));
        }
        for (ColumnReference* column : TotalsColumnsOf(layout_)) {
            KESSAI_RETURN_IF_ERROR(FindColumn(*header_, line, *column));
        }
        if (layout_.column_count == 0) layout_.column_count = header_->size();
        return OkStatus();
    }

    Status TakeData(std::size_t line, const std::string& text) {
        auto fields = internal::SplitCsvLine(text, layout_.delimiter);
        if (!fields.ok()) return TakeBroken(line, fields.status());
        const Row row(layout_, *fields);
        if (totals_line_ != 0) {
            return Refuse(reason::kFileMalformed, OnLine(line) + " is behind the totals of line " +
                                                      std::to_string(totals_line_));
        }
        if (IsTotals(row)) return TakeTotals(line, row);
        if (Status columns = CheckColumns(*fields); !columns.ok()) {
            return TakeBroken(line, std::move(columns));
        }
        if (layout_.columns.status.given() &&
            IsOneOf(layout_.not_booked, row.At(layout_.columns.status))) {
            CountNotBooked();
            return OkStatus();
        }
        auto item = row.Read();
        const auto balance = row.ReadBalance();
        if (item.ok() && balance.ok()) return TakeItem(line, *std::move(item), *balance);
        const auto amount = row.ReadSigned();
        return TakeBroken(line, item.ok() ? balance.status() : item.status(),
                          amount.ok() ? std::optional(*amount) : std::nullopt);
    }

    Status CheckColumns(const Fields& fields) {
        std::size_t needed = layout_.column_count;
        if (needed == 0) {
            for (const ColumnReference* column : ColumnsOf(layout_)) {
                needed = std::max(needed, column->position);
            }
            if (fields.size() >= needed) return OkStatus();
        }
        if (fields.size() == needed) return OkStatus();
        return Refuse(reason::kColumnsWrong, "has " + std::to_string(fields.size()) +
                                                 " columns, not " + std::to_string(needed));
    }

    Status TakeItem(std::size_t line, StatementItem&& item, const std::optional<Money>& balance) {
        KESSAI_RETURN_IF_ERROR(all_.Add(item.amount).WithContext(OnLine(line)));
        Account& account = accounts_[item.account];
        // A broken line may be of any account: balances are followed anew behind it.
        if (std::exchange(account.breaks, breaks_) != breaks_) account.balance.reset();
        account.summary.account = item.account;
        KESSAI_RETURN_IF_ERROR(account.tally.Add(item.amount).WithContext(OnLine(line)));
        StatementSummary& summary = account.summary;
        summary.first = std::min(summary.first.value_or(item.booked), item.booked);
        summary.last = std::max(summary.last.value_or(item.booked), item.booked);
        KESSAI_RETURN_IF_ERROR(TakeBalance(line, item, balance, account));
        item.line = line;
        return TellItem(std::move(item));
    }

    /// Each balance is the one before it with the amount between them.
    Status TakeBalance(std::size_t line, const StatementItem& item,
                       const std::optional<Money>& balance, Account& account) {
        const bool rising = layout_.order == LineOrder::kOldestFirst;
        if (!balance) {
            account.lacks_balance = true;
            account.balance.reset();
            return OkStatus();
        }
        const auto before = balance->Subtract(item.amount);
        if (!before.ok()) return before.status().WithContext(OnLine(line));
        if (account.balance) {
            // Newest first, the line before this one in the file is the one behind it in time.
            const auto expected = rising ? account.balance->Add(item.amount)
                                         : account.balance->Subtract(account.amount);
            if (!expected.ok()) return expected.status().WithContext(OnLine(line));
            if (*expected != *balance) {
                return TotalsWrong(OnLine(line) + ": the balance is " + balance->ToString() +
                                   ", the line before makes " + expected->ToString());
            }
        }
        if (!account.summary.opening || !rising) account.summary.opening = *before;
        if (!account.summary.closing || rising) account.summary.closing = *balance;
        account.balance = *balance;
        account.amount = item.amount;
        return OkStatus();
    }

    Status TakeBroken(std::size_t line, Status why, std::optional<Money> amount = {}) {
        if (layout_.has_header && !header_) {
            return Refuse(reason::kFileMalformed,
                          OnLine(line) + ", the header, " + std::string(why.message()));
        }
        if (amount) {
            KESSAI_RETURN_IF_ERROR(all_.Add(*amount).WithContext(OnLine(line)));
        } else {
            ++all_.unread;
        }
        ++breaks_;
        return TellBroken({.line = line, .why = std::move(why), .amount = amount});
    }

    bool IsTotals(const Row& row) const {
        return !layout_.totals.marker.empty() &&
               row.At(layout_.totals.marker_at) == layout_.totals.marker;
    }

    Status TakeTotals(std::size_t line, const Row& row) {
        totals_line_ = line;
        const CsvTemplate::Totals& totals = layout_.totals;
        const auto read = [&](const ColumnReference& column,
                              std::optional<std::int64_t>& into) -> Status {
            auto total = row.ReadTotal(column);
            if (!total.ok()) {
                return Refuse(reason::kFileMalformed, OnLine(line) + ", the totals: " +
                                                          std::string(total.status().message()));
            }
            into = *total;
            return OkStatus();
        };
        std::optional<std::int64_t> count;
        std::optional<std::int64_t> in;
        std::optional<std::int64_t> out;
        std::optional<std::int64_t> net;
        KESSAI_RETURN_IF_ERROR(read(totals.count, count));
        KESSAI_RETURN_IF_ERROR(read(totals.in, in));
        KESSAI_RETURN_IF_ERROR(read(totals.out, out));
        KESSAI_RETURN_IF_ERROR(read(totals.net, net));
        if (count && *count != all_.lines()) {
            return TotalsWrong(OnLine(line) + ": the count is " + std::to_string(*count) +
                               ", the lines are " + std::to_string(all_.lines()));
        }
        const std::string where = OnLine(line);
        KESSAI_RETURN_IF_ERROR(CheckCredits({.what = where + ", in", .sum = in}, all_));
        // Some write what went out with its sign.
        if (out && *out < 0) out = -*out;
        KESSAI_RETURN_IF_ERROR(CheckDebits({.what = where + ", out", .sum = out}, all_));
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t sum, all_.Net());
        if (net && all_.unread == 0 && *net != sum) {
            return TotalsWrong(where + ": the sum is " + std::to_string(*net) +
                               ", the lines sum to " + std::to_string(sum));
        }
        return OkStatus();
    }

    Status CheckWhole() const {
        if (!any_line_) return Refuse(reason::kFileIncomplete, "the file is empty");
        if (layout_.has_header && !header_) {
            return Refuse(reason::kFileIncomplete, "the file ends before its header");
        }
        if (!layout_.totals.marker.empty() && totals_line_ == 0) {
            return Refuse(reason::kFileIncomplete, "the file ends without the line of totals, \"" +
                                                       layout_.totals.marker + '"');
        }
        if (utf8_line_ != 0 && !is_encoded_) {
            return Refuse(reason::kEncodingWrong, OnLine(utf8_line_) + " is UTF-8, not " +
                                                      std::string(NameOf(layout_.encoding)) +
                                                      ", the template's encoding");
        }
        return OkStatus();
    }

    CsvTemplate layout_;
    internal::TextDecoder decoder_;
    internal::LineSplitter lines_;
    const std::function<Status(std::size_t, std::string_view, bool)> take_ =
        [this](std::size_t line, std::string_view bytes, bool too_long) {
            return TakeLine(line, bytes, too_long);
        };
    std::optional<Fields> header_;
    /// In the order of their names.
    std::map<std::string, Account> accounts_;
    Tally all_;
    std::int64_t breaks_ = 0;
    std::size_t totals_line_ = 0;
    bool any_line_ = false;
    /// The first line that is UTF-8 although the template says otherwise, and whether any line is
    /// not.
    std::size_t utf8_line_ = 0;
    bool is_encoded_ = false;
};

}  // namespace

std::unique_ptr<StatementFileReader> MakeCsvReader(CsvTemplate layout, StatementSink sink) {
    return std::make_unique<CsvReader>(std::move(layout), std::move(sink));
}

}  // namespace kessai::statementfile
