#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kessai/result/result.h"

namespace kessai::audit {

/// A temporary file without a name: gone when it is closed, however the process ends.
class SpillFile {
 public:
    SpillFile() = default;
    explicit SpillFile(int descriptor) : descriptor_(descriptor) {}
    SpillFile(SpillFile&& other) noexcept;
    SpillFile& operator=(SpillFile&& other) noexcept;
    ~SpillFile();

    Status Append(const void* bytes, std::size_t size);
    /// Refuses with DATA_LOSS SPILL_SHORT when there are not so many bytes.
    Status ReadAt(std::uint64_t offset, void* bytes, std::size_t size) const;
    std::uint64_t size() const { return size_; }

 private:
    int descriptor_ = -1;
    std::uint64_t size_ = 0;
};

/// Where sorters put what does not fit their memory. Thread safe.
class SpillSpace {
 public:
    /// `memory_bytes`: what one sorter holds before it writes.
    SpillSpace(std::string directory, std::size_t memory_bytes)
        : directory_(std::move(directory)), memory_bytes_(memory_bytes) {}

    /// UNAVAILABLE SPILL_FAILED, with the directory and the system's message.
    Result<SpillFile> NewFile() const;
    std::size_t memory_bytes() const { return memory_bytes_; }

 private:
    std::string directory_;
    std::size_t memory_bytes_;
};

}  // namespace kessai::audit
