#include "memory_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace kessai::mysql {

MemoryFile::MemoryFile() : descriptor_(::memfd_create("rows", MFD_CLOEXEC)) {}

MemoryFile::~MemoryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

bool MemoryFile::Write(std::string_view content) {
    while (!content.empty()) {
        const ssize_t written = ::write(descriptor_, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

std::string MemoryFile::path() const {
    return "/proc/self/fd/" + std::to_string(descriptor_);
}

}  // namespace kessai::mysql
