#include "kessai/filetemplate/writer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "compression.h"
#include "kessai/result/check.h"
#include "layout.h"
#include "line_buffer.h"

namespace kessai::filetemplate {

using internal::Cell;
using internal::FileValue;
using internal::Layout;
using internal::Op;
using internal::OpKind;
using internal::Printer;
using internal::Quoting;

namespace {

constexpr std::size_t kFlushBytes = std::size_t{256} << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Finds out about a cell's bytes, eight at a time.
class ByteClasses {
 public:
    struct Found {
        bool needs_quotes = false;
        bool beyond_ascii = false;
    };

    explicit ByteClasses(const Layout& layout) {
        const bool delimited = !layout.fixed_length;
        const char delimiter = delimited ? layout.delimiter : '\n';
        const char quote = delimited && layout.quoting != Quoting::kNever ? '"' : '\n';
        special_ = {EightOf('\r'), EightOf('\n'), EightOf(delimiter), EightOf(quote)};
    }

    Found In(std::string_view text) const {
        std::uint64_t special = 0;
        std::uint64_t high = 0;
        std::size_t at = 0;
        for (; at + 8 <= text.size(); at += 8) Add(text.data() + at, 8, special, high);
        if (at < text.size()) {
            // What fills up is neither.
            char rest[8] = {'0', '0', '0', '0', '0', '0', '0', '0'};
            for (std::size_t i = 0; at + i < text.size(); ++i) rest[i] = text[at + i];
            Add(rest, 8, special, high);
        }
        return {special != 0, high != 0};
    }

 private:
    static constexpr std::uint64_t kOnes = 0x0101010101010101;
    static constexpr std::uint64_t kHighBits = 0x8080808080808080;

    static std::uint64_t EightOf(char byte) { return kOnes * static_cast<unsigned char>(byte); }
    void Add(const char* bytes, std::size_t count, std::uint64_t& special,
             std::uint64_t& high) const {
        std::uint64_t eight;
        std::memcpy(&eight, bytes, count);
        high |= eight & kHighBits;
        for (const std::uint64_t pattern : special_) {
            // A byte is zero (Mycroft's test).
            const std::uint64_t difference = eight ^ pattern;
            special |= (difference - kOnes) & ~difference & kHighBits;
        }
    }

    std::array<std::uint64_t, 4> special_;
};

class Discarding final : public FileSink {
    Status Begin(const std::string&) override { return OkStatus(); }
    Status Write(std::string_view) override { return OkStatus(); }
    Status End(const WrittenFile&) override { return OkStatus(); }
};

bool IsNumber(internal::Printer const& printer) {
    return printer.type == Type::kInteger || printer.type == Type::kMoney;
}

/// -1, 0 or 1; empty values come first.
int CompareKeys(const Value& a, const Value& b) {
    if (a.is_empty() || b.is_empty()) return (a.is_empty() ? 0 : 1) - (b.is_empty() ? 0 : 1);
    if (a.type() == Type::kText) return a.text() < b.text() ? -1 : a.text() == b.text() ? 0 : 1;
    return a.number() < b.number() ? -1 : a.number() == b.number() ? 0 : 1;
}

}  // namespace

class Writer::Impl {
 public:
    enum class Mode : std::uint8_t { kWriting, kCounting };

    Impl(std::shared_ptr<const Layout> layout, FileContext context, FileSink& sink, Mode mode,
         std::vector<PartCount> counts)
        : layout_(std::move(layout)),
          context_(std::move(context)),
          mode_(mode),
          counts_(std::move(counts)),
          classes_(*layout_),
          machine_(layout_->constants),
          packer_(mode == Mode::kWriting ? layout_->compression : internal::Compression::kNone,
                  sink) {
        Set(FileValue::kMerchantId, Value::Text(context_.merchant_id));
        Set(FileValue::kDate, Value::Of(context_.date));
        Set(FileValue::kFrom, Value::Of(context_.period.from));
        const auto last_second =
            std::chrono::floor<std::chrono::seconds>(context_.period.to - Duration(1));
        Set(FileValue::kTo, Value::Of(Instant(last_second)));
        Set(FileValue::kVersion, Value::Integer(context_.version));
        Set(FileValue::kSplit, Value::Text(""));
        machine_.sums().resize(layout_->sum_types.size());
        summed_.resize(layout_->sum_types.size());
    }

    Status Append(Row row) {
        if (!failure_.ok()) return failure_;
        ++rows_given_;
        KESSAI_CHECK(row.size() == layout_->fields, "a row has the fields of its schema");
        Status status = AppendRow(row);
        if (!status.ok()) failure_ = status;
        return status;
    }

