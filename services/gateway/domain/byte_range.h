#pragma once

#include <cstdint>
#include <string_view>

namespace kessai::gateway::domain {

/// What of a file a request wants, by its field Range (RFC 9110 section 14).
struct ByteRange {
    enum class Kind : std::uint8_t {
        /// No field, one that is malformed, of another unit, or of several ranges: all of it.
        kAll,
        kPart,
        /// Beyond the file's end: 416.
        kUnsatisfiable,
    };
    Kind kind = Kind::kAll;
    /// First and last byte, both included; of kAll too, unless the file is empty.
    std::uint64_t first = 0;
    std::uint64_t last = 0;

    bool operator==(const ByteRange&) const = default;
};

/// `field` is empty where there is none.
ByteRange ReadRange(std::string_view field, std::uint64_t file_bytes);

}  // namespace kessai::gateway::domain
