#include "app/merchant_files.h"

#include <string>
#include <utility>

#include "domain/content_hash.h"
#include "kessai/faults/fault_point.h"

namespace kessai::reconciliation::app {

namespace {

constexpr int kRefusedMax = 100;
constexpr int kExpiredPerRound = 200;
constexpr int kForgottenPerRound = 1'000;

Status Unknown(domain::FileId id) {
    return Status(Code::kNotFound, "FILE_UNKNOWN", "no file " + id.ToString());
}

Status Damaged(const domain::MerchantFile& file, std::string_view how) {
    return Status(Code::kDataLoss, "FILE_DAMAGED",
                  "file " + file.id.ToString() + ": " + std::string(how));
}

}  // namespace

Result<FileRunRecord> MerchantFiles::FindRun(domain::FileRunId id) {
    FileRunRecord record;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(record.run, books.FindRun(id));
        KESSAI_ASSIGN_OR_RETURN(record.refused, books.RefusedMerchants(id, kRefusedMax));
        return OkStatus();
    }));
    return record;
}

Result<std::vector<domain::FileRun>> MerchantFiles::ListRuns(const FileRunFilter& filter) {
    std::vector<domain::FileRun> runs;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(runs, books.ListRuns(filter));
        return OkStatus();
    }));
    return runs;
}

Result<domain::MerchantFile> MerchantFiles::Find(domain::FileId id, domain::MerchantId of) {
    domain::MerchantFile file;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(file, books.FindFile(id));
        return OkStatus();
    }));
    if (!of.is_none() && file.merchant != of) return Unknown(id);
    return file;
}

Result<std::vector<domain::MerchantFile>> MerchantFiles::List(const FileFilter& filter) {
    std::vector<domain::MerchantFile> files;
    if (filter.from && filter.to && *filter.to < *filter.from) {
        return Status(Code::kInvalidArgument, "FIELD_INVALID",
                      "to_date: " + filter.to->ToString() + " is before from_date, " +
                          filter.from->ToString());
    }
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(files, books.ListFiles(filter));
        return OkStatus();
    }));
    return files;
}

Status MerchantFiles::CheckKept(const domain::MerchantFile& file) const {
    if (clock_.Now() < file.expires_at) return OkStatus();
    return Status(Code::kFailedPrecondition, "FILE_EXPIRED",
                  "the content of file " + file.id.ToString() + " was kept until " +
                      FormatJst(file.expires_at));
}

Status MerchantFiles::Read(const domain::MerchantFile& file, std::uint64_t offset,
                           const Take& take) {
    KESSAI_RETURN_IF_ERROR(CheckKept(file));
    if (offset > file.bytes) {
        return Status(Code::kOutOfRange, "FILE_OFFSET_OUT_OF_RANGE",
                      "offset: the file has " + std::to_string(file.bytes) + " bytes");
    }
    const auto reader = store_.Open(file.key, offset);
    if (reader.status().reason() == filestore::reason::kFileUnknown) {
        return Damaged(file, "the store has it no more");
    }
    if (reader.status().reason() == filestore::reason::kOffsetBeyondEnd) {
        return Damaged(file, "the store has less of it");
    }
    KESSAI_RETURN_IF_ERROR(reader.status());
    domain::Sha256OfContent hash;
    std::string buffer(kPieceBytes, '\0');
    std::uint64_t at = offset;
    while (true) {
        KESSAI_ASSIGN_OR_RETURN(const std::size_t size, (*reader)->Read(buffer));
        if (size == 0) break;
        at += size;
        if (at > file.bytes) return Damaged(file, "the store has more than was stored");
        const std::string_view piece(buffer.data(), size);
        if (offset == 0) hash.Add(piece);
        if (!take(piece)) return OkStatus();
    }
    if (at != file.bytes) return Damaged(file, "the store has less of it");
    if (offset == 0 && hash.Finish() != file.sha256) {
        return Damaged(file, "the store has other bytes than were stored");
    }
    return OkStatus();
}

Result<domain::MerchantFile> MerchantFiles::Announce(domain::FileId id, std::string_view by) {
    domain::MerchantFile file;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(file, books.FindFile(id));
        KESSAI_RETURN_IF_ERROR(CheckKept(file));
        KESSAI_ASSIGN_OR_RETURN(file, books.Announce(id, by, clock_.Now()));
        return OkStatus();
    }));
    return file;
}

Result<int> MerchantFiles::RemoveExpired() {
    const Instant now = clock_.Now();
    std::vector<domain::MerchantFile> expired;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(expired, books.ListExpired(now, kExpiredPerRound));
        return OkStatus();
    }));
    std::vector<domain::FileId> removed;
    Status refusal;
    for (const domain::MerchantFile& file : expired) {
        refusal = store_.Remove(file.key);
        if (!refusal.ok()) break;
        removed.push_back(file.id);
    }
    KESSAI_FAULT_POINT("reconciliation.file_content_removed");
    if (!removed.empty()) {
        KESSAI_RETURN_IF_ERROR(
            transactions_.Run([&](FileBooks& books) { return books.MarkRemoved(removed, now); }));
    }
    KESSAI_RETURN_IF_ERROR(refusal);
    return static_cast<int>(removed.size());
}

Result<int> MerchantFiles::ForgetOld() {
    const BusinessDate first_kept = domain::FirstDayKept(clock_.Now(), keep_records_);
    std::uint64_t forgotten = 0;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](FileBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(forgotten, books.ForgetFiles(first_kept, kForgottenPerRound));
        return OkStatus();
    }));
    return static_cast<int>(forgotten);
}

}  // namespace kessai::reconciliation::app
