#include "kessai/filetemplate/writer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "compression.h"
#include "kessai/result/check.h"
#include "layout.h"
#include "line_maker.h"

namespace kessai::filetemplate {

using internal::FileValue;
using internal::Layout;
using internal::LineMaker;

namespace {

constexpr std::size_t kFlushBytes = std::size_t{256} << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class Discarding final : public FileSink {
    Status Begin(const std::string&) override { return OkStatus(); }
    Status Write(std::string_view) override { return OkStatus(); }
    Status End(const WrittenFile&) override { return OkStatus(); }
};

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
          lines_(layout_, context_),
          packer_(mode == Mode::kWriting ? layout_->compression : internal::Compression::kNone,
                  sink) {}

    Status Append(Row row) {
        if (!failure_.ok()) return failure_;
        ++rows_given_;
        KESSAI_CHECK(row.size() == layout_->fields, "a row has the fields of its schema");
        Status status = AppendRow(row);
        if (!status.ok()) failure_ = status;
        return status;
    }

    Result<bool> AppendPrinted(const PrintedRows& printed) {
        if (!failure_.ok()) return failure_;
        KESSAI_CHECK(layout_->rows_stand_alone, "rows of the template can be printed ahead");
        if (printed.rows > 0) {
            if (!FitsPart(printed)) return false;
            // The first rows of a part always can be added.
            if (in_part_ && !lines_.TryAddSums(printed.sums, printed.summed)) return false;
            Status status = PutPrinted(printed);
            if (!status.ok()) return failure_ = std::move(status);
        }
        rows_given_ += printed.rows_given;
        rows_written_ += printed.rows;
        return true;
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
    // --- rows

    Status AppendRow(Row row) {
        lines_.BeginRow(rows_given_, row);
        bool passes = false;
        KESSAI_RETURN_IF_ERROR(lines_.Filter(passes));
        if (!passes) return OkStatus();
        KESSAI_RETURN_IF_ERROR(MoveToPartOf(row));
        const std::size_t before = lines_.buffer().size();
        KESSAI_RETURN_IF_ERROR(lines_.PutRow(row));
        const std::uint64_t bytes_max = layout_->split.bytes_max;
        if (bytes_max > 0 && part_rows_ > 0 && flushed_ + lines_.buffer().size() > bytes_max) {
            lines_.buffer().TruncateTo(before);
            KESSAI_RETURN_IF_ERROR(EndPart());
            KESSAI_RETURN_IF_ERROR(BeginPart());
            KESSAI_RETURN_IF_ERROR(lines_.PutRow(row));
        }
        KESSAI_RETURN_IF_ERROR(lines_.AddSums());
        ++part_rows_;
        ++rows_written_;
        return lines_.buffer().size() < kFlushBytes ? OkStatus() : Flush();
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
        const auto printed = layout_->split.printer.Print(key, lines_.arena());
        if (!printed) return LineMaker::OutOfRangeAt("row " + std::to_string(rows_given_) + ": ");
        split_text_ = *printed;
        key_text_ = key.text();
        key_ = key;
        if (!key.is_empty() && key.type() == Type::kText) key_ = Value::Text(key_text_);
        has_key_ = true;
        lines_.Set(FileValue::kSplit, Value::Text(split_text_));
        return OkStatus();
    }

    // --- rows that were printed ahead

    /// Whether row by row they would all go into this part, or into the first one.
    bool FitsPart(const PrintedRows& printed) const {
        const internal::Split& split = layout_->split;
        const std::uint64_t rows = in_part_ ? part_rows_ : 0;
        if (split.rows_max > 0 && rows + printed.rows > split.rows_max) return false;
        // Before a part has begun its header's bytes are not known.
        return split.bytes_max == 0 ||
               (in_part_ &&
                flushed_ + lines_.buffer().size() + printed.text.size() <= split.bytes_max);
    }

    /// Of a part that has begun the sums were added already.
    Status PutPrinted(const PrintedRows& printed) {
        if (!in_part_) {
            KESSAI_RETURN_IF_ERROR(BeginPart());
            lines_.TryAddSums(printed.sums, printed.summed);
        }
        KESSAI_RETURN_IF_ERROR(Flush());
        flushed_ += printed.text.size();
        part_rows_ += printed.rows;
        return mode_ == Mode::kCounting ? OkStatus() : packer_.Write(printed.text);
    }

    // --- parts and files

    Status BeginPart() {
        ++part_;
        part_rows_ = 0;
        flushed_ = 0;
        in_part_ = true;
        lines_.Set(FileValue::kPart, Value::Integer(part_));
        lines_.ClearSums();
        KESSAI_ASSIGN_OR_RETURN(const std::string name, layout_->name.Make(lines_.file()));
        if (!in_file_) {
            std::string file_name = FileNameOf(name);
            if (layout_->archive) {
                KESSAI_ASSIGN_OR_RETURN(file_name, layout_->archive->Make(lines_.file()));
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
            lines_.buffer().Add(kByteOrderMark);
        }
        return PutHeader();
    }

    Status PutHeader() {
        lines_.Set(FileValue::kRows, Value::Integer(0));
        if (HasCounted()) {
            if (part_ > counts_.size()) return RowsChanged();
            const PartCount& counted = counts_[part_ - 1];
            KESSAI_CHECK(counted.sums.size() == lines_.sums().size(),
                         "counts are of the same template");
            lines_.Set(FileValue::kRows, Value::Integer(static_cast<std::int64_t>(counted.rows)));
            lines_.sums() = counted.sums;
        }
        const Status status = lines_.PutLines(layout_->header);
        lines_.ClearSums();
        return status;
    }

    /// Of the part that ends.
    Status CheckCounted() {
        if (mode_ == Mode::kCounting) {
            counts_.push_back({part_rows_, lines_.sums()});
            return OkStatus();
        }
        if (!HasCounted()) return OkStatus();
        const PartCount& counted = counts_[part_ - 1];
        bool same = counted.rows == part_rows_;
        for (std::size_t i = 0; i < counted.sums.size(); ++i) {
            const Value& sum = lines_.sums()[i];
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

    Status EndPart() {
        KESSAI_RETURN_IF_ERROR(CheckCounted());
        lines_.Set(FileValue::kRows, Value::Integer(static_cast<std::int64_t>(part_rows_)));
        KESSAI_RETURN_IF_ERROR(lines_.PutLines(layout_->trailer));
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
            const Value& value = lines_.sums()[sum];
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
        if (lines_.buffer().size() == 0) return OkStatus();
        flushed_ += lines_.buffer().size();
        const Status status =
            mode_ == Mode::kCounting ? OkStatus() : packer_.Write(lines_.buffer().bytes());
        lines_.buffer().TruncateTo(0);
        return status;
    }

    Status FinishFiles() {
        if (part_ == 0 && layout_->makes_empty_files) KESSAI_RETURN_IF_ERROR(BeginPart());
        if (in_part_) KESSAI_RETURN_IF_ERROR(EndPart());
        if (HasCounted() && part_ != counts_.size()) return RowsChanged();
        return in_file_ ? EndFile() : OkStatus();
    }

    // --- refusals

    static Status RowsChanged() {
        return Status(Code::kFailedPrecondition, reason::kRowsChanged,
                      "the rows are not those that were counted for the headers");
    }
    const std::shared_ptr<const Layout> layout_;
    const FileContext context_;
    const Mode mode_;
    std::vector<PartCount> counts_;
    LineMaker lines_;
    internal::Packer packer_;
    Status failure_;

    std::uint64_t rows_given_ = 0;
    std::uint64_t rows_written_ = 0;

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
Result<bool> Writer::AppendPrinted(const PrintedRows& rows) {
    return impl_->AppendPrinted(rows);
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

RowPrinter::RowPrinter(const Template& file_template, const FileContext& context)
    : lines_(std::make_unique<LineMaker>(file_template.layout_, context)) {
    KESSAI_CHECK(file_template.layout_->rows_stand_alone,
                 "rows of the template can be printed ahead");
}
RowPrinter::RowPrinter(RowPrinter&&) noexcept = default;
RowPrinter& RowPrinter::operator=(RowPrinter&&) noexcept = default;
RowPrinter::~RowPrinter() = default;

Status RowPrinter::Append(Row row) {
    lines_->BeginRow(++rows_given_, row);
    bool passes = false;
    KESSAI_RETURN_IF_ERROR(lines_->Filter(passes));
    if (!passes) return OkStatus();
    KESSAI_RETURN_IF_ERROR(lines_->PutRow(row));
    ++rows_;
    return lines_->AddSums();
}

PrintedRows RowPrinter::Take() {
    PrintedRows printed{.text = std::string(lines_->buffer().bytes()),
                        .rows_given = std::exchange(rows_given_, 0),
                        .rows = std::exchange(rows_, 0),
                        .sums = lines_->sums(),
                        .summed = lines_->summed()};
    lines_->buffer().TruncateTo(0);
    lines_->ClearSums();
    return printed;
}

}  // namespace kessai::filetemplate
