#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "app/file_books.h"
#include "domain/merchant_files.h"
#include "kessai/filestore/file_store.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

struct FileRunRecord {
    domain::FileRun run{};
    std::vector<domain::RunMerchant> refused{};
};

/// Use cases: look at runs and files, read what is in a file, tell of it again, and remove what was
/// kept long enough. Thread safe.
class MerchantFiles {
 public:
    /// All must outlive it.
    MerchantFiles(FileTransactions& transactions, filestore::FileStore& store, const Clock& clock,
                  std::chrono::hours keep_records)
        : transactions_(transactions), store_(store), clock_(clock), keep_records_(keep_records) {}

    /// With the first of those that were refused. NOT_FOUND FILE_RUN_UNKNOWN.
    Result<FileRunRecord> FindRun(domain::FileRunId id);
    Result<std::vector<domain::FileRun>> ListRuns(const FileRunFilter& filter);

    /// `of`: none for operators; else what others have is as if it were not there. NOT_FOUND
    /// FILE_UNKNOWN.
    Result<domain::MerchantFile> Find(domain::FileId id, domain::MerchantId of);
    /// INVALID_ARGUMENT FIELD_INVALID: the last day is before the first.
    Result<std::vector<domain::MerchantFile>> List(const FileFilter& filter);

    /// Told of each piece of the content; false ends the read well.
    using Take = std::function<bool(std::string_view piece)>;
    /// The content of a file from `offset` on, in pieces of at most kPieceBytes. When ok, and all
    /// was taken from offset 0, it is what was stored. FAILED_PRECONDITION FILE_EXPIRED;
    /// OUT_OF_RANGE FILE_OFFSET_OUT_OF_RANGE; DATA_LOSS FILE_DAMAGED; and those of the store.
    Status Read(const domain::MerchantFile& file, std::uint64_t offset, const Take& take);
    static constexpr std::size_t kPieceBytes = std::size_t{256} << 10;

    /// NOT_FOUND FILE_UNKNOWN; FAILED_PRECONDITION FILE_EXPIRED.
    Result<domain::MerchantFile> Announce(domain::FileId id, std::string_view by);

    /// Removes the content of some files that expired, and says of how many. Those that cannot be
    /// removed are tried again another time.
    Result<int> RemoveExpired();
    /// Forgets some files of days that are kept no longer, and says how many. From then on they are
    /// FILE_UNKNOWN.
    Result<int> ForgetOld();

 private:
    Status CheckKept(const domain::MerchantFile& file) const;

    FileTransactions& transactions_;
    filestore::FileStore& store_;
    const Clock& clock_;
    const std::chrono::hours keep_records_;
};

}  // namespace kessai::reconciliation::app
