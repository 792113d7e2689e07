#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "kessai/zengin/transfer_file.h"
#include "record_reader.h"

namespace kessai::zengin::internal {

/// Takes record by record off a file that comes in pieces, as Records does off a whole one, but
/// goes on behind a record of the wrong length: with line ends at the next line, without them
/// `size` bytes further. Holds at most kBytesMax of a line that does not end.
class RecordStream {
 public:
    /// Told of a record by its number from 1; `length` refuses with RECORD_LENGTH_WRONG one that
    /// has not its `size` bytes.
    using TakeRecord =
        std::function<Status(std::size_t number, std::string_view bytes, Status length)>;

    explicit RecordStream(std::size_t size) : size_(size) {}

    /// Takes each record that is complete. Stops at what `take` refuses with.
    Status Feed(std::string_view bytes, const TakeRecord& take) {
        buffer_ += bytes;
        if (!begun_ && buffer_.size() < size_ + kLineEndMax) return OkStatus();
        return TakeComplete(take);
    }

    /// The last record may lack its line end; an end-of-file byte behind it is dropped.
    Status End(const TakeRecord& take) {
        if (buffer_.ends_with(kEndOfFile)) buffer_.pop_back();
        KESSAI_RETURN_IF_ERROR(TakeComplete(take));
        if (buffer_.empty() || skipping_) return OkStatus();
        const std::string last = std::exchange(buffer_, {});
        return TakeOne(last, take);
    }

 private:
    static constexpr std::size_t kLineEndMax = 2;
    static constexpr std::size_t kBytesMax = 4096;

    Status TakeComplete(const TakeRecord& take) {
        Begin();
        std::string_view rest = buffer_;
        Status status;
        while (status.ok() && !rest.empty()) {
            if (line_end_ == LineEnd::kNone) {
                if (rest.size() < size_) break;
                status = TakeOne(rest.substr(0, size_), take);
                rest.remove_prefix(size_);
                continue;
            }
            const std::size_t at = rest.find('\n');
            if (at == std::string_view::npos) {
                if (rest.size() <= kBytesMax) break;
                if (!std::exchange(skipping_, true)) status = TakeOne(rest, take);
                rest = {};
                continue;
            }
            if (!std::exchange(skipping_, false)) status = TakeLine(rest.substr(0, at), take);
            rest.remove_prefix(at + 1);
        }
        buffer_.erase(0, buffer_.size() - rest.size());
        return status;
    }

    /// The first record tells what is behind each.
    void Begin() {
        if (std::exchange(begun_, true)) return;
        const std::size_t at = std::string_view(buffer_).substr(0, size_ + kLineEndMax).find('\n');
        if (at == std::string_view::npos) return;
        line_end_ = at > 0 && buffer_[at - 1] == '\r' ? LineEnd::kCrLf : LineEnd::kLf;
    }

    Status TakeLine(std::string_view line, const TakeRecord& take) {
        if (line_end_ == LineEnd::kLf) return TakeOne(line, take);
        if (line.ends_with('\r')) return TakeOne(line.substr(0, line.size() - 1), take);
        ++number_;
        return take(number_, line,
                    WrongLength("has not the line end of the first behind its " +
                                std::to_string(line.size()) + " bytes"));
    }

    Status TakeOne(std::string_view bytes, const TakeRecord& take) {
        ++number_;
        if (const auto at = bytes.find_first_of("\r\n"); at != std::string_view::npos) {
            return take(number_, bytes, WrongLength("ends after " + std::to_string(at) + " bytes"));
        }
        if (bytes.size() != size_) {
            return take(number_, bytes,
                        WrongLength("has " + std::to_string(bytes.size()) + " bytes, not " +
                                    std::to_string(size_)));
        }
        return take(number_, bytes, OkStatus());
    }

    Status WrongLength(const std::string& what) const {
        return Refuse(reason::kRecordLengthWrong, "record " + std::to_string(number_) + " " + what);
    }

    const std::size_t size_;
    std::string buffer_;
    bool begun_ = false;
    bool skipping_ = false;
    LineEnd line_end_ = LineEnd::kNone;
    std::size_t number_ = 0;
};

}  // namespace kessai::zengin::internal
