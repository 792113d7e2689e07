#include "app/make_files.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include "app/commit_queue.h"
#include "app/helping_threads.h"
#include "app/row_blocks.h"
#include "app/row_codec.h"
#include "app/row_writer.h"
#include "app/store_sink.h"
#include "domain/file_sources.h"
#include "kessai/result/check.h"
#include "kessai/rowsort/row_sort.h"

namespace kessai::reconciliation::app {
namespace {

using domain::MerchantId;
using filetemplate::FileContext;
using filetemplate::Row;
using filetemplate::WrittenFile;

Status Stopped() {
    return Status(Code::kCancelled, "STOPPED", "the making of files was stopped");
}

const filetemplate::Schema& SchemaOf(const std::string& source) {
    for (const filetemplate::Schema& schema : FileSources()) {
        if (schema.source == source) return schema;
    }
    CheckFailed("a template's source is one of ours", source, __FILE__, __LINE__);
}

/// How an order's rows are kept until it is their turn.
class Layout {
 public:
    explicit Layout(const filetemplate::Template& file_template)
        : schema_(SchemaOf(file_template.source())), fields_(file_template.fields_used()) {
        for (std::size_t i = 0; i < schema_.fields.size(); ++i) {
            if (schema_.fields[i].name == file_template.split_field()) split_ = i;
        }
        if (split_) fields_[*split_] = true;
    }

    const std::vector<bool>& fields() const { return fields_; }
    RowCodec MakeCodec() const { return {schema_, fields_}; }

    /// Of what a merchant's rows are sorted by, before their place.
    const std::optional<std::size_t>& split() const { return split_; }
    /// What a merchant's rows are sorted by.
    void AppendKey(const FileRow& row, std::string& key) const {
        if (split_) AppendOrderedValue(row.values[*split_], key);
        AppendPlace({row.merchant, row.accepted_us, row.id, row.step}, key);
    }

 private:
    const filetemplate::Schema& schema_;
    std::vector<bool> fields_;
    std::optional<std::size_t> split_;
};

FileQuery QueryOf(const FileOrder& order, const Layout& layout) {
    const filetemplate::Template& file_template = order.file_template;
    FileQuery query;
    query.source = file_template.source();
    if (file_template.follows_business_date()) query.business_date = order.date;
    query.period = file_template.PeriodOf(order.date);
    query.merchant = order.merchant;
    query.fields = layout.fields();
    return query;
}

FileContext ContextOf(const FileOrder& order, MerchantId merchant, std::uint32_t version) {
    return {.merchant_id = merchant.ToString(),
            .date = order.date,
            .period = order.file_template.PeriodOf(order.date),
            .version = version};
}

/// The first refusal of several threads, and the word to the others to end.
class Outcome {
 public:
    explicit Outcome(std::stop_token stop) : stop_(std::move(stop)) {}
    bool ended() const { return ended_.load(std::memory_order_relaxed) || stop_.stop_requested(); }
    void Note(Status status) {
        if (status.ok()) return;
        const std::lock_guard lock(mutex_);
        if (status_.ok()) status_ = std::move(status);
        ended_ = true;
    }
    Status Take() {
        const std::lock_guard lock(mutex_);
        if (status_.ok() && stop_.stop_requested()) return Stopped();
        return status_;
    }

 private:
    const std::stop_token stop_;
    std::atomic<bool> ended_{false};
    std::mutex mutex_;
    Status status_;
};

/// Runs `work(item)` for 0 to below `count`, on some threads, until one is refused.
void RunInParallel(std::size_t count, int threads, Outcome& outcome,
                   const std::function<Status(std::size_t)>& work) {
    std::atomic<std::size_t> next{0};
    const auto run = [&] {
        for (std::size_t item = next++; item < count && !outcome.ended(); item = next++) {
            outcome.Note(work(item));
        }
    };
    std::vector<std::jthread> others;
    const std::size_t wanted = std::min(count, static_cast<std::size_t>(threads));
    for (std::size_t i = 1; i < wanted; ++i) others.emplace_back(run);
    run();
}

/// One thread's rows on their way into the sort.
class Gatherer {
 public:
    Gatherer(const Layout& layout, std::unique_ptr<RowUnpacker> unpacker, rowsort::RowSort& sort,
             int adder, FileProgress& progress, const std::stop_token& stop)
        : layout_(layout),
          unpacker_(std::move(unpacker)),
          sort_(sort),
          adder_(adder),
          progress_(progress),
          stop_(stop) {}

