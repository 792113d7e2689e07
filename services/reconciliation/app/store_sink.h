#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/bounded_queue.h"
#include "app/make_files.h"
#include "kessai/filestore/file_store.h"
#include "kessai/filetemplate/writer.h"

namespace kessai::reconciliation::app {

/// Whether the file as it would be is at fault, and not the store or who brought the rows.
bool IsOfFile(const Status& status);

/// A file that is with the store, and not committed.
struct SealedFile {
    std::unique_ptr<filestore::FileWriter> writer;
    MadeFile made;

    filestore::FileToCommit ToCommit() const {
        return {writer.get(), made.written.sha256, made.written.bytes};
    }
};

/// A merchant's files on their way into the store. Small ones are left to be committed with those
/// of other merchants, as long as they are few; large ones are committed here. Of a large one the
/// store gets the bytes by a thread of its own, so that the rows are not held up by its hash and
/// its disk. Used by one thread; destroyed before its End, the file is dropped.
class StoreSink final : public filetemplate::FileSink {
 public:
    StoreSink(filestore::FileStore& store, FileProgress& progress, domain::MerchantId merchant)
        : store_(store), progress_(progress), merchant_(merchant) {}
    ~StoreSink() override { Abandon(); }
    StoreSink(const StoreSink&) = delete;
    StoreSink& operator=(const StoreSink&) = delete;

    Status Begin(const std::string& name) override;
    Status Write(std::string_view bytes) override;
    Status End(const filetemplate::WrittenFile& file) override;

    /// Of the store, not of the file: nobody's files can be made.
    const Status& store_failure() const { return store_failure_; }
    /// Those that are committed, and those behind them that are not.
    std::vector<MadeFile> TakeMade() { return std::move(made_); }
    std::vector<SealedFile> TakeSealed() { return std::move(sealed_); }

 private:
    using Pieces = BoundedQueue<std::string>;

    Status Failed(Status status);
    void StartStoring();
    Status FinishStoring();
    void Abandon();
    Status CommitSealed();

    filestore::FileStore& store_;
    FileProgress& progress_;
    const domain::MerchantId merchant_;
    std::string key_;
    std::unique_ptr<filestore::FileWriter> writer_;
    /// The first bytes of a file, or all of a small one.
    std::string first_;
    std::unique_ptr<Pieces> pieces_;
    /// What the storing thread met with; to be read once it has ended.
    Status storing_;
    std::thread storing_thread_;
    std::vector<MadeFile> made_;
    std::vector<SealedFile> sealed_;
    std::uint64_t sealed_bytes_ = 0;
    Status store_failure_;
};

}  // namespace kessai::reconciliation::app
