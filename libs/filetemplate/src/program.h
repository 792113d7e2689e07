#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "date_format.h"
#include "kessai/filetemplate/schema.h"
#include "number_format.h"

/// What expressions become: flat lists of operations over a stack of values.
namespace kessai::filetemplate::internal {

enum class OpKind : std::uint8_t {
    // Push.
    kLiteral,  // a: literal
    kField,    // a: field of the row, b: its type
    kFile,     // a: FileValue
    kSum,      // a: sum

    // Replace what is on top.
    kToText,     // a: printer; an empty value stays empty
    kConcat,     // a: how many texts
    kCompare,    // comparison of two; as numbers, or as texts
    kIn,         // a: first literal, b: how many
    kAnd,        // two
    kOr,         // two
    kNot,        //
    kIsEmpty,    //
    kMap,        // a: map; of an enum
    kMapSet,     // a: map; of an enum set
    kMapText,    // a: map
    kNegate,     //
    kAbs,        //
    kCurrency,   //
    kSubstring,  // a: characters left out before, b: characters taken
    kPadLeft,    // a: characters at least, b: literal that fills
    kPadRight,   //

    // Go on at a.
    kJump,
    kJumpUnless,     // takes a condition
    kJumpIfPresent,  // or else drops what is on top

    // Give what is on top to the caller.
    kFilter,
    kCell,  // a: cell
    kAdd,   // a: sum
    kLineEnd,
    kEnd,
};

enum class Comparison : std::uint8_t {
    kEqual,
    kNotEqual,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual
};

struct Op {
    OpKind kind = OpKind::kEnd;
    Comparison comparison = Comparison::kEqual;
    std::uint32_t a = 0;
    std::uint32_t b = 0;
};
using Ops = std::vector<Op>;

/// Appends `more`, whose jumps are within itself.
void Append(Ops& code, const Ops& more);

/// What is the same in all rows of a file.
enum class FileValue : std::uint8_t {
    kMerchantId,
    kDate,
    kFrom,
    /// The last second.
    kTo,
    kPart,
    kSplit,
    kVersion,
    kRows,
};
inline constexpr std::size_t kFileValues = 8;
using FileValues = std::array<Value, kFileValues>;

/// Memory for the texts of one row. Texts stay where they are until Reset, which keeps the memory.
class Arena {
 public:
    char* Reserve(std::size_t bytes) {
        if (chunks_.empty() || chunks_.back().size - used_ < bytes) Grow(bytes);
        return chunks_.back().memory.get() + used_;
    }
    /// Of what was reserved last.
    std::string_view Take(const char* end) {
        const char* begin = chunks_.back().memory.get() + used_;
        const auto size = static_cast<std::size_t>(end - begin);
        used_ += size;
        return {begin, size};
    }
    void Reset();

 private:
    struct Chunk {
        std::unique_ptr<char[]> memory;
        std::size_t size;
    };
    void Grow(std::size_t bytes);

    std::vector<Chunk> chunks_;
    std::size_t used_ = 0;
};

/// How values of a type are printed.
struct Printer {
    Type type = Type::kText;
    NumberFormat number = {};
    DateFormat date = {};
    int offset_minutes = 0;
    /// Of enums.
    std::vector<std::string> names = {};

    /// Empty for an empty value, none for a day that has no four digits of a year.
    std::optional<std::string_view> Print(const Value& value, Arena& arena) const;
};

/// Texts of an enum's values, or of texts. Where there is none the result is empty.
struct CompiledMap {
    std::vector<Value> by_place = {};
    std::unordered_map<std::string_view, Value> by_text = {};
};

/// What the operations of a template refer to. Views point into `texts`.
struct Constants {
    std::deque<std::string> texts;
    std::vector<Value> literals;
    std::vector<Printer> printers;
    std::vector<CompiledMap> maps;

    Value Text(std::string text) { return Value::Text(texts.emplace_back(std::move(text))); }
};

/// Runs code over one row at a time.
class Machine {
 public:
    static constexpr std::size_t kStackMax = 128;

    explicit Machine(const Constants& constants) : constants_(&constants) {}

    /// Of the code that is run; the row may be empty where the code has no fields.
    void Begin(Row row) {
        row_ = row;
        arena_.Reset();
    }
    /// Runs to the next operation that gives the caller something, and gives that operation; null
    /// if a value left its range.
    const Op* Run(const Ops& code, std::size_t& at);
    /// What that operation is given.
    const Value& result() const { return stack_[depth_]; }

    FileValues& file() { return file_; }
    std::vector<Value>& sums() { return sums_; }
    Arena& arena() { return arena_; }

 private:
    Value& Top() { return stack_[depth_ - 1]; }
    bool Apply(const Op& op);
    void Concat(std::size_t count);
    void MapSet(const CompiledMap& map);
    void Pad(const Op& op);
    bool Negate();

    const Constants* constants_;
    Row row_;
    FileValues file_;
    std::vector<Value> sums_;
    Arena arena_;
    std::array<Value, kStackMax> stack_;
    std::size_t depth_ = 0;
};

}  // namespace kessai::filetemplate::internal