    Status Take(const PackedRow& row) {
        if (stop_.stop_requested()) return Stopped();
        if (!IsWanted(row.merchant)) return OkStatus();
        key_.clear();
        if (layout_.split()) {
            KESSAI_ASSIGN_OR_RETURN(const Row values, unpacker_->Unpack(row));
            AppendOrderedValue(values[*layout_.split()], key_);
        }
        AppendPlace(row, key_);
        return sort_.Add(adder_, GroupOf(row.merchant), key_, row.bytes);
    }

 private:
    bool IsWanted(MerchantId merchant) {
        if (merchant == last_merchant_) return last_wanted_;
        const auto [found, is_new] = wanted_.try_emplace(merchant, false);
        if (is_new) found->second = progress_.Wanted(merchant);
        last_merchant_ = merchant;
        last_wanted_ = found->second;
        return last_wanted_;
    }

    const Layout& layout_;
    const std::unique_ptr<RowUnpacker> unpacker_;
    rowsort::RowSort& sort_;
    const int adder_;
    FileProgress& progress_;
    const std::stop_token& stop_;
    std::unordered_map<MerchantId, bool> wanted_;
    MerchantId last_merchant_;
    bool last_wanted_ = false;
    std::string key_;
};

/// What headers tell, by merchant; or why a merchant's cannot be told.
struct Counts {
    std::unordered_map<MerchantId, std::vector<filetemplate::PartCount>> parts;
    std::unordered_map<MerchantId, Status> refused;
};

class CountingVisitor final : public MerchantVisitor {
 public:
    CountingVisitor(const FileOrder& order, FileProgress& progress, const RowPrinting& printing,
                    Counts& counts)
        : order_(order),
          progress_(progress),
          printing_(printing),
          unpacker_(printing.unpacker()),
          counts_(counts) {}

    Status Begin(MerchantId merchant) override {
        merchant_ = merchant;
        failure_ = OkStatus();
        const FileContext context = ContextOf(order_, merchant, progress_.VersionOf(merchant));
        writer_.emplace(printing_, *unpacker_, context,
                        filetemplate::Writer::Counting(order_.file_template, context));
        return OkStatus();
    }
    Status Take(const PackedRow& row) override {
        if (failure_.ok()) failure_ = writer_->Append(row);
        return OkStatus();
    }
    Status TakeBlock(RowBlock block) override {
        if (failure_.ok()) failure_ = writer_->AppendBlock(std::move(block));
        return OkStatus();
    }
    Status End() override {
        if (failure_.ok()) failure_ = writer_->Finish();
        if (failure_.ok()) {
            counts_.parts.emplace(merchant_, writer_->writer().counts());
        } else {
            counts_.refused.emplace(merchant_, failure_);
        }
        return OkStatus();
    }

 private:
    const FileOrder& order_;
    FileProgress& progress_;
    const RowPrinting& printing_;
    const std::unique_ptr<RowUnpacker> unpacker_;
    Counts& counts_;
    MerchantId merchant_;
    std::optional<RowWriter> writer_;
    Status failure_;
};

/// Writes a merchant's files, one merchant after the other.
class WritingVisitor final : public MerchantVisitor {
 public:
    WritingVisitor(const FileOrder& order, filestore::FileStore& store, FileProgress& progress,
                   const RowPrinting& printing, CommitQueue& commits, Counts counts)
        : order_(order),
          store_(store),
          progress_(progress),
          printing_(printing),
          unpacker_(printing.unpacker()),
          commits_(commits),
          counts_(std::move(counts)) {}

    Status Begin(MerchantId merchant) override {
        merchant_ = merchant;
        merchants_.push_back(merchant);
        sink_.emplace(store_, progress_, merchant);
        const auto refused = counts_.refused.find(merchant);
        failure_ = refused == counts_.refused.end() ? OkStatus() : refused->second;
        if (!failure_.ok()) return OkStatus();
        const FileContext context = ContextOf(order_, merchant, progress_.VersionOf(merchant));
        writer_.emplace(printing_, *unpacker_, context,
                        filetemplate::Writer(order_.file_template, context, *sink_,
                                             std::move(counts_.parts[merchant])));
        return OkStatus();
    }
    Status Take(const PackedRow& row) override {
        ++totals_.rows_read;
        if (!failure_.ok()) return OkStatus();
        failure_ = writer_->Append(row);
        return sink_->store_failure();
    }
    Status TakeBlock(RowBlock block) override {
        totals_.rows_read += block.rows();
        if (!failure_.ok()) return OkStatus();
        failure_ = writer_->AppendBlock(std::move(block));
        return sink_->store_failure();
    }
    Status End() override {
        if (failure_.ok()) failure_ = writer_->Finish();
        KESSAI_RETURN_IF_ERROR(sink_->store_failure());
        writer_.reset();
        if (!failure_.ok()) {
            // Not the merchant's rows are at fault, but who brought them.
            if (!IsOfFile(failure_)) return failure_;
            ++totals_.refused;
            sink_.reset();
            return progress_.Refused(merchant_, failure_);
        }
        return commits_.Add({merchant_, sink_->TakeMade(), sink_->TakeSealed()});
    }