    Status Finish() {
        if (!failure_.ok()) return failure_;
        Status status = FinishFiles();
        if (!status.ok()) failure_ = status;
        return status;
    }

    const std::vector<PartCount>& counts() const { return counts_; }
    std::uint64_t rows_given() const { return rows_given_; }
    std::uint64_t rows_written() const { return rows_written_; }

 private:
    bool HasCounted() const { return layout_->counts_in_header && mode_ == Mode::kWriting; }
    void Set(FileValue value, Value to) { machine_.file()[static_cast<std::size_t>(value)] = to; }

    // --- rows

    Status AppendRow(Row row) {
        machine_.Begin(row);
        std::size_t at = 0;
        while (at < layout_->cells_begin) {
            if (machine_.Run(layout_->row, at) == nullptr) return OutOfRange(layout_->row, at);
            if (machine_.result().number() == 0) return OkStatus();
        }
        KESSAI_RETURN_IF_ERROR(MoveToPartOf(row));
        const std::size_t before = buffer_.size();
        KESSAI_RETURN_IF_ERROR(PutRow(row));
        const std::uint64_t bytes_max = layout_->split.bytes_max;
        if (bytes_max > 0 && part_rows_ > 0 && flushed_ + buffer_.size() > bytes_max) {
            buffer_.TruncateTo(before);
            KESSAI_RETURN_IF_ERROR(EndPart());
            KESSAI_RETURN_IF_ERROR(BeginPart());
            KESSAI_RETURN_IF_ERROR(PutRow(row));
        }
        KESSAI_RETURN_IF_ERROR(AddSums());
        ++part_rows_;
        ++rows_written_;
        return buffer_.size() < kFlushBytes ? OkStatus() : Flush();
    }

    Status MoveToPartOf(Row row) {
        const internal::Split& split = layout_->split;
        if (split.field) KESSAI_RETURN_IF_ERROR(MoveToKey(row[*split.field]));
        if (in_part_ && split.rows_max > 0 && part_rows_ == split.rows_max) {
            KESSAI_RETURN_IF_ERROR(EndPart());
        }
        return in_part_ ? OkStatus() : BeginPart();
    }

    Status MoveToKey(const Value& key) {
        const int order = has_key_ ? CompareKeys(key, key_) : 1;
        if (order == 0) return OkStatus();
        if (order < 0) {
            return Status(Code::kFailedPrecondition, reason::kRowsOutOfOrder,
                          "row " + std::to_string(rows_given_) +
                              ": rows have to come in the order of " + layout_->split_field);
        }
        if (in_part_) KESSAI_RETURN_IF_ERROR(EndPart());
        const auto printed = layout_->split.printer.Print(key, machine_.arena());
        if (!printed) return OutOfRangeAt("row " + std::to_string(rows_given_) + ": ");
        split_text_ = *printed;
        key_text_ = key.text();
        key_ = key;
        if (!key.is_empty() && key.type() == Type::kText) key_ = Value::Text(key_text_);
        has_key_ = true;
        Set(FileValue::kSplit, Value::Text(split_text_));
        return OkStatus();
    }

    /// Cells, from the beginning of a line to its end.
    Status PutRow(Row row) {
        machine_.Begin(row);
        return PutLine(layout_->row, layout_->cells_begin);
    }

    Status PutLine(const internal::Ops& code, std::size_t at) {
        const std::size_t before = buffer_.size();
        line_has_cells_ = false;
        while (true) {
            const Op* op = machine_.Run(code, at);
            if (op == nullptr) return OutOfRange(code, at);
            if (op->kind != OpKind::kCell) break;
            const Cell& cell = layout_->cells[op->a];
            const Printer& printer = layout_->constants.printers[cell.printer];
            const auto text = printer.Print(machine_.result(), machine_.arena());
            if (!text) return OutOfRange(code, at - 1);
            KESSAI_RETURN_IF_ERROR(PutCell(cell, *text, IsNumber(printer)));
        }
        return EndLine(before);
    }

    Status EndLine(std::size_t before) {
        // A line of one empty value would be none: RFC 4180 has no empty lines.
        const bool looks_empty = line_has_cells_ && buffer_.size() == before;
        if (looks_empty && !layout_->fixed_length && layout_->quoting == Quoting::kNeeded) {
            buffer_.Add("\"\"");
        }
        buffer_.Add(layout_->line_end);
        return OkStatus();
    }

