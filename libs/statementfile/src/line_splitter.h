#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "kessai/result/result.h"

namespace kessai::statementfile::internal {

/// Takes line by line off a file that comes in pieces. Lines end in LF or CR LF; the last may lack
/// that. Holds at most kBytesMax of one.
class LineSplitter {
 public:
    static constexpr std::size_t kBytesMax = 64 << 10;

    /// Calls `take(number, line, too_long)` for each line, numbered from 1; of one that is too long
    /// with its beginning only. Stops at what `take` refuses with.
    template <class Take>
    Status Feed(std::string_view bytes, Take&& take) {
        while (!bytes.empty()) {
            const std::size_t at = bytes.find('\n');
            const std::string_view piece = bytes.substr(0, at);
            if (piece.size() > kBytesMax - line_.size()) too_long_ = true;
            line_ += piece.substr(0, kBytesMax - line_.size());
            begun_ = true;
            if (at == std::string_view::npos) return OkStatus();
            bytes.remove_prefix(at + 1);
            KESSAI_RETURN_IF_ERROR(TakeLine(take));
        }
        return OkStatus();
    }
    template <class Take>
    Status End(Take&& take) {
        return begun_ ? TakeLine(take) : OkStatus();
    }

 private:
    template <class Take>
    Status TakeLine(Take&& take) {
        ++number_;
        begun_ = false;
        std::string line = std::exchange(line_, {});
        if (line.ends_with('\r')) line.pop_back();
        return take(number_, std::string_view(line), std::exchange(too_long_, false));
    }

    std::string line_;
    bool begun_ = false;
    bool too_long_ = false;
    std::size_t number_ = 0;
};

}  // namespace kessai::statementfile::internal
