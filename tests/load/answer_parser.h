#pragma once

#include <cstddef>
#include <string_view>

namespace kessai::load {

/// Finds one HTTP/1.1 answer at the beginning of a buffer that grows. It understands what our
/// servers send, an answer with a Content-Length or none at all, and refuses the rest rather than
/// guess where an answer ends. Informational answers (1xx) are passed over.
class AnswerParser {
 public:
    static constexpr std::size_t kHeaderBytesMax = 16 * 1024;
    static constexpr std::size_t kBodyBytesMax = 4 * 1024 * 1024;

    enum class Found {
        kMore,  // read on
        kAnswer,
        kMalformed,
    };

    /// `buffer` is all that was read since the last answer, the same bytes as before and more.
    Found Look(std::string_view buffer);
    /// Before the next answer.
    void Reset() { *this = AnswerParser(); }

    // After kAnswer:
    int status() const { return status_; }
    std::string_view BodyIn(std::string_view buffer) const {
        return buffer.substr(body_at_, body_size_);
    }
    /// Bytes of the buffer that the answer takes; what is beyond nobody asked for.
    std::size_t size() const { return body_at_ + body_size_; }
    /// Whether the connection may carry another request.
    bool keep_alive() const { return keep_alive_; }

 private:
    Found ReadHeader(std::string_view header);

    std::size_t begin_ = 0;  // of the header
    std::size_t scanned_ = 0;
    bool header_read_ = false;
    int status_ = 0;
    bool keep_alive_ = true;
    std::size_t body_at_ = 0;
    std::size_t body_size_ = 0;
};

}  // namespace kessai::load
