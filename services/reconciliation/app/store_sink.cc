#include "app/store_sink.h"

#include <utility>

namespace kessai::reconciliation::app {
namespace {

// Files below it are written where their rows are.
constexpr std::size_t kLargeBytes = std::size_t{1} << 20;
constexpr std::size_t kPiecesAhead = 8;
constexpr std::size_t kSealedMax = 8;

}  // namespace

bool IsOfFile(const Status& status) {
    return status.code() == Code::kInvalidArgument || status.code() == Code::kOutOfRange;
}

Status StoreSink::Failed(Status status) {
    if (!status.ok() && !IsOfFile(status)) store_failure_ = status;
    return status;
}

Status StoreSink::Begin(const std::string& name) {
    key_ = progress_.KeyOf(merchant_, name);
    auto writer = store_.Create(key_);
    if (!writer.ok()) return Failed(std::move(writer).status());
    writer_ = std::move(*writer);
    return OkStatus();
}

Status StoreSink::Write(std::string_view bytes) {
    if (pieces_ == nullptr) {
        first_ += bytes;
        if (first_.size() >= kLargeBytes) StartStoring();
        return OkStatus();
    }
    // Nobody takes it: the store has refused.
    return pieces_->Put(std::string(bytes)) ? OkStatus() : Failed(FinishStoring());
}

Status StoreSink::End(const filetemplate::WrittenFile& file) {
    const bool is_large = pieces_ != nullptr;
    KESSAI_RETURN_IF_ERROR(Failed(is_large ? FinishStoring() : writer_->Write(first_)));
    first_.clear();
    if (!is_large) KESSAI_RETURN_IF_ERROR(Failed(writer_->Seal(file.sha256, file.bytes)));
    sealed_.push_back({std::move(writer_), {key_, file}});
    sealed_bytes_ += file.bytes;
    const bool are_many = sealed_.size() == kSealedMax || sealed_bytes_ >= kLargeBytes;
    return is_large || are_many ? CommitSealed() : OkStatus();
}

Status StoreSink::CommitSealed() {
    std::vector<filestore::FileToCommit> files;
    for (const SealedFile& file : sealed_) files.push_back(file.ToCommit());
    for (Status& outcome : store_.CommitTogether(files)) {
        KESSAI_RETURN_IF_ERROR(Failed(std::move(outcome)));
    }
    for (SealedFile& file : sealed_) made_.push_back(std::move(file.made));
    sealed_.clear();
    sealed_bytes_ = 0;
    return OkStatus();
}

void StoreSink::StartStoring() {
    pieces_ = std::make_unique<Pieces>(kPiecesAhead);
    pieces_->Put(std::exchange(first_, {}));
    storing_ = OkStatus();
    storing_thread_ = std::thread([this] {
        while (true) {
            const auto piece = pieces_->Take();
            if (!piece.ok() || !piece->has_value()) return;
            storing_ = writer_->Write(**piece);
            if (storing_.ok()) continue;
            pieces_->Close();
            return;
        }
    });
}

Status StoreSink::FinishStoring() {
    pieces_->End(OkStatus());
    storing_thread_.join();
    pieces_.reset();
    return storing_;
}

void StoreSink::Abandon() {
    if (pieces_ == nullptr) return;
    pieces_->Close();
    (void)FinishStoring();
}

}  // namespace kessai::reconciliation::app
