#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kessai/money/money.h"
#include "kessai/time/clock.h"

namespace kessai::gateway::transport {

/// Appends `text` as a JSON string, quotes included. `text` is valid UTF-8.
void AppendJsonString(std::string& out, std::string_view text);

/// Writes JSON by hand, for answers that are made thousands of times a second. The caller keeps its
/// structure right; commas come by themselves.
///
///     JsonWriter json(out);
///     json.BeginObject().Key("paymentId").Text(id).Key("amount").Amount(amount).EndObject();
class JsonWriter {
 public:
    explicit JsonWriter(std::string& out) : out_(out) {}

    JsonWriter& BeginObject() {
        Separate();
        out_.push_back('{');
        first_ = true;
        return *this;
    }
    JsonWriter& EndObject() {
        out_.push_back('}');
        first_ = false;
        return *this;
    }
    JsonWriter& BeginArray() {
        Separate();
        out_.push_back('[');
        first_ = true;
        return *this;
    }
    JsonWriter& EndArray() {
        out_.push_back(']');
        first_ = false;
        return *this;
    }
    /// `name` needs no escapes.
    JsonWriter& Key(std::string_view name) {
        if (!first_) out_.push_back(',');
        out_.push_back('"');
        out_.append(name).append("\":");
        first_ = true;  // the value that follows brings no comma
        return *this;
    }

    JsonWriter& Text(std::string_view text) {
        Separate();
        AppendJsonString(out_, text);
        return *this;
    }
    JsonWriter& TextOrNull(std::string_view text) { return text.empty() ? Null() : Text(text); }
    JsonWriter& Number(std::int64_t number) {
        Separate();
        char digits[20];
        const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), number);
        out_.append(digits, static_cast<std::size_t>(end - digits));
        return *this;
    }
    /// Our ids are strings outside: JavaScript's numbers can't hold them.
    JsonWriter& Id(std::int64_t id) {
        Separate();
        out_.push_back('"');
        char digits[20];
        const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), id);
        out_.append(digits, static_cast<std::size_t>(end - digits));
        out_.push_back('"');
        return *this;
    }
    JsonWriter& Bool(bool value) {
        Separate();
        out_.append(value ? "true" : "false");
        return *this;
    }
    JsonWriter& Null() {
        Separate();
        out_.append("null");
        return *this;
    }
    /// `json` is one JSON value already.
    JsonWriter& Raw(std::string_view json) {
        Separate();
        out_.append(json);
        return *this;
    }
    JsonWriter& RawOrNull(std::string_view json) { return json.empty() ? Null() : Raw(json); }
    /// {"amount":1200,"currency":"JPY"}
    JsonWriter& Amount(Money money) {
        return BeginObject()
            .Key("amount")
            .Number(money.minor())
            .Key("currency")
            .Text(money.currency().code())
            .EndObject();
    }
    /// Whole seconds since 1970, or null.
    JsonWriter& EpochSeconds(const std::optional<Instant>& when) {
        return when ? Number(ToMicros(*when) / 1'000'000) : Null();
    }

 private:
    void Separate() {
        if (!first_) out_.push_back(',');
        first_ = false;
    }

    std::string& out_;
    bool first_ = true;
};

}  // namespace kessai::gateway::transport
