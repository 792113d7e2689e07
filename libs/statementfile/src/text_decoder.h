#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kessai/statementfile/csv_template.h"

namespace kessai::statementfile::internal {

/// Whether the bytes are UTF-8 as RFC 3629 has it.
bool IsUtf8(std::string_view bytes);
/// How many characters of three bytes begin in it: what kana and kanji are in UTF-8.
std::size_t CountWideCharacters(std::string_view utf8);

/// Lines of a file to UTF-8, each by itself. Not thread safe.
class TextDecoder {
 public:
    explicit TextDecoder(TextEncoding encoding);
    ~TextDecoder();
    TextDecoder(const TextDecoder&) = delete;
    TextDecoder& operator=(const TextDecoder&) = delete;

    /// None if the line is not in the encoding.
    std::optional<std::string> Decode(std::string_view line);

 private:
    struct Converter;

    const TextEncoding encoding_;
    /// None for UTF-8.
    std::unique_ptr<Converter> converter_;
};

}  // namespace kessai::statementfile::internal
