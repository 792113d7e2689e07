#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kessai::redis {

/// What Redis answered (RESP2). Errors are no replies: they come as refusals.
struct Reply {
    enum class Kind : std::uint8_t { kNil, kStatus, kInteger, kString, kArray };

    Kind kind = Kind::kNil;
    std::int64_t integer = 0;
    /// Of strings and statuses.
    std::string text;
    std::vector<Reply> elements;

    bool is_nil() const { return kind == Kind::kNil; }
};

}  // namespace kessai::redis
