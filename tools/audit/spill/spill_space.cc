#include "spill/spill_space.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace kessai::audit {
namespace {

Status Failed(const std::string& what) {
    return Status(Code::kUnavailable, "SPILL_FAILED",
                  what + ": " + std::generic_category().message(errno));
}

}  // namespace

SpillFile::SpillFile(SpillFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), size_(std::exchange(other.size_, 0)) {}

SpillFile& SpillFile::operator=(SpillFile&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(size_, other.size_);
    return *this;
}

SpillFile::~SpillFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Status SpillFile::Append(const void* bytes, std::size_t size) {
    const char* at = static_cast<const char*>(bytes);
    while (size > 0) {
        const ssize_t written = ::pwrite(descriptor_, at, size, static_cast<off_t>(size_));
        if (written < 0) {
            if (errno == EINTR) continue;
            return Failed("a temporary file cannot be written");
        }
        at += written;
        size -= static_cast<std::size_t>(written);
        size_ += static_cast<std::uint64_t>(written);
    }
    return OkStatus();
}

Status SpillFile::ReadAt(std::uint64_t offset, void* bytes, std::size_t size) const {
    char* at = static_cast<char*>(bytes);
    while (size > 0) {
        const ssize_t got = ::pread(descriptor_, at, size, static_cast<off_t>(offset));
        if (got < 0) {
            if (errno == EINTR) continue;
            return Failed("a temporary file cannot be read");
        }
        if (got == 0) return Status(Code::kDataLoss, "SPILL_SHORT", "a temporary file ends early");
        at += got;
        offset += static_cast<std::uint64_t>(got);
        size -= static_cast<std::size_t>(got);
    }
    return OkStatus();
}

Result<SpillFile> SpillSpace::NewFile() const {
    std::string path = directory_ + "/kessai-audit-XXXXXX";
    const int descriptor = ::mkostemp(path.data(), O_CLOEXEC);
    if (descriptor < 0) return Failed("no temporary file can be made in " + directory_);
    ::unlink(path.c_str());
    return SpillFile(descriptor);
}

}  // namespace kessai::audit
