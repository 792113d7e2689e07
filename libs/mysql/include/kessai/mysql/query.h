#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "kessai/ids/strong_id.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::mysql {

/// A named statement. `sql` has placeholders, which take the arguments in their order:
///   ?       a Value
///   {rows}  a RowList:  (1,'a'),(2,'b')
///   {keys}  a KeyList:  1,2,3
/// Placeholders inside quotes and comments are text. The name goes into metrics and messages:
/// "table.verb_phrase", from a fixed set. Both views must outlive the query (use literals).
struct Query {
    std::string_view name;
    std::string_view sql;
};

/// Marks binary data, which is stored as it is; text is checked to be UTF-8.
struct Bytes {
    std::string_view data;
};

template <class T>
concept NumberLike =
    std::integral<T> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
    !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

/// One scalar for a placeholder. A view: text and bytes must outlive the call it is passed to.
class Value {
 public:
    // Implicit on purpose, so that a call reads `session.Execute(kQuery, id, amount, name)`.
    constexpr Value(std::nullopt_t) : kind_(Kind::kNull) {}  // NOLINT
    // Integers and bool. A template, so that nothing converts on the way: a double or a pointer is
    // no value.
    template <NumberLike T>
    constexpr Value(T number) : kind_(Kind::kInt), int_(0) {  // NOLINT
        if constexpr (std::signed_integral<T>) {
            int_ = number;
        } else {
            kind_ = Kind::kUint;
            uint_ = number;
        }
    }
    Value(std::string_view text) : kind_(Kind::kText), text_(text) {}    // NOLINT
    Value(const std::string& text) : kind_(Kind::kText), text_(text) {}  // NOLINT
    Value(const char* text) : kind_(Kind::kText), text_(text) {}         // NOLINT
    Value(std::nullptr_t) = delete;
    Value(Bytes bytes) : kind_(Kind::kBytes), text_(bytes.data) {}  // NOLINT
    /// A DATE.
    Value(BusinessDate date) : kind_(Kind::kDate), int_(date.ToNumber()) {}  // NOLINT
    /// A BIGINT of microseconds since 1970.
    Value(Instant instant) : kind_(Kind::kInt), int_(ToMicros(instant)) {}  // NOLINT
    // Of numbers only: a text id gives its text by value, of which no view can be kept.
    template <class Tag, NumberLike Rep>
    Value(StrongId<Tag, Rep> id) : Value(id.value()) {}  // NOLINT
    template <class T>
    requires std::constructible_from<Value, const T&> Value(
        const std::optional<T>& value)  // NOLINT
        : Value(value.has_value() ? Value(*value) : Value(std::nullopt)) {}

    /// Appends the literal. Safe for every byte value under a utf8mb4 connection, whatever the
    /// server's sql_mode. False (and nothing usable appended) when a text is not UTF-8.
    [[nodiscard]] bool AppendTo(std::string& sql) const {
        if (kind_ == Kind::kInt || kind_ == Kind::kUint) {
            AppendNumber(sql);
            return true;
        }
        return AppendOther(sql);
    }
    /// Appends the value as LOAD DATA reads a field with its default delimiters and CHARACTER SET
    /// binary. False as AppendTo.
    [[nodiscard]] bool AppendFieldTo(std::string& file) const {
        if (kind_ == Kind::kInt || kind_ == Kind::kUint) {
            AppendNumber(file);
            return true;
        }
        return AppendOtherField(file);
    }
    bool is_date() const { return kind_ == Kind::kDate; }

 private:
    enum class Kind : std::uint8_t { kNull, kInt, kUint, kText, kBytes, kDate };

    void AppendNumber(std::string& sql) const {
        char digits[24];
        const auto end = kind_ == Kind::kInt ? std::to_chars(digits, digits + sizeof digits, int_)
                                             : std::to_chars(digits, digits + sizeof digits, uint_);
        sql.append(digits, static_cast<std::size_t>(end.ptr - digits));
    }
    bool AppendOther(std::string& sql) const;
    bool AppendOtherField(std::string& file) const;

    Kind kind_;
    union {
        std::int64_t int_ = 0;
        std::uint64_t uint_;
        std::string_view text_;
    };
};

/// Rows for `{rows}`, rendered as they are added. Reuse one over batches: Clear keeps its memory.
class RowList {
 public:
    /// All rows must have the same number of values.
    template <class... Values>
    void Add(const Values&... values) {
        static_assert(sizeof...(Values) > 0);
        Begin(sizeof...(Values));
        (Append(Value(values)), ...);
        sql_.back() = ')';
    }
    void Reserve(std::size_t bytes) { sql_.reserve(bytes); }
    void Clear();

    /// Rows, and the bytes they take in a statement (for cutting it into chunks).
    std::size_t size() const { return size_; }
    std::size_t bytes() const { return sql_.size(); }
    bool empty() const { return size_ == 0; }

    std::string_view sql() const { return sql_; }
    bool text_is_utf8() const { return text_is_utf8_; }

 private:
    void Begin(std::size_t width);
    void Append(const Value& value) {
        text_is_utf8_ = value.AppendTo(sql_) && text_is_utf8_;
        sql_.push_back(',');
    }

    std::string sql_;
    std::size_t size_ = 0;
    std::size_t width_ = 0;
    bool text_is_utf8_ = true;
};

/// Keys for `{keys}`. Sort them, and keep to some hundreds: MariaDB turns long lists into joins.
class KeyList {
 public:
    KeyList() = default;
    /// Of a range of anything a Value can be made of.
    template <std::ranges::input_range Range>
    requires(!std::same_as<std::remove_cvref_t<Range>, KeyList> &&
             std::constructible_from<
                 Value, std::ranges::range_reference_t<Range>>) explicit KeyList(Range&& range) {
        for (const auto& key : range) Add(key);
    }

    void Add(const Value& key) {
        if (size_++ > 0) sql_.push_back(',');
        text_is_utf8_ = key.AppendTo(sql_) && text_is_utf8_;
    }
    void Clear();

    std::size_t size() const { return size_; }
    std::size_t bytes() const { return sql_.size(); }
    bool empty() const { return size_ == 0; }

    std::string_view sql() const { return sql_; }
    bool text_is_utf8() const { return text_is_utf8_; }

 private:
    std::string sql_;
    std::size_t size_ = 0;
    bool text_is_utf8_ = true;
};

/// One argument of a query: a Value, or a view of a list.
class Argument {
 public:
    template <class T>
    requires std::constructible_from<Value, const T&> Argument(const T& value)
        : kind_(Kind::kValue), value_(value) {}  // NOLINT
    Argument(const RowList& rows)                // NOLINT
        : kind_(Kind::kRows), value_(std::nullopt), rows_(&rows) {}
    Argument(const KeyList& keys)  // NOLINT
        : kind_(Kind::kKeys), value_(std::nullopt), keys_(&keys) {}

 private:
    friend Status Render(const Query&, std::span<const Argument>, std::string&);
    enum class Kind : std::uint8_t { kValue, kRows, kKeys };
    Kind kind_;
    Value value_;
    const RowList* rows_ = nullptr;
    const KeyList* keys_ = nullptr;
};

/// Appends the statement to `sql`. Refuses with INTERNAL QUERY_MALFORMED (placeholders and
/// arguments do not fit, an empty list, an open quote, more than one statement) or
/// INVALID_ARGUMENT TEXT_NOT_UTF8; `sql` is then as before.
Status Render(const Query& query, std::span<const Argument> arguments, std::string& sql);

}  // namespace kessai::mysql
