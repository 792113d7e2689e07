#include "transport/json_fields.h"

#include <algorithm>
#include <vector>

#include "domain/partner_contract.h"
#include "domain/text_rules.h"

namespace kessai::gateway::transport {

namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kDepthMax = 16;
constexpr std::size_t kCapacityInitial = 64 * 1024;
constexpr std::size_t kNameShownMax = 64;

Status BodyMalformed(std::string why) {
    return {Code::kInvalidArgument, domain::reason::kBodyMalformed, std::move(why)};
}

/// Names that two readers could take for different values, and NULs, which some readers stop at.
Status CheckStrict(dom::element element) {
    switch (element.type()) {
        case dom::element_type::OBJECT: {
            std::vector<std::string_view> names;
            for (const auto field : dom::object(element)) {
                names.push_back(field.key);
                if (field.key.find('\0') != std::string_view::npos) {
                    return BodyMalformed("a NUL in a name");
                }
                KESSAI_RETURN_IF_ERROR(CheckStrict(field.value));
            }
            if (names.size() < 2) break;
            std::sort(names.begin(), names.end());
            if (const auto twice = std::adjacent_find(names.begin(), names.end());
                twice != names.end()) {
                return BodyMalformed("the name " + std::string(twice->substr(0, kNameShownMax)) +
                                     " stands twice in one object");
            }
            break;
        }
        case dom::element_type::ARRAY:
            for (const auto item : dom::array(element)) KESSAI_RETURN_IF_ERROR(CheckStrict(item));
            break;
        case dom::element_type::STRING:
            if (std::string_view(element).find('\0') != std::string_view::npos) {
                return BodyMalformed("a NUL in a text");
            }
            break;
        default:
            break;
    }
    return OkStatus();
}

}  // namespace

Result<dom::object> ParseJsonObject(std::string_view body) {
    thread_local dom::parser parser;
    if (body.empty()) return BodyMalformed("there is no body");
    if (parser.capacity() < body.size() &&
        parser.allocate(std::max(body.size(), kCapacityInitial), kDepthMax) != simdjson::SUCCESS) {
        return BodyMalformed("too large");
    }
    dom::element root;
    const auto error = parser.parse(body.data(), body.size(), false).get(root);
    if (error != simdjson::SUCCESS) return BodyMalformed(simdjson::error_message(error));
    dom::object object;
    if (root.get(object) != simdjson::SUCCESS) return BodyMalformed("not a JSON object");
    KESSAI_RETURN_IF_ERROR(CheckStrict(root));
    return object;
}

std::string JsonFields::Named(std::string_view name) const {
    return prefix_.empty() ? std::string(name) : prefix_ + "." + std::string(name);
}

void JsonFields::Missing(std::string_view name) {
    Refuse(
        Status(Code::kInvalidArgument, domain::reason::kFieldMissing, Named(name) + " is missing"));
}

void JsonFields::Malformed(std::string_view name, std::string_view why) {
    Refuse(Status(Code::kInvalidArgument, domain::reason::kFieldMalformed,
                  Named(name) + " " + std::string(why)));
}

void JsonFields::OnlyThese(std::initializer_list<std::string_view> names,
                           std::initializer_list<std::string_view> more) {
    for (const auto field : object_) {
        if (std::find(names.begin(), names.end(), field.key) != names.end()) continue;
        if (std::find(more.begin(), more.end(), field.key) != more.end()) continue;
        Refuse(Status(Code::kInvalidArgument, domain::reason::kFieldUnknown,
                      Named(field.key.substr(0, kNameShownMax)) + " is no field of this request"));
        return;
    }
}

std::optional<dom::element> JsonFields::Find(std::string_view name) const {
    dom::element found;
    if (object_.at_key(name).get(found) != simdjson::SUCCESS || found.is_null())
        return std::nullopt;
    return found;
}

std::string JsonFields::Key(std::string_view name) {
    std::string key = Text(name, domain::kPartnerKeyLengthMax);
    if (ok() && !domain::IsPartnerKey(key)) {
        Malformed(name, "has characters other than a-z, A-Z, 0-9, - and _");
    }
    return key;
}

