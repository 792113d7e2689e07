#include "load/arguments.h"

#include <charconv>
#include <cmath>

namespace kessai::load {

Arguments::Arguments(int count, const char* const* values) {
    for (int i = 1; i < count; ++i) values_.emplace_back(values[i]);
}

bool Arguments::Flag(std::string_view name) {
    for (auto value = values_.begin(); value != values_.end(); ++value) {
        if (*value != name) continue;
        values_.erase(value);
        return true;
    }
    return false;
}

bool Arguments::Take(std::string_view name, std::string& value) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
        const std::string& found = values_[i];
        const auto at = values_.begin() + static_cast<std::ptrdiff_t>(i);
        if (found.starts_with(name) && found.size() > name.size() && found[name.size()] == '=') {
            value = found.substr(name.size() + 1);
            values_.erase(at);
            return true;
        }
        if (found != name) continue;
        if (i + 1 >= values_.size() || values_[i + 1].starts_with("--")) {
            Refuse(std::string(name) + " needs a value");
            values_.erase(at);
            return false;
        }
        value = values_[i + 1];
        values_.erase(at, at + 2);
        return true;
    }
    return false;
}

std::string Arguments::Text(std::string_view name, std::string_view otherwise) {
    std::string value(otherwise);
    Take(name, value);
    return value;
}

std::vector<std::string> Arguments::Texts(std::string_view name) {
    std::vector<std::string> all;
    std::string value;
    while (Take(name, value)) all.push_back(value);
    return all;
}

std::int64_t Arguments::Integer(std::string_view name, std::int64_t otherwise, std::int64_t min,
                                std::int64_t max) {
    std::string text;
    if (!Take(name, text)) return otherwise;
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || number < min ||
        number > max) {
        Refuse(std::string(name) + " is a whole number from " + std::to_string(min) + " to " +
               std::to_string(max));
        return otherwise;
    }
    return number;
}

double Arguments::ParseReal(std::string_view name, std::string_view text, double min, double max) {
    double number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || !(number >= min) ||
        !(number <= max)) {
        Refuse(std::string(name) + ": '" + std::string(text) + "' is no number from " +
               std::to_string(min) + " to " + std::to_string(max));
    }
    return number;
}

double Arguments::Real(std::string_view name, double otherwise, double min, double max) {
    std::string text;
    return Take(name, text) ? ParseReal(name, text, min, max) : otherwise;
}

std::vector<double> Arguments::Reals(std::string_view name, double min, double max) {
    std::vector<double> numbers;
    std::string text;
    if (!Take(name, text)) return numbers;
    std::string_view left = text;
    while (true) {
        const std::size_t comma = left.find(',');
        numbers.push_back(ParseReal(name, left.substr(0, comma), min, max));
        if (comma == std::string_view::npos) return numbers;
        left.remove_prefix(comma + 1);
    }
}

std::string Arguments::Word() {
    if (values_.empty() || values_.front().starts_with("--")) return {};
    std::string word = values_.front();
    values_.erase(values_.begin());
    return word;
}

Status Arguments::Finish() const {
    if (!status_.ok() || values_.empty()) return status_;
    return {Code::kInvalidArgument, "ARGUMENT_INVALID", "'" + values_.front() + "' is not known"};
}

void Arguments::Refuse(const std::string& why) {
    if (status_.ok()) status_ = Status(Code::kInvalidArgument, "ARGUMENT_INVALID", why);
}

}  // namespace kessai::load
