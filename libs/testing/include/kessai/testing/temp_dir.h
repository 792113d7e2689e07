#pragma once

#include <string>
#include <string_view>

namespace kessai::testing {

/// A directory of its own under $TMPDIR (or /tmp), removed with all in it at the end.
class TempDir {
 public:
    explicit TempDir(std::string_view purpose = "test");
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;

    const std::string& path() const { return path_; }
    std::string Path(std::string_view name) const { return path_ + "/" + std::string(name); }
    /// Writes a file and gives its path.
    std::string Write(std::string_view name, std::string_view content) const;

 private:
    std::string path_;
};

/// The whole file; empty if it cannot be read.
std::string ReadFile(const std::string& path);

/// A name that no other test uses at the same time, for schemas, topics and key prefixes:
/// "<purpose>_<pid>_<number>_<random>", lower case letters, digits and underscores.
std::string UniqueName(std::string_view purpose);

/// A TCP port of 127.0.0.1 that nothing listened on a moment ago.
int FreePort();

/// The environment variable, empty if it is not set.
std::string Environment(const char* name);

}  // namespace kessai::testing
