#include "date_format.h"

#include <chrono>
#include <cstdlib>
#include <cstring>

namespace kessai::filetemplate::internal {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kFirstDay = -719'162;  // 0001-01-01
constexpr std::int64_t kLastDay = 2'932'896;  // 9999-12-31

/// 'Z' stands for %:z. 0 for what is no letter.
std::size_t SizeOf(char letter) {
    switch (letter) {
        case 'Y':
            return 4;
        case 'm':
        case 'd':
        case 'H':
        case 'M':
        case 'S':
            return 2;
        case 'f':
            return 6;
        case 'L':
            return 3;
        case 'z':
            return 5;
        case 'Z':
            return 6;
        default:
            return 0;
    }
}

bool IsOfDay(char letter) {
    return letter == 'Y' || letter == 'm' || letter == 'd';
}

template <int kDigits>
char* Digits(unsigned number, char* out) {
    for (int at = kDigits - 1; at >= 0; --at) {
        out[at] = static_cast<char>('0' + number % 10);
        number /= 10;
    }
    return out + kDigits;
}

}  // namespace

struct DateFormat::Moment {
    unsigned year;
    unsigned month;
    unsigned day;
    unsigned second_of_day = 0;
    unsigned micros = 0;
    int offset_minutes = 0;

    explicit Moment(std::int64_t days) {
        const std::chrono::year_month_day date{
            std::chrono::sys_days(std::chrono::days(static_cast<int>(days)))};
        year = static_cast<unsigned>(static_cast<int>(date.year()));
        month = static_cast<unsigned>(date.month());
        day = static_cast<unsigned>(date.day());
    }
};

std::optional<DateFormat> DateFormat::Parse(std::string_view text, bool of_days) {
    DateFormat format;
    const auto add_literal = [&format](char byte) {
        if (format.pieces_.empty() || format.pieces_.back().letter != 0) {
            format.pieces_.push_back({0, static_cast<std::uint16_t>(format.literals_.size()), 0});
        }
        format.literals_ += byte;
        ++format.pieces_.back().size;
        ++format.size_;
    };
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            add_literal(text[at]);
        } else if (const std::string_view rest = text.substr(at + 1); rest.starts_with('%')) {
            add_literal('%');
            ++at;
        } else {
            const bool with_colon = rest.starts_with(":z");
            const char letter = with_colon ? 'Z' : rest.empty() || rest[0] == 'Z' ? '?' : rest[0];
            if (SizeOf(letter) == 0 || (of_days && !IsOfDay(letter))) return std::nullopt;
            format.pieces_.push_back({letter});
            format.size_ += SizeOf(letter);
            at += with_colon ? 2 : 1;
        }
        if (format.size_ > kBytesMax) return std::nullopt;
    }
    return format;
}

bool DateFormat::IsDayPrintable(std::int64_t day) {
    return day >= kFirstDay && day <= kLastDay;
}

char* DateFormat::Append(const Moment& moment, char* out) const {
    const auto offset = static_cast<unsigned>(std::abs(moment.offset_minutes));
    for (const Piece& piece : pieces_) {
        switch (piece.letter) {
            case 0:
                std::memcpy(out, literals_.data() + piece.begin, piece.size);
                out += piece.size;
                break;
            case 'Y':
                out = Digits<4>(moment.year, out);
                break;
            case 'm':
                out = Digits<2>(moment.month, out);
                break;
            case 'd':
                out = Digits<2>(moment.day, out);
                break;
            case 'H':
                out = Digits<2>(moment.second_of_day / 3'600, out);
                break;
            case 'M':
                out = Digits<2>(moment.second_of_day / 60 % 60, out);
                break;
            case 'S':
                out = Digits<2>(moment.second_of_day % 60, out);
                break;
            case 'f':
                out = Digits<6>(moment.micros, out);
                break;
            case 'L':
                out = Digits<3>(moment.micros / 1'000, out);
                break;
            default:
                *out++ = moment.offset_minutes < 0 ? '-' : '+';
                out = Digits<2>(offset / 60, out);
                if (piece.letter == 'Z') *out++ = ':';
                out = Digits<2>(offset % 60, out);
        }
    }
    return out;
}

char* DateFormat::AppendInstant(std::int64_t micros, int offset_minutes, char* out) const {
    std::int64_t seconds = micros / kMicrosPerSecond;
    std::int64_t rest = micros % kMicrosPerSecond;
    if (rest < 0) {
        rest += kMicrosPerSecond;
        --seconds;
    }
    seconds += std::int64_t{60} * offset_minutes;
    std::int64_t day = seconds / kSecondsPerDay;
    std::int64_t second_of_day = seconds % kSecondsPerDay;
    if (second_of_day < 0) {
        second_of_day += kSecondsPerDay;
        --day;
    }
    Moment moment(day);
    moment.second_of_day = static_cast<unsigned>(second_of_day);
    moment.micros = static_cast<unsigned>(rest);
    moment.offset_minutes = offset_minutes;
    return Append(moment, out);
}

char* DateFormat::AppendDay(std::int64_t day, char* out) const {
    return Append(Moment(day), out);
}

}  // namespace kessai::filetemplate::internal
