#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai {

/// A day of the books, in Japan Standard Time (UTC+9, no daylight saving). Which day a change
/// belongs to is decided by the gate row of its batch, not by a clock.
class BusinessDate {
 public:
    constexpr BusinessDate() = default;
    explicit constexpr BusinessDate(std::chrono::sys_days day) : day_(day) {}

    /// "2026-11-22"; refuses with INVALID_ARGUMENT DATE_MALFORMED what is not a real date.
    static Result<BusinessDate> Parse(std::string_view text);
    /// 20261122, as messages and columns may carry it; refuses with DATE_MALFORMED.
    static Result<BusinessDate> FromNumber(std::int32_t yyyymmdd);
    /// The day that `instant` falls on in Japan.
    static BusinessDate OfJst(Instant instant);

    std::string ToString() const;
    std::int32_t ToNumber() const;

    BusinessDate Next() const { return BusinessDate(day_ + std::chrono::days(1)); }
    BusinessDate Previous() const { return BusinessDate(day_ - std::chrono::days(1)); }
    BusinessDate PlusDays(int days) const { return BusinessDate(day_ + std::chrono::days(days)); }
    std::chrono::sys_days day() const { return day_; }

    /// The instant at which this day begins in Japan (00:00 JST).
    Instant StartsAt() const;
    /// `since_midnight` after 00:00 JST of this day.
    Instant At(std::chrono::seconds since_midnight) const { return StartsAt() + since_midnight; }

    constexpr auto operator<=>(const BusinessDate&) const = default;

 private:
    std::chrono::sys_days day_{};
};

/// RFC 3339 in UTC to the second, "2020-03-13T13:35:30Z".
std::string FormatUtc(Instant instant);
/// RFC 3339 in Japan to the second, "2020-03-13T22:35:30+09:00".
std::string FormatJst(Instant instant);

}  // namespace kessai
