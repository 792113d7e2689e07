#include "load/answer_parser.h"

#include <algorithm>
#include <charconv>

namespace kessai::load {

namespace {

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
    return text.size() == lower.size() &&
           std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
               return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
           });
}

std::string_view Trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

}  // namespace

AnswerParser::Found AnswerParser::Look(std::string_view buffer) {
    while (!header_read_) {
        const std::size_t from = std::max(begin_, scanned_ > 3 ? scanned_ - 3 : 0);
        const std::size_t end = buffer.find("\r\n\r\n", from);
        if (end == std::string_view::npos) {
            scanned_ = buffer.size();
            return buffer.size() - begin_ > kHeaderBytesMax ? Found::kMalformed : Found::kMore;
        }
        if (end - begin_ > kHeaderBytesMax) return Found::kMalformed;
        // With the last field's line end, so that every line has one.
        if (ReadHeader(buffer.substr(begin_, end + 2 - begin_)) == Found::kMalformed) {
            return Found::kMalformed;
        }
        if (status_ >= 100 && status_ < 200) {
            if (status_ == 101) return Found::kMalformed;
            begin_ = scanned_ = end + 4;
            continue;
        }
        body_at_ = end + 4;
        header_read_ = true;
    }
    return buffer.size() >= size() ? Found::kAnswer : Found::kMore;
}

AnswerParser::Found AnswerParser::ReadHeader(std::string_view header) {
    const std::size_t line_end = header.find("\r\n");
    const std::string_view status_line = header.substr(0, line_end);
    // "HTTP/1.1 200 OK"; the phrase may be missing.
    if (status_line.size() < 12 || !status_line.starts_with("HTTP/1.") || status_line[8] != ' ' ||
        (status_line.size() > 12 && status_line[12] != ' ')) {
        return Found::kMalformed;
    }
    const char minor = status_line[7];
    if (minor != '0' && minor != '1') return Found::kMalformed;
    const auto read = std::from_chars(&status_line[9], &status_line[9] + 3, status_);
    if (read.ec != std::errc() || read.ptr != &status_line[9] + 3 || status_ < 100) {
        return Found::kMalformed;
    }
    keep_alive_ = minor == '1';
    header.remove_prefix(line_end + 2);

    bool has_length = false;
    while (!header.empty()) {
        const std::size_t end = header.find("\r\n");
        const std::string_view line = header.substr(0, end);
        header.remove_prefix(end + 2);
        const std::size_t colon = line.find(':');
        if (colon == 0 || colon == std::string_view::npos) return Found::kMalformed;
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = Trimmed(line.substr(colon + 1));
        if (EqualsIgnoringCase(name, "content-length")) {
            std::size_t length = 0;
            const auto digits = std::from_chars(value.data(), value.data() + value.size(), length);
            if (value.empty() || digits.ec != std::errc() ||
                digits.ptr != value.data() + value.size() || length > kBodyBytesMax ||
                (has_length && length != body_size_)) {
                return Found::kMalformed;
            }
            has_length = true;
            body_size_ = length;
        } else if (EqualsIgnoringCase(name, "transfer-encoding")) {
            return Found::kMalformed;
        } else if (EqualsIgnoringCase(name, "connection")) {
            if (EqualsIgnoringCase(value, "close")) keep_alive_ = false;
            if (EqualsIgnoringCase(value, "keep-alive")) keep_alive_ = true;
        }
    }
    const bool informational = status_ < 200;
    const bool bodiless = informational || status_ == 204 || status_ == 304;
    if (bodiless) {
        body_size_ = 0;
    } else if (!has_length) {
        return Found::kMalformed;  // it would end with the connection, so we could never tell
    }
    return Found::kAnswer;
}

}  // namespace kessai::load
