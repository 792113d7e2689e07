#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "kessai/result/result.h"

namespace kessai::rowsort::internal {

/// A file without a name, which is gone with the process. Append by one thread at a time; Read by
/// any.
class SpillFile {
 public:
    SpillFile() = default;
    ~SpillFile();
    SpillFile(const SpillFile&) = delete;
    SpillFile& operator=(const SpillFile&) = delete;

    bool is_open() const { return descriptor_ >= 0; }
    Status Open(const std::string& folder);
    Status Append(std::string_view bytes);
    std::uint64_t size() const { return size_; }
    /// All of `into`, or a refusal.
    Status Read(std::uint64_t offset, std::span<char> into) const;

 private:
    int descriptor_ = -1;
    std::uint64_t size_ = 0;
};

}  // namespace kessai::rowsort::internal
