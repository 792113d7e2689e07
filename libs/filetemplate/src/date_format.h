#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kessai::filetemplate::internal {

/// How instants and dates are printed: letters of strftime, text between them.
class DateFormat {
 public:
    static constexpr std::string_view kAllowed =
        "%Y %m %d of the day; %H %M %S %f (microseconds) %L (milliseconds) %z (+0900) %:z (+09:00) "
        "of an instant; %% for a %";
    static constexpr std::string_view kIsoInstant = "%Y-%m-%dT%H:%M:%S%:z";
    static constexpr std::string_view kIsoDate = "%Y-%m-%d";
    static constexpr std::size_t kBytesMax = 256;

    /// Empty text.
    DateFormat() = default;
    /// Refuses other letters, times where it is `of_days`, and what is longer than kBytesMax.
    static std::optional<DateFormat> Parse(std::string_view text, bool of_days);

    /// Appends the instant as a place at `offset_minutes` east of Greenwich has it; gives the end.
    /// kBytesMax bytes at most. Precondition: IsPrintable of the day there.
    char* AppendInstant(std::int64_t micros, int offset_minutes, char* out) const;
    /// Appends a day since 1970-01-01.
    char* AppendDay(std::int64_t day, char* out) const;
    /// All forms are equally long.
    std::size_t Size() const { return size_; }
    /// Literal texts between, together.
    const std::string& literals() const { return literals_; }

    /// Years 1 to 9999.
    static bool IsDayPrintable(std::int64_t day);

 private:
    struct Piece {
        char letter;  // 0 for a literal
        std::uint16_t begin = 0;
        std::uint16_t size = 0;
    };
    struct Moment;
    char* Append(const Moment& moment, char* out) const;

    std::string literals_;
    std::vector<Piece> pieces_;
    std::size_t size_ = 0;
};

}  // namespace kessai::filetemplate::internal
