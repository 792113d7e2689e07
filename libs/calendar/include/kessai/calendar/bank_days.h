#pragma once

#include <string_view>

#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

/// The days on which Japanese banks do business. All of it is pure and thread safe.
///
/// A bank is closed on Sundays (Banking Act, Act 59 of 1981, article 15), and by article 5 of its
/// Enforcement Order (Cabinet Order 40 of 1982) on the holidays of the Act on National Holidays
/// (Act 178 of 1948: the holidays, the substitute after one on a Sunday, and a day between two),
/// from December 31 to January 3, and on Saturdays.
///
/// Holidays are a generated table (holidays.inc), for the Cabinet Office announces the equinoxes
/// only in the February before, and laws move single holidays. A day outside of the table is
/// refused with OUT_OF_RANGE DATE_OUTSIDE_CALENDAR, never guessed.
namespace kessai::calendar {

namespace reason {
/// OUT_OF_RANGE: the day asked for, or the one looked for, is before FirstDay() or after LastDay().
inline constexpr std::string_view kDateOutsideCalendar = "DATE_OUTSIDE_CALENDAR";
}  // namespace reason

/// The first and the last day of the table.
BusinessDate FirstDay();
BusinessDate LastDay();

/// Whether banks do business on `day`.
Result<bool> IsBankDay(BusinessDate day);
/// The holiday's name in Japanese (UTF-8) for people, empty if `day` is none in the sense of the
/// Act on National Holidays: weekends and the year's end have no name.
Result<std::string_view> HolidayName(BusinessDate day);

/// `day` itself if it is a bank day, or else the next one.
Result<BusinessDate> BankDayAtOrAfter(BusinessDate day);
/// `day` itself if it is a bank day, or else the one before.
Result<BusinessDate> BankDayAtOrBefore(BusinessDate day);
/// The first bank day after `day`.
Result<BusinessDate> NextBankDay(BusinessDate day);
/// The last bank day before `day`.
Result<BusinessDate> PreviousBankDay(BusinessDate day);
/// The bank day `count` bank days after `day` (before it, if `count` is negative), itself not
/// counted: AddBankDays(day, 1) is NextBankDay(day). With 0 it is BankDayAtOrAfter(day).
Result<BusinessDate> AddBankDays(BusinessDate day, int count);
/// The last bank day of the month that `day` is in.
Result<BusinessDate> LastBankDayOfMonth(BusinessDate day);

}  // namespace kessai::calendar
