#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace kessai::payout::domain {

/// SHA-256 of a file's bytes.
using FileHash = std::array<std::uint8_t, 32>;

/// Over a file that comes in pieces. Not thread safe.
class FileHasher {
 public:
    FileHasher();
    FileHasher(FileHasher&&) noexcept;
    FileHasher& operator=(FileHasher&&) noexcept;
    ~FileHasher();

    void Add(std::string_view bytes);
    /// To be called once.
    FileHash Finish();

 private:
    struct Context;
    std::unique_ptr<Context> context_;
};

FileHash HashOf(std::string_view bytes);
/// 64 hexadecimal digits.
std::string ToHex(const FileHash& hash);

}  // namespace kessai::payout::domain
