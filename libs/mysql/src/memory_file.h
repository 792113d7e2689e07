#pragma once

#include <string>
#include <string_view>

namespace kessai::mysql {

/// A file without a place on any disk, which the client library can open by its path in this
/// process.
class MemoryFile {
 public:
    MemoryFile();
    ~MemoryFile();
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    /// False when there is no memory or no descriptor left.
    bool Write(std::string_view content);
    std::string path() const;

 private:
    int descriptor_;
};

}  // namespace kessai::mysql
