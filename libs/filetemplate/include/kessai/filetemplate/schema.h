#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/money/money.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

/// What a service offers to templates: sources of rows, given in code.
namespace kessai::filetemplate {

enum class Type : std::uint8_t {
    kText,
    kInteger,
    kMoney,
    kInstant,
    kDate,
    /// One of the field's `values`.
    kEnum,
    /// Some of the field's `values`, printed in their order with commas between them.
    kEnumSet,
    /// JSON text, printed as it is.
    kJson,
    /// For conditions; not printed by itself.
    kBoolean,
};

/// "text", "enum set" and so on.
std::string_view TypeName(Type type);

inline constexpr std::size_t kEnumValuesMax = 64;

struct Field {
    /// Lower case letters, digits and underscores, beginning with a letter.
    std::string name;
    Type type = Type::kText;
    /// Of kEnum and kEnumSet: their names, at most kEnumValuesMax.
    std::vector<std::string> values = {};
    /// Characters of the longest value, sign included, where every value is ASCII; 0 if not known.
    /// A fixed width below it is refused when the template is saved.
    std::size_t longest = 0;
};

/// A source of rows.
struct Schema {
    std::string source;
    std::vector<Field> fields;
};

/// One value of a row: 32 bytes, owns nothing. The default is empty, which each type has beside
/// its values.
class Value {
 public:
    constexpr Value() = default;
    static constexpr Value Text(std::string_view utf8) { return {Type::kText, 0, utf8}; }
    static constexpr Value Json(std::string_view utf8) { return {Type::kJson, 0, utf8}; }
    static constexpr Value Integer(std::int64_t number) { return {Type::kInteger, number, {}}; }
    static constexpr Value Boolean(bool value) { return {Type::kBoolean, value ? 1 : 0, {}}; }
    static constexpr Value Of(Money money) {
        Value value{Type::kMoney, money.minor(), {}};
        value.currency_ = money.currency();
        return value;
    }
    static Value Of(Instant instant) { return {Type::kInstant, ToMicros(instant), {}}; }
    static Value Of(BusinessDate date) {
        return {Type::kDate, date.day().time_since_epoch().count(), {}};
    }
    /// By the place among the field's values, from 0.
    static constexpr Value Enum(std::size_t index) {
        return {Type::kEnum, static_cast<std::int64_t>(index), {}};
    }
    /// Bit n for the field's value n.
    static constexpr Value EnumSet(std::uint64_t bits) {
        return {Type::kEnumSet, static_cast<std::int64_t>(bits), {}};
    }

    constexpr bool is_empty() const { return is_empty_; }
    constexpr Type type() const { return type_; }
    /// The number, minor units, microseconds since 1970 in UTC, days since 1970, the enum's place,
    /// the set's bits, or 0 and 1; by type.
    constexpr std::int64_t number() const { return number_; }
    constexpr std::string_view text() const { return text_; }
    constexpr Currency currency() const { return currency_; }

 private:
    constexpr Value(Type type, std::int64_t number, std::string_view text)
        : text_(text), number_(number), type_(type), is_empty_(false) {}

    std::string_view text_ = {};
    std::int64_t number_ = 0;
    Currency currency_ = Currency::None();
    Type type_ = Type::kText;
    bool is_empty_ = true;
};
static_assert(sizeof(Value) == 32);

/// The values of one row, in the order of the schema's fields. Texts have to live until Append
/// returns.
using Row = std::span<const Value>;

}  // namespace kessai::filetemplate