    Status PutCell(const Cell& cell, std::string_view text, bool is_number) {
        const ByteClasses::Found found = classes_.In(text);
        if (layout_->fixed_length) return PutFixed(cell, text, found.needs_quotes, is_number);
        if (line_has_cells_) buffer_.Add(layout_->delimiter);
        line_has_cells_ = true;
        if (found.needs_quotes && layout_->quoting == Quoting::kNever) return NeedsQuotes(cell);
        if (found.needs_quotes || layout_->quoting == Quoting::kAlways) {
            return PutQuoted(cell, text);
        }
        if (found.beyond_ascii) return PutEncoded(cell, text);
        buffer_.Add(text);
        return OkStatus();
    }

    /// Encodes it behind the place where it goes, and moves it there with its quotes doubled: no
    /// second byte of an encoding is a quote, and the place never gets ahead of what is moved.
    Status PutQuoted(const Cell& cell, std::string_view text) {
        buffer_.Add('"');
        const std::size_t begin = buffer_.size();
        buffer_.Reserve(2 * text.size() + 1);
        buffer_.TruncateTo(begin + text.size());
        KESSAI_RETURN_IF_ERROR(PutEncoded(cell, text));
        const std::string_view encoded = buffer_.From(begin + text.size());
        buffer_.TruncateTo(begin);
        char* out = buffer_.Reserve(0);
        for (const char byte : encoded) {
            *out++ = byte;
            if (byte == '"') *out++ = '"';
        }
        buffer_.SetEnd(out);
        buffer_.Add('"');
        return OkStatus();
    }

    Status PutFixed(const Cell& cell, std::string_view text, bool has_line_end, bool is_number) {
        if (has_line_end) return NeedsQuotes(cell);
        const std::size_t before = buffer_.size();
        KESSAI_RETURN_IF_ERROR(PutEncoded(cell, text));
        const std::size_t size = buffer_.size() - before;
        if (size > cell.width) {
            return Fail(cell, reason::kValueTooWide,
                        "takes " + std::to_string(size) + " bytes, the width is " +
                            std::to_string(cell.width));
        }
        line_has_cells_ = true;
        const bool has_sign = is_number && (text.starts_with('-') || text.starts_with('+'));
        const std::size_t sign = has_sign && cell.pad == '0' ? 1 : 0;
        const std::size_t at = cell.to_the_right ? before + sign : buffer_.size();
        buffer_.Insert(at, cell.width - size, cell.pad);
        return OkStatus();
    }

    Status PutEncoded(const Cell& cell, std::string_view text) {
        using Outcome = internal::Encoder::Outcome;
        const auto encoded = layout_->encoder.Encode(text, buffer_.Reserve(text.size()));
        if (encoded.outcome == Outcome::kDone) [[likely]] {
            buffer_.SetEnd(encoded.end);
            return OkStatus();
        }
        if (encoded.outcome == Outcome::kMalformed) {
            return Fail(cell, reason::kTextNotUtf8,
                        "byte " + std::to_string(encoded.at + 1) + " is no UTF-8");
        }
        return Fail(cell, reason::kCharacterLacking,
                    "the encoding lacks " + internal::ShowCharacter(text.substr(encoded.at)));
    }

    // --- totals

    Status AddSums() {
        for (std::size_t at = 0;;) {
            const Op* op = machine_.Run(layout_->sums, at);
            if (op == nullptr) return OutOfRangeAt(Where() + "a total: ");
            if (op->kind != OpKind::kAdd) return OkStatus();
            if (!machine_.result().is_empty()) {
                KESSAI_RETURN_IF_ERROR(AddTo(op->a, machine_.result()));
            }
        }
    }

    Status AddTo(std::size_t index, const Value& value) {
        Value& sum = machine_.sums()[index];
        if (summed_[index] && sum.currency() != value.currency()) {
            return Status(Code::kInvalidArgument, reason::kCurrenciesMixed,
                          Where() + "a total of amounts in " + std::string(sum.currency().code()) +
                              " and " + std::string(value.currency().code()));
        }
        std::int64_t total = 0;
        if (__builtin_add_overflow(sum.number(), value.number(), &total)) {
            return OutOfRangeAt(Where() + "a total: ");
        }
        sum = value.type() == Type::kMoney ? Value::Of(Money(total, value.currency()))
                                           : Value::Integer(total);
        summed_[index] = true;
        return OkStatus();
    }

