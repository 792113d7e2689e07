#include "spill_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "kessai/rowsort/row_sort.h"

namespace kessai::rowsort::internal {
namespace {

Status Failed(std::string_view what, int error) {
    const bool full = error == ENOSPC || error == EDQUOT;
    return Status(full ? Code::kResourceExhausted : Code::kUnavailable,
                  full ? reason::kDiskFull : reason::kFolderFailed,
                  std::string(what) + ": " + std::strerror(error));
}

}  // namespace

SpillFile::~SpillFile() {
    if (is_open()) ::close(descriptor_);
}

Status SpillFile::Open(const std::string& folder) {
    descriptor_ = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor_ < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
        // A file system that has no files without a name: it loses its name at once.
        std::string name = folder + "/rows-XXXXXX";
        descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
        if (descriptor_ >= 0 && ::unlink(name.c_str()) != 0) return Failed("unlink", errno);
    }
    return is_open() ? OkStatus() : Failed("the work folder " + folder, errno);
}

Status SpillFile::Append(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written =
            ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
        if (written < 0) {
            if (errno == EINTR) continue;
            return Failed("writing rows to the work folder", errno);
        }
        size_ += static_cast<std::uint64_t>(written);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return OkStatus();
}

Status SpillFile::Read(std::uint64_t offset, std::span<char> into) const {
    while (!into.empty()) {
        const ssize_t read =
            ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
        if (read < 0 && errno == EINTR) continue;
        // Only we write it, so it ends where we think.
        if (read <= 0) return Failed("reading rows from the work folder", read < 0 ? errno : EIO);
        offset += static_cast<std::uint64_t>(read);
        into = into.subspan(static_cast<std::size_t>(read));
    }
    return OkStatus();
}

}  // namespace kessai::rowsort::internal
