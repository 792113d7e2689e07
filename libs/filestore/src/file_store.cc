#include "kessai/filestore/file_store.h"

namespace kessai::filestore {

std::vector<Status> FileStore::CommitTogether(std::span<const FileToCommit> files) {
    std::vector<Status> outcomes;
    for (const FileToCommit& file : files) {
        outcomes.push_back(file.writer->Commit(file.sha256, file.bytes));
    }
    return outcomes;
}

}  // namespace kessai::filestore
