#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kessai::load {

/// Builds one line of JSON. Names and texts are ours: quotes and backslashes in texts are escaped,
/// control characters become blanks.
class JsonLine {
 public:
    JsonLine& Text(std::string_view name, std::string_view value);
    JsonLine& Integer(std::string_view name, std::int64_t value);
    JsonLine& Unsigned(std::string_view name, std::uint64_t value);
    /// Three decimals; what is not finite becomes null.
    JsonLine& Real(std::string_view name, double value);
    JsonLine& Bool(std::string_view name, bool value);
    JsonLine& Null(std::string_view name) { return Raw(name, "null"); }
    /// `json` is a value already.
    JsonLine& Raw(std::string_view name, std::string_view json);

    std::string Object() const { return "{" + body_ + "}"; }

 private:
    std::string body_;
};

}  // namespace kessai::load
