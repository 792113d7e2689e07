#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "encoding.h"
#include "program.h"

namespace kessai::filetemplate::internal {

inline constexpr std::size_t kExpressionBytesMax = 4'096;
/// Of expressions within expressions.
inline constexpr int kExpressionDepthMax = 32;
/// Of all expressions of a template.
inline constexpr std::size_t kOperationsMax = 20'000;

/// Why a text is no expression, and where in it, or in the format beside it.
struct Refusal {
    std::string_view reason;
    std::size_t at = 0;
    std::string message;
    bool in_format = false;
};

/// A map of the template: texts by value.
using ValueMap = std::map<std::string, std::string, std::less<>>;

enum class Place : std::uint8_t { kRow, kHeader, kTrailer };

/// A map, compiled for an enum's values or for texts.
struct MapUse {
    std::uint32_t index = 0;
    /// Encoded bytes of its longest text, and of all with commas between them.
    std::size_t longest = 0;
    std::size_t all = 0;
};

/// What all expressions of a template share.
struct Compilation {
    const Schema& schema;
    const std::map<std::string, ValueMap, std::less<>>& maps;
    const Encoder& encoder;
    int offset_minutes;

    // Filled.
    Constants constants = {};
    std::vector<bool> fields_used = {};
    /// Adds what totals are of; run for each row that is written.
    Ops sums = {};
    std::vector<Type> sum_types = {};
    std::map<std::pair<const ValueMap*, const std::vector<std::string>*>, MapUse> map_uses = {};
    std::size_t operations = 0;
    /// Whether a header has counts or totals.
    bool counts_in_header = false;
};

struct Expression {
    Type type = Type::kText;
    /// Its operations, which leave the value on the stack.
    Ops code = {};
    /// Prints it.
    Printer printer = {};
    /// Bytes of the longest printed form in the file's encoding, where that is known.
    std::optional<std::size_t> longest = {};
};

/// Compiles `text`, and how it is printed: by `format` if there is one, or by its type.
std::variant<Expression, Refusal> Compile(std::string_view text, Place place,
                                          const std::optional<std::string>& format,
                                          Compilation& compilation);

/// A new sum over all rows of `expression`, of type integer or money; gives its number.
std::uint32_t AddSum(const Expression& expression, Compilation& compilation);

}  // namespace kessai::filetemplate::internal
