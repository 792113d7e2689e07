#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "expression.h"
#include "kessai/result/result.h"
#include "program.h"

namespace kessai::filetemplate::internal {

/// The pattern of a file's name: text with {merchant_id}, {date}, {from}, {to}, {part}, {split} and
/// {version} in it; times and numbers with a format behind a colon, {from:%Y%m%d}.
class FileName {
 public:
    /// With .zip behind it a name has 255 at most, as file systems ask for.
    static constexpr std::size_t kBytesMax = 251;

    FileName() = default;
    static std::variant<FileName, Refusal> Parse(std::string_view text, int offset_minutes);

    bool Has(FileValue value) const;
    /// Refuses with FILE_NAME_INVALID.
    Result<std::string> Make(const FileValues& values) const;

 private:
    struct Piece {
        std::string text;
        std::optional<FileValue> value;
        Printer printer;
    };
    static std::variant<Piece, Refusal> ParsePlaceholder(std::string_view text, std::size_t at,
                                                         int offset_minutes);

    std::vector<Piece> pieces_;
};

}  // namespace kessai::filetemplate::internal
