#pragma once

#include <simdjson.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "kessai/money/money.h"
#include "kessai/result/result.h"

namespace kessai::gateway::transport {

/// Parses a request body that must be one JSON object: valid UTF-8, no name twice in any object, at
/// most 16 levels deep, no NUL in a text. `body` must be followed by
/// http::Request::kBodyPaddingBytes readable bytes. The result lives until this thread parses
/// again: read what is needed before the next co_await. Refuses with INVALID_ARGUMENT
/// BODY_MALFORMED.
Result<simdjson::dom::object> ParseJsonObject(std::string_view body);

/// Reads named fields of an object; the first thing that is wrong is kept in status(). A field that
/// is null counts as absent; what is not asked for is ignored unless OnlyThese is called.
/// Refusals: FIELD_MISSING, FIELD_MALFORMED, FIELD_UNKNOWN (all INVALID_ARGUMENT), and for amounts
/// AMOUNT_OUT_OF_RANGE, CURRENCY_UNKNOWN.
class JsonFields {
 public:
    explicit JsonFields(simdjson::dom::object object, std::string_view prefix = {})
        : object_(object), prefix_(prefix) {}

    const Status& status() const { return status_; }
    bool ok() const { return status_.ok(); }

    /// Refuses FIELD_UNKNOWN when the object has a field that is not among `names` or `more`: a
    /// misspelt one would be taken for absent.
    void OnlyThese(std::initializer_list<std::string_view> names,
                   std::initializer_list<std::string_view> more = {});

    bool Has(std::string_view name) const { return Find(name).has_value(); }

    /// An id of the partner's (domain::IsPartnerKey).
    std::string Key(std::string_view name);
    std::string Text(std::string_view name, std::size_t length_max = 255);
    std::string OptionalText(std::string_view name, std::size_t length_max = 255);
    /// One of our ids, as a string of digits (or, leniently, a number).
    std::int64_t Id(std::string_view name);
    std::optional<std::int64_t> OptionalInteger(std::string_view name, std::int64_t min,
                                                std::int64_t max);
    std::int64_t Integer(std::string_view name, std::int64_t min, std::int64_t max);
    bool OptionalBool(std::string_view name, bool otherwise);
    /// {"amount": 1 … 2147483647, "currency": "JPY"}; with `zero_allowed` from 0.
    Money Amount(std::string_view name, bool zero_allowed = false);
    std::optional<simdjson::dom::array> OptionalArray(std::string_view name);
    std::optional<simdjson::dom::object> OptionalObject(std::string_view name);

    void Refuse(Status why) {
        if (status_.ok()) status_ = std::move(why);
    }
    void Malformed(std::string_view name, std::string_view why);

 private:
    std::optional<simdjson::dom::element> Find(std::string_view name) const;
    void Missing(std::string_view name);
    std::string Named(std::string_view name) const;

    simdjson::dom::object object_;
    std::string prefix_;
    Status status_;
};

}  // namespace kessai::gateway::transport