    /// Rows, and merchants that were refused; of what is committed the queue tells.
    const FileRunTotals& totals() const { return totals_; }
    /// All that there were.
    const std::vector<MerchantId>& merchants() const { return merchants_; }

 private:
    const FileOrder& order_;
    filestore::FileStore& store_;
    FileProgress& progress_;
    const RowPrinting& printing_;
    const std::unique_ptr<RowUnpacker> unpacker_;
    CommitQueue& commits_;
    FileRunTotals totals_;
    Counts counts_;
    MerchantId merchant_;
    std::optional<StoreSink> sink_;
    std::optional<RowWriter> writer_;
    Status failure_;
    std::vector<MerchantId> merchants_;
};

/// One run of MakeFiles.
class Run {
 public:
    Run(const FileOrder& order, FileRows& rows, filestore::FileStore& store, FileProgress& progress,
        const MakeFilesOptions& options)
        : order_(order),
          rows_(rows),
          store_(store),
          progress_(progress),
          options_(options),
          layout_(order.file_template),
          query_(QueryOf(order, layout_)),
          threads_(std::max(1, options.threads)),
          writers_(std::max(1, options.merchants_at_once)),
          sort_({.folder = options.work_folder,
                 .memory_max = options.memory_max,
                 .adders = threads_,
                 .cursors = writers_}),
          printing_{.file_template = order.file_template,
                    .unpacker = [this] { return rows_.UnpackerOf(query_); },
                    .helpers = helpers_},
          commits_(store, progress),
          helpers_(threads_) {}

    Result<FileRunTotals> Make(std::span<const MerchantId> also) {
        KESSAI_RETURN_IF_ERROR(Gather());
        Outcome outcome(options_.stop);
        RunInParallel(rowsort::kParts, writers_, outcome,
                      [&](std::size_t part) { return WritePart(static_cast<int>(part), outcome); });
        KESSAI_RETURN_IF_ERROR(outcome.Take());
        KESSAI_RETURN_IF_ERROR(WriteWithoutRows(also));
        KESSAI_RETURN_IF_ERROR(commits_.Finish());
        totals_.Add(commits_.totals());
        totals_.spilled_runs = sort_.spilled_runs();
        return totals_;
    }

 private:
    Status Gather() {
        std::deque<Gatherer> gatherers;
        std::vector<FileRows::TakePacked> takes;
        for (int i = 0; i < threads_; ++i) {
            Gatherer& gatherer = gatherers.emplace_back(layout_, rows_.UnpackerOf(query_), sort_, i,
                                                        progress_, options_.stop);
            takes.push_back([&gatherer](const PackedRow& row) { return gatherer.Take(row); });
        }
        KESSAI_RETURN_IF_ERROR(rows_.ReadPacked(query_, takes));
        return sort_.Finish();
    }

    Status WritePart(int part, const Outcome& outcome) {
        if (!sort_.HasRows(part)) return OkStatus();
        const auto ended = [&outcome] { return outcome.ended(); };
        Counts counts;
        if (order_.file_template.counts_in_header()) {
            CountingVisitor counting(order_, progress_, printing_, counts);
            KESSAI_RETURN_IF_ERROR(WalkPart(sort_, part, ended, counting));
            if (outcome.ended()) return OkStatus();
        }
        WritingVisitor writing(order_, store_, progress_, printing_, commits_, std::move(counts));
        KESSAI_RETURN_IF_ERROR(WalkPart(sort_, part, ended, writing));
        Note(writing.totals(), writing.merchants());
        return OkStatus();
    }

    Status WriteWithoutRows(std::span<const MerchantId> also) {
        std::vector<MerchantId> without(also.begin(), also.end());
        std::sort(without.begin(), without.end());
        without.erase(std::unique(without.begin(), without.end()), without.end());
        std::sort(merchants_.begin(), merchants_.end());
        std::erase_if(without, [this](MerchantId merchant) {
            return std::binary_search(merchants_.begin(), merchants_.end(), merchant) ||
                   !progress_.Wanted(merchant);
        });
        Outcome outcome(options_.stop);
        RunInParallel(without.size(), writers_, outcome, [&](std::size_t i) -> Status {
            Counts counts;
            if (order_.file_template.counts_in_header()) {
                CountingVisitor counting(order_, progress_, printing_, counts);
                KESSAI_RETURN_IF_ERROR(counting.Begin(without[i]));
                KESSAI_RETURN_IF_ERROR(counting.End());
            }
            WritingVisitor writing(order_, store_, progress_, printing_, commits_,
                                   std::move(counts));
            KESSAI_RETURN_IF_ERROR(writing.Begin(without[i]));
            KESSAI_RETURN_IF_ERROR(writing.End());
            Note(writing.totals(), {});
            return OkStatus();
        });
        return outcome.Take();
    }