    void ClearSums() {
        for (std::size_t i = 0; i < layout_->sum_types.size(); ++i) {
            const bool money = layout_->sum_types[i] == Type::kMoney;
            machine_.sums()[i] = money ? Value::Of(Money()) : Value::Integer(0);
            summed_[i] = false;
        }
    }

    // --- parts and files

    Status BeginPart() {
        ++part_;
        part_rows_ = 0;
        flushed_ = 0;
        in_part_ = true;
        Set(FileValue::kPart, Value::Integer(part_));
        ClearSums();
        KESSAI_ASSIGN_OR_RETURN(const std::string name, layout_->name.Make(machine_.file()));
        if (!in_file_) {
            std::string file_name = FileNameOf(name);
            if (layout_->archive) {
                KESSAI_ASSIGN_OR_RETURN(file_name, layout_->archive->Make(machine_.file()));
            }
            file_ = {};
            file_.name = std::move(file_name);
            file_.part = part_;
            if (layout_->split.field && !layout_->archive) file_.split_value = split_text_;
            KESSAI_RETURN_IF_ERROR(packer_.BeginFile(file_.name));
            in_file_ = true;
        }
        KESSAI_RETURN_IF_ERROR(packer_.BeginEntry(name));
        if (layout_->encoder.encoding() == internal::Encoding::kUtf8Bom) {
            buffer_.Add(kByteOrderMark);
        }
        return PutHeader();
    }

    Status PutHeader() {
        Set(FileValue::kRows, Value::Integer(0));
        if (HasCounted()) {
            if (part_ > counts_.size()) return RowsChanged();
            const PartCount& counted = counts_[part_ - 1];
            KESSAI_CHECK(counted.sums.size() == machine_.sums().size(),
                         "counts are of the same template");
            Set(FileValue::kRows, Value::Integer(static_cast<std::int64_t>(counted.rows)));
            machine_.sums() = counted.sums;
        }
        const Status status = PutLines(layout_->header);
        ClearSums();
        return status;
    }

    /// Of the part that ends.
    Status CheckCounted() {
        if (mode_ == Mode::kCounting) {
            counts_.push_back({part_rows_, machine_.sums()});
            return OkStatus();
        }
        if (!HasCounted()) return OkStatus();
        const PartCount& counted = counts_[part_ - 1];
        bool same = counted.rows == part_rows_;
        for (std::size_t i = 0; i < counted.sums.size(); ++i) {
            const Value& sum = machine_.sums()[i];
            same = same && sum.number() == counted.sums[i].number() &&
                   sum.currency() == counted.sums[i].currency();
        }
        return same ? OkStatus() : RowsChanged();
    }

    std::string FileNameOf(const std::string& text_name) const {
        switch (layout_->compression) {
            case internal::Compression::kNone:
                return text_name;
            case internal::Compression::kGzip:
                return text_name + ".gz";
            case internal::Compression::kZip:
                return text_name + ".zip";
        }
        return text_name;
    }

    Status PutLines(const std::vector<internal::Line>& lines) {
        for (const internal::Line& line : lines) {
            machine_.Begin({});
            in_row_ = false;
            const Status status = line.is_names ? PutNames() : PutLine(line.code, 0);
            in_row_ = true;
            KESSAI_RETURN_IF_ERROR(status);
        }
        return OkStatus();
    }

    Status PutNames() {
        const std::size_t before = buffer_.size();
        line_has_cells_ = false;
        for (const Cell& cell : layout_->names) {
            KESSAI_RETURN_IF_ERROR(PutCell(cell, cell.name, false));
        }
        return EndLine(before);
    }

    Status EndPart() {
        KESSAI_RETURN_IF_ERROR(CheckCounted());
        Set(FileValue::kRows, Value::Integer(static_cast<std::int64_t>(part_rows_)));
        KESSAI_RETURN_IF_ERROR(PutLines(layout_->trailer));
        KESSAI_RETURN_IF_ERROR(Flush());
        KESSAI_RETURN_IF_ERROR(packer_.EndEntry());
        file_.rows += part_rows_;
        file_.text_bytes += flushed_;
        KESSAI_RETURN_IF_ERROR(AddTotalsToFile());
        in_part_ = false;
        return layout_->archive ? OkStatus() : EndFile();
    }

    Status AddTotalsToFile() {
        const bool first = file_.totals.empty();
        for (std::size_t i = 0; i < layout_->column_totals.size(); ++i) {
            const auto& [column, sum] = layout_->column_totals[i];
            const Value& value = machine_.sums()[sum];
            const Money total(value.number(), value.currency());
            if (first) {
                file_.totals.push_back({column, total});
                continue;
            }
            KESSAI_ASSIGN_OR_RETURN(file_.totals[i].sum, file_.totals[i].sum.Add(total));
        }
        return OkStatus();
    }