std::string JsonFields::Text(std::string_view name, std::size_t length_max) {
    std::string text = OptionalText(name, length_max);
    if (ok() && text.empty()) Missing(name);
    return text;
}

std::string JsonFields::OptionalText(std::string_view name, std::size_t length_max) {
    const auto found = Find(name);
    if (!found) return {};
    std::string_view text;
    if (found->get(text) != simdjson::SUCCESS) {
        Malformed(name, "is not a text");
        return {};
    }
    if (!domain::IsText(text, length_max)) {
        Malformed(name, "is too long or has control characters");
        return {};
    }
    return std::string(text);
}

std::int64_t JsonFields::Id(std::string_view name) {
    const auto found = Find(name);
    if (!found) {
        Missing(name);
        return 0;
    }
    std::string_view text;
    if (found->get(text) == simdjson::SUCCESS) {
        if (const auto id = domain::ParseId(text)) return *id;
    } else {
        std::int64_t number;
        if (found->get(number) == simdjson::SUCCESS && number > 0) return number;
    }
    Malformed(name, "is no id");
    return 0;
}

std::optional<std::int64_t> JsonFields::OptionalInteger(std::string_view name, std::int64_t min,
                                                        std::int64_t max) {
    const auto found = Find(name);
    if (!found) return std::nullopt;
    std::int64_t number;
    if (found->type() != dom::element_type::INT64 || found->get(number) != simdjson::SUCCESS ||
        number < min || number > max) {
        Malformed(name, "is not a whole number from " + std::to_string(min) + " to " +
                            std::to_string(max));
        return std::nullopt;
    }
    return number;
}

std::int64_t JsonFields::Integer(std::string_view name, std::int64_t min, std::int64_t max) {
    if (!Has(name)) Missing(name);
    return OptionalInteger(name, min, max).value_or(0);
}

bool JsonFields::OptionalBool(std::string_view name, bool otherwise) {
    const auto found = Find(name);
    if (!found) return otherwise;
    bool value;
    if (found->get(value) != simdjson::SUCCESS) {
        Malformed(name, "is neither true nor false");
        return otherwise;
    }
    return value;
}

Money JsonFields::Amount(std::string_view name, bool zero_allowed) {
    const auto found = Find(name);
    if (!found) {
        Missing(name);
        return {};
    }
    dom::object object;
    if (found->get(object) != simdjson::SUCCESS) {
        Malformed(name, "is not an object of amount and currency");
        return {};
    }
    JsonFields inner(object, Named(name));
    const auto amount = inner.Find("amount");
    if (!amount) {
        inner.Missing("amount");
    } else if (amount->type() != dom::element_type::INT64 &&
               amount->type() != dom::element_type::UINT64) {
        inner.Malformed("amount", "is not a whole number");
    }
    const std::string currency_text = inner.Text("currency", 16);
    if (!inner.ok()) {
        Refuse(inner.status());
        return {};
    }
    auto currency = Currency::Parse(currency_text);
    if (!currency.ok()) {
        Refuse(currency.status());
        return {};
    }
    std::int64_t minor = 0;
    const bool fits = amount->get(minor) == simdjson::SUCCESS;
    if (!fits || minor < (zero_allowed ? 0 : 1) || minor > domain::kAmountMax) {
        Refuse(Status(Code::kInvalidArgument, "AMOUNT_OUT_OF_RANGE",
                      Named(name) + " is not from " + (zero_allowed ? "0" : "1") + " to " +
                          std::to_string(domain::kAmountMax)));
        return {};
    }
    return Money(minor, *currency);
}

std::optional<dom::array> JsonFields::OptionalArray(std::string_view name) {
    const auto found = Find(name);
    if (!found) return std::nullopt;
    dom::array array;
    if (found->get(array) != simdjson::SUCCESS) {
        Malformed(name, "is not a list");
        return std::nullopt;
    }
    return array;
}

std::optional<dom::object> JsonFields::OptionalObject(std::string_view name) {
    const auto found = Find(name);
    if (!found) return std::nullopt;
    dom::object object;
    if (found->get(object) != simdjson::SUCCESS) {
        Malformed(name, "is not an object");
        return std::nullopt;
    }
    return object;
}

}  // namespace kessai::gateway::transport