    void Note(const FileRunTotals& totals, const std::vector<MerchantId>& merchants) {
        const std::lock_guard lock(mutex_);
        totals_.Add(totals);
        merchants_.insert(merchants_.end(), merchants.begin(), merchants.end());
    }

    const FileOrder& order_;
    FileRows& rows_;
    filestore::FileStore& store_;
    FileProgress& progress_;
    const MakeFilesOptions& options_;
    const Layout layout_;
    const FileQuery query_;
    const int threads_;
    const int writers_;
    rowsort::RowSort sort_;
    std::mutex mutex_;
    FileRunTotals totals_;
    /// Those that have rows.
    std::vector<MerchantId> merchants_;
    const RowPrinting printing_;
    CommitQueue commits_;
    /// The last member: their work uses the others.
    HelpingThreads helpers_;
};

class MemorySink final : public filetemplate::FileSink {
 public:
    explicit MemorySink(std::vector<PreviewedFile>& files) : files_(files) {}
    Status Begin(const std::string& name) override {
        files_.push_back({name, {}, 0});
        return OkStatus();
    }
    Status Write(std::string_view bytes) override {
        files_.back().bytes += bytes;
        return OkStatus();
    }
    Status End(const WrittenFile& file) override {
        files_.back().rows = file.rows;
        return OkStatus();
    }

 private:
    std::vector<PreviewedFile>& files_;
};

constexpr std::string_view kEnough = "PREVIEW_HAS_ENOUGH";

/// Gives each row to the writer, in order.
Status WriteAll(const std::vector<std::pair<std::string, std::string>>& rows, RowCodec codec,
                filetemplate::Writer& writer) {
    for (const auto& [key, value] : rows) {
        KESSAI_ASSIGN_OR_RETURN(const Row row, codec.Read(value));
        KESSAI_RETURN_IF_ERROR(writer.Append(row));
    }
    return writer.Finish();
}

}  // namespace

void FileRunTotals::Add(const FileRunTotals& more) {
    merchants += more.merchants;
    refused += more.refused;
    files += more.files;
    rows_read += more.rows_read;
    rows += more.rows;
    bytes += more.bytes;
    spilled_runs += more.spilled_runs;
}

Result<FileRunTotals> MakeFiles(const FileOrder& order, FileRows& rows, filestore::FileStore& store,
                                FileProgress& progress, const MakeFilesOptions& options,
                                std::span<const MerchantId> also) {
    return Run(order, rows, store, progress, options).Make(also);
}

Result<FilePreview> PreviewFile(const FileOrder& order, FileRows& rows, std::size_t rows_max,
                                std::uint32_t version) {
    KESSAI_CHECK(order.merchant.has_value(), "a preview is of a merchant");
    const Layout layout(order.file_template);
    const RowCodec codec = layout.MakeCodec();
    FilePreview preview;
    std::vector<std::pair<std::string, std::string>> kept;
    const FileRows::Take take = [&](const FileRow& row) -> Status {
        if (row.merchant != *order.merchant) return OkStatus();
        if (kept.size() == rows_max) {
            preview.is_cut = true;
            return Status(Code::kCancelled, kEnough, "the preview has its rows");
        }
        auto& [key, value] = kept.emplace_back();
        layout.AppendKey(row, key);
        codec.Append(row.values, value);
        return OkStatus();
    };
    const Status read = rows.Read(QueryOf(order, layout), std::span(&take, 1));
    if (!read.ok() && !preview.is_cut) return read;
    std::sort(kept.begin(), kept.end());
    preview.rows_read = kept.size();

    const FileContext context = ContextOf(order, *order.merchant, version);
    std::vector<filetemplate::PartCount> counts;
    if (order.file_template.counts_in_header()) {
        auto counting = filetemplate::Writer::Counting(order.file_template, context);
        KESSAI_RETURN_IF_ERROR(WriteAll(kept, codec, counting));
        counts = counting.counts();
    }
    MemorySink sink(preview.files);
    filetemplate::Writer writer(order.file_template, context, sink, std::move(counts));
    KESSAI_RETURN_IF_ERROR(WriteAll(kept, codec, writer));
    return preview;
}

}  // namespace kessai::reconciliation::app