    Status EndFile() {
        in_file_ = false;
        return packer_.EndFile(file_);
    }

    Status Flush() {
        if (buffer_.size() == 0) return OkStatus();
        flushed_ += buffer_.size();
        const Status status =
            mode_ == Mode::kCounting ? OkStatus() : packer_.Write(buffer_.bytes());
        buffer_.TruncateTo(0);
        return status;
    }

    Status FinishFiles() {
        if (part_ == 0 && layout_->makes_empty_files) KESSAI_RETURN_IF_ERROR(BeginPart());
        if (in_part_) KESSAI_RETURN_IF_ERROR(EndPart());
        if (HasCounted() && part_ != counts_.size()) return RowsChanged();
        return in_file_ ? EndFile() : OkStatus();
    }

    // --- refusals

    std::string Where() const {
        return in_row_ ? "row " + std::to_string(rows_given_) + ", " : "a header or trailer, ";
    }
    std::string Where(const Cell& cell) const {
        const auto index = static_cast<std::size_t>(&cell - layout_->cells.data());
        const std::string number =
            index < layout_->columns ? "column " + std::to_string(index + 1) : "value";
        return Where() + number + (cell.name.empty() ? ": " : " (" + cell.name + "): ");
    }
    Status Fail(const Cell& cell, std::string_view reason, const std::string& message) const {
        return Status(Code::kInvalidArgument, reason, Where(cell) + message);
    }
    Status NeedsQuotes(const Cell& cell) const {
        return Fail(cell, reason::kValueNeedsQuotes,
                    layout_->fixed_length
                        ? "holds a line end, which a line of fixed length can't"
                        : "holds the delimiter or a line end, and the template has no quotes");
    }
    static Status RowsChanged() {
        return Status(Code::kFailedPrecondition, reason::kRowsChanged,
                      "the rows are not those that were counted for the headers");
    }
    /// Of what `code` was at.
    Status OutOfRange(const internal::Ops& code, std::size_t at) const {
        while (code[at].kind != OpKind::kCell && code[at].kind != OpKind::kFilter) ++at;
        if (code[at].kind == OpKind::kFilter) return OutOfRangeAt(Where() + "a filter: ");
        return OutOfRangeAt(Where(layout_->cells[code[at].a]));
    }
    static Status OutOfRangeAt(const std::string& where) {
        return Status(Code::kOutOfRange, reason::kValueOutOfRange,
                      where + "beyond 64 bits, or a day before year 1 or after 9999");
    }

    const std::shared_ptr<const Layout> layout_;
    const FileContext context_;
    const Mode mode_;
    std::vector<PartCount> counts_;
    const ByteClasses classes_;
    internal::Machine machine_;
    internal::Packer packer_;
    internal::LineBuffer buffer_;
    Status failure_;

    std::uint64_t rows_given_ = 0;
    std::uint64_t rows_written_ = 0;
    std::vector<bool> summed_;
    bool line_has_cells_ = false;
    bool in_row_ = true;

    // The key that the file is split by.
    bool has_key_ = false;
    Value key_;
    std::string key_text_;
    std::string split_text_;

    std::uint32_t part_ = 0;
    bool in_part_ = false;
    bool in_file_ = false;
    std::uint64_t part_rows_ = 0;
    std::uint64_t flushed_ = 0;
    WrittenFile file_;
};

Writer::Writer(const Template& file_template, FileContext context, FileSink& sink,
               std::vector<PartCount> counts)
    : impl_(std::make_unique<Impl>(file_template.layout_, std::move(context), sink,
                                   Impl::Mode::kWriting, std::move(counts))) {}
Writer::Writer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;
Writer::~Writer() = default;

Writer Writer::Counting(const Template& file_template, FileContext context) {
    static Discarding nowhere;
    return Writer(std::make_unique<Impl>(file_template.layout_, std::move(context), nowhere,
                                         Impl::Mode::kCounting, std::vector<PartCount>()));
}

const std::vector<PartCount>& Writer::counts() const {
    return impl_->counts();
}
Status Writer::Append(Row row) {
    return impl_->Append(row);
}
Status Writer::Finish() {
    return impl_->Finish();
}
std::uint64_t Writer::rows_given() const {
    return impl_->rows_given();
}
std::uint64_t Writer::rows_written() const {
    return impl_->rows_written();
}

}  // namespace kessai::filetemplate
