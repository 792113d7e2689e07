#include "kessai/statementfile/date_format.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "kessai/statementfile/statement_item.h"

namespace kessai::statementfile {
namespace {

constexpr std::string_view kDateFormatMalformed = "DATE_FORMAT_MALFORMED";
constexpr int kCentury = 2000;
/// 2019 was Reiwa 1.
constexpr int kReiwaBegan = 2018;

bool IsDigit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace

/// What a pattern consists of.
class DatePattern {
 public:
    using Part = DateFormat::Part;
    using Piece = DateFormat::Piece;

    static Result<std::vector<Piece>> PiecesOf(std::string_view pattern) {
        std::vector<Piece> pieces;
        for (std::string_view rest = pattern; !rest.empty();) {
            const Token* token = TokenAt(rest);
            if (token != nullptr) {
                pieces.push_back(token->piece);
                rest.remove_prefix(token->text.size());
                continue;
            }
            if ((rest.front() >= 'a' && rest.front() <= 'z') || rest.front() == 'M' ||
                rest.front() == '*') {
                return Malformed(pattern, "has " + std::string(1, rest.front()) +
                                              " where no yyyy, yy, rr, MM, M, dd, d or * at the "
                                              "end can be read");
            }
            if (pieces.empty() || pieces.back().part != Part::kLiteral) pieces.emplace_back();
            pieces.back().literal += rest.front();
            rest.remove_prefix(1);
        }
        KESSAI_RETURN_IF_ERROR(Check(pattern, pieces));
        return pieces;
    }

 private:
    struct Token {
        std::string_view text;
        Piece piece;
    };

    static const Token* TokenAt(std::string_view rest) {
        static const Token kTokens[] = {
            {"yyyy", {.part = Part::kYear, .digits_min = 4, .digits_max = 4}},
            {"yy", {.part = Part::kYear, .digits_min = 2, .digits_max = 2, .years = kCentury}},
            {"rr", {.part = Part::kYear, .digits_min = 1, .digits_max = 2, .years = kReiwaBegan}},
            {"MM", {.part = Part::kMonth, .digits_min = 2, .digits_max = 2}},
            {"M", {.part = Part::kMonth, .digits_min = 1, .digits_max = 2}},
            {"dd", {.part = Part::kDay, .digits_min = 2, .digits_max = 2}},
            {"d", {.part = Part::kDay, .digits_min = 1, .digits_max = 2}},
        };
        static const Token kRest{"*", {.part = Part::kRest}};
        for (const Token& token : kTokens) {
            if (rest.starts_with(token.text)) return &token;
        }
        return rest == kRest.text ? &kRest : nullptr;
    }

    static Status Check(std::string_view pattern, const std::vector<Piece>& pieces) {
        for (const Part part : {Part::kYear, Part::kMonth, Part::kDay}) {
            const auto count = std::ranges::count(pieces, part, &Piece::part);
            if (count != 1) return Malformed(pattern, "needs one year, one month and one day");
        }
        for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
            const bool digits_follow =
                pieces[i + 1].digits_max > 0 ||
                (!pieces[i + 1].literal.empty() && IsDigit(pieces[i + 1].literal.front()));
            if (pieces[i].digits_min != pieces[i].digits_max && digits_follow) {
                return Malformed(pattern, "has digits behind a number of one digit or two");
            }
        }
        return OkStatus();
    }

    static Status Malformed(std::string_view pattern, const std::string& what) {
        return Status(Code::kInvalidArgument, kDateFormatMalformed,
                      '"' + std::string(pattern) + "\" " + what);
    }
};

DateFormat::DateFormat() : DateFormat(Parse("yyyy/MM/dd").value()) {}

Result<DateFormat> DateFormat::Parse(std::string_view pattern) {
    KESSAI_ASSIGN_OR_RETURN(std::vector<Piece> pieces, DatePattern::PiecesOf(pattern));
    return DateFormat(std::string(pattern), std::move(pieces));
}

Result<BusinessDate> DateFormat::Read(std::string_view text) const {
    int year = 0;
    unsigned month = 0;
    unsigned day = 0;
    std::string_view rest = text;
    const auto malformed = [&](std::string_view what) {
        return Status(Code::kInvalidArgument, reason::kDateMalformed,
                      '"' + std::string(text) + "\" " + std::string(what) + pattern_);
    };
    for (const Piece& piece : pieces_) {
        if (piece.part == Part::kRest) {
            rest = {};
            break;
        }
        if (piece.part == Part::kLiteral) {
            if (!rest.starts_with(piece.literal)) return malformed("is not written as ");
            rest.remove_prefix(piece.literal.size());
            continue;
        }
        int number = 0;
        int digits = 0;
        while (digits < piece.digits_max && !rest.empty() && IsDigit(rest.front())) {
            number = 10 * number + (rest.front() - '0');
            rest.remove_prefix(1);
            ++digits;
        }
        if (digits < piece.digits_min) return malformed("is not written as ");
        if (piece.part == Part::kYear) year = number + piece.years;
        if (piece.part == Part::kMonth) month = static_cast<unsigned>(number);
        if (piece.part == Part::kDay) day = static_cast<unsigned>(number);
    }
    if (!rest.empty()) return malformed("goes on behind ");
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                           std::chrono::day(day)};
    if (!date.ok()) return malformed("is no day, read as ");
    return BusinessDate(std::chrono::sys_days(date));
}

}  // namespace kessai::statementfile
