#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kessai/filetemplate/schema.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::filetemplate {

namespace internal {
struct Layout;
}

namespace reason {
// Of Template::Parse, all INVALID_ARGUMENT; the message begins with "line 4, column 12: ".
/// Not YAML, larger than kTemplateBytesMax, several documents, or a text that is no UTF-8.
inline constexpr std::string_view kYamlMalformed = "TEMPLATE_YAML_MALFORMED";
inline constexpr std::string_view kKeyUnknown = "TEMPLATE_KEY_UNKNOWN";
inline constexpr std::string_view kKeyMissing = "TEMPLATE_KEY_MISSING";
/// The same key, column name or map value twice, or keys that exclude each other.
inline constexpr std::string_view kKeyTwice = "TEMPLATE_KEY_TWICE";
/// A value that its key does not take; the message says what it takes.
inline constexpr std::string_view kValueInvalid = "TEMPLATE_VALUE_INVALID";
inline constexpr std::string_view kSourceUnknown = "TEMPLATE_SOURCE_UNKNOWN";
inline constexpr std::string_view kZoneUnknown = "TEMPLATE_TIME_ZONE_UNKNOWN";
inline constexpr std::string_view kExpressionMalformed = "TEMPLATE_EXPRESSION_MALFORMED";
inline constexpr std::string_view kExpressionTooLarge = "TEMPLATE_EXPRESSION_TOO_LARGE";
inline constexpr std::string_view kFieldUnknown = "TEMPLATE_FIELD_UNKNOWN";
inline constexpr std::string_view kFunctionUnknown = "TEMPLATE_FUNCTION_UNKNOWN";
inline constexpr std::string_view kArgumentsWrong = "TEMPLATE_ARGUMENTS_WRONG";
inline constexpr std::string_view kTypeWrong = "TEMPLATE_TYPE_WRONG";
/// Compared or mapped is what is none of the enum's values.
inline constexpr std::string_view kEnumValueUnknown = "TEMPLATE_ENUM_VALUE_UNKNOWN";
inline constexpr std::string_view kMapUnknown = "TEMPLATE_MAP_UNKNOWN";
/// A value has no place in the map, and no default(…) is around it.
inline constexpr std::string_view kMapIncomplete = "TEMPLATE_MAP_INCOMPLETE";
inline constexpr std::string_view kFormatInvalid = "TEMPLATE_FORMAT_INVALID";
/// A row's field in a header or trailer, a count or a total elsewhere.
inline constexpr std::string_view kNotAvailableHere = "TEMPLATE_NOT_AVAILABLE_HERE";
inline constexpr std::string_view kWidthTooSmall = "TEMPLATE_WIDTH_TOO_SMALL";
/// A name, a literal or a mapped text that the encoding lacks a character of.
inline constexpr std::string_view kTextNotEncodable = "TEMPLATE_TEXT_NOT_ENCODABLE";
/// Parts of a split would have one name.
inline constexpr std::string_view kFileNameAmbiguous = "TEMPLATE_FILE_NAME_AMBIGUOUS";
}  // namespace reason

inline constexpr std::size_t kTemplateBytesMax = std::size_t{256} << 10;
inline constexpr std::size_t kColumnsMax = 500;

/// From `from` to before `to`.
struct Period {
    Instant from = {};
    Instant to = {};
};

/// A merchant's file layout, checked and compiled. What the YAML says is in README.md. Immutable
/// and cheap to copy; may be used from any thread.
class Template {
 public:
    /// `schemas`: the sources there are. They are copied.
    static Result<Template> Parse(std::string_view yaml, std::span<const Schema> schemas);

    /// The name of the source that its rows come from.
    const std::string& source() const;
    /// For people; may be empty.
    const std::string& description() const;
    /// By the schema's field: whether any expression reads it. The others may be left empty.
    const std::vector<bool>& fields_used() const;
    /// The field whose values the file is split by, none if empty. Rows have to come in its order.
    const std::string& split_field() const;

    /// The 24 hours up to the cut-off of `day` in the template's zone.
    Period PeriodOf(BusinessDate day) const;
    /// Whether that is the business date itself, for every day.
    bool follows_business_date() const;
    /// Whether headers have counts or totals: rows go through Writer::Counting before they are
    /// written.
    bool counts_in_header() const;
    /// Whether a row's line says nothing of the part that it is in, and parts do not follow a
    /// field: RowPrinter prints such rows.
    bool rows_stand_alone() const;
    /// Whether there is a file where there are no rows.
    bool makes_empty_files() const;

 private:
    explicit Template(std::shared_ptr<const internal::Layout> layout)
        : layout_(std::move(layout)) {}
    friend class RowPrinter;
    friend class Writer;

    std::shared_ptr<const internal::Layout> layout_;
};

}  // namespace kessai::filetemplate
