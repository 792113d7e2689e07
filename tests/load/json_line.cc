#include "load/json_line.h"

#include <cmath>
#include <cstdio>

namespace kessai::load {

JsonLine& JsonLine::Raw(std::string_view name, std::string_view json) {
    if (!body_.empty()) body_.push_back(',');
    body_.append("\"").append(name).append("\":").append(json);
    return *this;
}

JsonLine& JsonLine::Text(std::string_view name, std::string_view value) {
    std::string text = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') text.push_back('\\');
        text.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
    }
    text.push_back('"');
    return Raw(name, text);
}

JsonLine& JsonLine::Integer(std::string_view name, std::int64_t value) {
    return Raw(name, std::to_string(value));
}

JsonLine& JsonLine::Unsigned(std::string_view name, std::uint64_t value) {
    return Raw(name, std::to_string(value));
}

JsonLine& JsonLine::Real(std::string_view name, double value) {
    if (!std::isfinite(value)) return Null(name);
    char text[64];
    std::snprintf(text, sizeof(text), "%.3f", value);
    return Raw(name, text);
}

JsonLine& JsonLine::Bool(std::string_view name, bool value) {
    return Raw(name, value ? "true" : "false");
}

}  // namespace kessai::load
