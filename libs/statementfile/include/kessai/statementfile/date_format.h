#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::statementfile {

/// How a file writes days: yyyy; yy of this century; rr the year of Reiwa, one digit or two; MM and
/// dd of two digits, M and d of one or two; at the end * for anything (a time of day); every other
/// character but small letters is itself. "yyyy/MM/dd", "Rrr.M.d", "yyyy年M月d日".
class DateFormat {
 public:
    /// "yyyy/MM/dd".
    DateFormat();

    /// Refuses with INVALID_ARGUMENT DATE_FORMAT_MALFORMED a pattern without one year, one month
    /// and one day, or in which digits would run into each other.
    static Result<DateFormat> Parse(std::string_view pattern);

    /// Refuses with INVALID_ARGUMENT DATE_MALFORMED what is not written so, or is no day.
    Result<BusinessDate> Read(std::string_view text) const;

    const std::string& pattern() const { return pattern_; }

 private:
    enum class Part : std::uint8_t { kLiteral, kYear, kMonth, kDay, kRest };
    struct Piece {
        Part part = Part::kLiteral;
        std::string literal = {};
        int digits_min = 0;
        int digits_max = 0;
        /// Added to the year that is written.
        int years = 0;
    };
    friend class DatePattern;

    DateFormat(std::string pattern, std::vector<Piece> pieces)
        : pattern_(std::move(pattern)), pieces_(std::move(pieces)) {}

    std::string pattern_;
    std::vector<Piece> pieces_;
};

}  // namespace kessai::statementfile
