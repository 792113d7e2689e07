#include "line_maker.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kessai/result/check.h"

namespace kessai::filetemplate::internal {
namespace {

bool IsNumber(const Printer& printer) {
    return printer.type == Type::kInteger || printer.type == Type::kMoney;
}

}  // namespace

ByteClasses::ByteClasses(const Layout& layout) {
    const bool delimited = !layout.fixed_length;
    const char delimiter = delimited ? layout.delimiter : '\n';
    const char quote = delimited && layout.quoting != Quoting::kNever ? '"' : '\n';
    const char special[] = {'\r', '\n', delimiter, quote};
    for (std::size_t i = 0; i < special_.size(); ++i) {
        std::memset(&special_[i], special[i], sizeof special_[i]);
    }
}

LineMaker::LineMaker(std::shared_ptr<const Layout> layout, const FileContext& context)
    : layout_(std::move(layout)),
      merchant_id_(context.merchant_id),
      classes_(*layout_),
      machine_(layout_->constants) {
    Set(FileValue::kMerchantId, Value::Text(merchant_id_));
    Set(FileValue::kDate, Value::Of(context.date));
    Set(FileValue::kFrom, Value::Of(context.period.from));
    const auto last_second =
        std::chrono::floor<std::chrono::seconds>(context.period.to - Duration(1));
    Set(FileValue::kTo, Value::Of(Instant(last_second)));
    Set(FileValue::kVersion, Value::Integer(context.version));
    Set(FileValue::kSplit, Value::Text(""));
    machine_.sums().resize(layout_->sum_types.size());
    summed_.resize(layout_->sum_types.size());
    ClearSums();
}

Status LineMaker::Filter(bool& passes) {
    passes = true;
    for (std::size_t at = 0; at < layout_->cells_begin;) {
        if (machine_.Run(layout_->row, at) == nullptr) return OutOfRange(layout_->row, at);
        if (machine_.result().number() != 0) continue;
        passes = false;
        return OkStatus();
    }
    return OkStatus();
}

Status LineMaker::PutRow(Row row) {
    machine_.Begin(row);
    return PutLine(layout_->row, layout_->cells_begin);
}

Status LineMaker::PutLine(const Ops& code, std::size_t at) {
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

Status LineMaker::EndLine(std::size_t before) {
    // A line of one empty value would be none: RFC 4180 has no empty lines.
    const bool looks_empty = line_has_cells_ && buffer_.size() == before;
    if (looks_empty && !layout_->fixed_length && layout_->quoting == Quoting::kNeeded) {
        buffer_.Add("\"\"");
    }
    buffer_.Add(layout_->line_end);
    return OkStatus();
}

Status LineMaker::PutCell(const Cell& cell, std::string_view text, bool is_number) {
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
Status LineMaker::PutQuoted(const Cell& cell, std::string_view text) {
    buffer_.Add('"');
    const std::size_t begin = buffer_.size();
    buffer_.Reserve(2 * text.size() + 1);
    buffer_.TruncateTo(begin + text.size());
    KESSAI_RETURN_IF_ERROR(PutEncoded(cell, text));
    const std::string_view encoded = buffer_.From(begin + text.size());
    buffer_.TruncateTo(begin);
    char* out = buffer_.Reserve(0);
    for (std::string_view rest = encoded; !rest.empty();) {
        const std::size_t quote = rest.find('"');
        const std::size_t stretch = std::min(rest.size(), quote == rest.npos ? quote : quote + 1);
        std::memmove(out, rest.data(), stretch);
        out += stretch;
        rest.remove_prefix(stretch);
        if (quote != rest.npos) *out++ = '"';
    }
    buffer_.SetEnd(out);
    buffer_.Add('"');
    return OkStatus();
}

Status LineMaker::PutFixed(const Cell& cell, std::string_view text, bool has_line_end,
                           bool is_number) {
    if (has_line_end) return NeedsQuotes(cell);
    const std::size_t before = buffer_.size();
    KESSAI_RETURN_IF_ERROR(PutEncoded(cell, text));
    const std::size_t size = buffer_.size() - before;
    if (size > cell.width) {
        return Fail(
            cell, reason::kValueTooWide,
            "takes " + std::to_string(size) + " bytes, the width is " + std::to_string(cell.width));
    }
    line_has_cells_ = true;
    const bool has_sign = is_number && (text.starts_with('-') || text.starts_with('+'));
    const std::size_t sign = has_sign && cell.pad == '0' ? 1 : 0;
    const std::size_t at = cell.to_the_right ? before + sign : buffer_.size();
    buffer_.Insert(at, cell.width - size, cell.pad);
    return OkStatus();
}

Status LineMaker::PutEncoded(const Cell& cell, std::string_view text) {
    using Outcome = Encoder::Outcome;
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
                "the encoding lacks " + ShowCharacter(text.substr(encoded.at)));
}

Status LineMaker::AddSums() {
    for (std::size_t at = 0;;) {
        const Op* op = machine_.Run(layout_->sums, at);
        if (op == nullptr) return OutOfRangeAt(Where() + "a total: ");
        if (op->kind != OpKind::kAdd) return OkStatus();
        if (!machine_.result().is_empty()) {
            KESSAI_RETURN_IF_ERROR(AddTo(op->a, machine_.result()));
        }
    }
}

Status LineMaker::AddTo(std::size_t index, const Value& value) {
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

void LineMaker::ClearSums() {
    for (std::size_t i = 0; i < layout_->sum_types.size(); ++i) {
        const bool money = layout_->sum_types[i] == Type::kMoney;
        machine_.sums()[i] = money ? Value::Of(Money()) : Value::Integer(0);
        summed_[i] = false;
    }
}

Status LineMaker::PutLines(const std::vector<Line>& lines) {
    for (const Line& line : lines) {
        machine_.Begin({});
        in_row_ = false;
        const Status status = line.is_names ? PutNames() : PutLine(line.code, 0);
        in_row_ = true;
        KESSAI_RETURN_IF_ERROR(status);
    }
    return OkStatus();
}

Status LineMaker::PutNames() {
    const std::size_t before = buffer_.size();
    line_has_cells_ = false;
    for (const Cell& cell : layout_->names) {
        KESSAI_RETURN_IF_ERROR(PutCell(cell, cell.name, false));
    }
    return EndLine(before);
}

bool LineMaker::TryAddSums(const std::vector<Value>& sums, const std::vector<bool>& summed) {
    std::vector<Value> together = machine_.sums();
    for (std::size_t i = 0; i < together.size(); ++i) {
        if (!summed[i]) continue;
        if (summed_[i] && together[i].currency() != sums[i].currency()) return false;
        std::int64_t total = 0;
        if (__builtin_add_overflow(together[i].number(), sums[i].number(), &total)) return false;
        together[i] = sums[i].type() == Type::kMoney ? Value::Of(Money(total, sums[i].currency()))
                                                     : Value::Integer(total);
    }
    machine_.sums() = std::move(together);
    for (std::size_t i = 0; i < summed.size(); ++i) summed_[i] = summed_[i] || summed[i];
    return true;
}

std::string LineMaker::Where() const {
    return in_row_ ? "row " + std::to_string(row_number_) + ", " : "a header or trailer, ";
}

std::string LineMaker::Where(const Cell& cell) const {
    const auto index = static_cast<std::size_t>(&cell - layout_->cells.data());
    const std::string number =
        index < layout_->columns ? "column " + std::to_string(index + 1) : "value";
    return Where() + number + (cell.name.empty() ? ": " : " (" + cell.name + "): ");
}

Status LineMaker::Fail(const Cell& cell, std::string_view reason,
                       const std::string& message) const {
    return Status(Code::kInvalidArgument, reason, Where(cell) + message);
}

Status LineMaker::NeedsQuotes(const Cell& cell) const {
    return Fail(cell, reason::kValueNeedsQuotes,
                layout_->fixed_length
                    ? "holds a line end, which a line of fixed length can't"
                    : "holds the delimiter or a line end, and the template has no quotes");
}

/// Of what `code` was at.
Status LineMaker::OutOfRange(const Ops& code, std::size_t at) const {
    while (code[at].kind != OpKind::kCell && code[at].kind != OpKind::kFilter) ++at;
    if (code[at].kind == OpKind::kFilter) return OutOfRangeAt(Where() + "a filter: ");
    return OutOfRangeAt(Where(layout_->cells[code[at].a]));
}

Status LineMaker::OutOfRangeAt(const std::string& where) {
    return Status(Code::kOutOfRange, reason::kValueOutOfRange,
                  where + "beyond 64 bits, or a day before year 1 or after 9999");
}

}  // namespace kessai::filetemplate::internal
