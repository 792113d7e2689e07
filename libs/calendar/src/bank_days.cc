#include "kessai/calendar/bank_days.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

namespace kessai::calendar {
namespace {

struct Holiday {
    std::int32_t day;
    std::string_view name;
};

#include "holidays.inc"

BusinessDate DayOf(int year, unsigned month, unsigned day) {
    return BusinessDate(std::chrono::year(year) / std::chrono::month(month) /
                        std::chrono::day(day));
}

Status CheckInTable(BusinessDate day) {
    if (day >= FirstDay() && day <= LastDay()) return OkStatus();
    return Status(Code::kOutOfRange, reason::kDateOutsideCalendar,
                  day.ToString() + " is not within " + FirstDay().ToString() + " to " +
                      LastDay().ToString() + ", of which the holidays are known");
}

const Holiday* FindHoliday(BusinessDate day) {
    const std::int32_t number = day.ToNumber();
    const auto* found = std::ranges::lower_bound(kHolidays, number, {}, &Holiday::day);
    return found != std::end(kHolidays) && found->day == number ? found : nullptr;
}

bool IsOfTheYearsEnd(BusinessDate day) {
    const std::chrono::year_month_day date(day.day());
    return (date.month() == std::chrono::December && date.day() == std::chrono::day(31)) ||
           (date.month() == std::chrono::January && date.day() <= std::chrono::day(3));
}

bool IsWeekend(BusinessDate day) {
    const std::chrono::weekday weekday(day.day());
    return weekday == std::chrono::Saturday || weekday == std::chrono::Sunday;
}

/// From `day` on, in steps of `step` days.
Result<BusinessDate> SeekBankDay(BusinessDate day, int step) {
    for (;; day = day.PlusDays(step)) {
        KESSAI_ASSIGN_OR_RETURN(const bool open, IsBankDay(day));
        if (open) return day;
    }
}

}  // namespace

BusinessDate FirstDay() {
    return DayOf(kFirstYear, 1, 1);
}

BusinessDate LastDay() {
    return DayOf(kLastYear, 12, 31);
}

Result<bool> IsBankDay(BusinessDate day) {
    KESSAI_RETURN_IF_ERROR(CheckInTable(day));
    return !IsWeekend(day) && !IsOfTheYearsEnd(day) && FindHoliday(day) == nullptr;
}

Result<std::string_view> HolidayName(BusinessDate day) {
    KESSAI_RETURN_IF_ERROR(CheckInTable(day));
    const Holiday* holiday = FindHoliday(day);
    return holiday == nullptr ? std::string_view{} : holiday->name;
}

Result<BusinessDate> BankDayAtOrAfter(BusinessDate day) {
    return SeekBankDay(day, 1);
}

Result<BusinessDate> BankDayAtOrBefore(BusinessDate day) {
    return SeekBankDay(day, -1);
}

Result<BusinessDate> NextBankDay(BusinessDate day) {
    KESSAI_RETURN_IF_ERROR(CheckInTable(day));
    return SeekBankDay(day.Next(), 1);
}

Result<BusinessDate> PreviousBankDay(BusinessDate day) {
    KESSAI_RETURN_IF_ERROR(CheckInTable(day));
    return SeekBankDay(day.Previous(), -1);
}

Result<BusinessDate> AddBankDays(BusinessDate day, int count) {
    if (count == 0) return BankDayAtOrAfter(day);
    const int step = count > 0 ? 1 : -1;
    for (; count != 0; count -= step) {
        KESSAI_ASSIGN_OR_RETURN(day, step > 0 ? NextBankDay(day) : PreviousBankDay(day));
    }
    return day;
}

Result<BusinessDate> LastBankDayOfMonth(BusinessDate day) {
    const std::chrono::year_month_day date(day.day());
    return BankDayAtOrBefore(
        BusinessDate(std::chrono::sys_days(date.year() / date.month() / std::chrono::last)));
}

}  // namespace kessai::calendar
