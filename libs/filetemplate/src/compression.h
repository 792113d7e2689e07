#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/filetemplate/writer.h"
#include "kessai/result/result.h"
#include "layout.h"

namespace kessai::filetemplate::internal {

/// Takes the text of files, and gives their stored bytes to a sink, with their number and SHA-256.
/// There are no times in them: gzip's header has none, entries of a zip archive are of 1980-01-01,
/// the first day that it knows. Archives are those of PKWARE's APPNOTE 6.3 without Zip64, with
/// sizes behind each entry and names in UTF-8 (general purpose bits 3 and 11).
class Packer {
 public:
    Packer(Compression compression, FileSink& sink);
    Packer(const Packer&) = delete;
    Packer& operator=(const Packer&) = delete;
    ~Packer();

    Status BeginFile(const std::string& name);
    /// Of zip: each text within a file. The others have one, and its name is not looked at.
    Status BeginEntry(const std::string& name);
    Status Write(std::string_view text);
    Status EndEntry();
    /// Fills in `bytes` and `sha256`, and ends the sink's file.
    Status EndFile(WrittenFile& file);

 private:
    struct Deflater;
    struct Sha256;
    struct Entry {
        std::string name;
        std::uint64_t offset = 0;
        std::uint64_t text_bytes = 0;
        std::uint64_t stored_bytes = 0;
        std::uint32_t crc = 0;
    };

    Status Store(std::string_view bytes);
    Status Deflate(std::string_view text, bool finish);
    Status WriteDirectory();

    const Compression compression_;
    FileSink& sink_;
    std::unique_ptr<Deflater> deflater_;
    std::unique_ptr<Sha256> sha256_;
    std::uint64_t bytes_ = 0;
    std::vector<Entry> entries_;
};

}  // namespace kessai::filetemplate::internal
