#include "kessai/calendar/bank_days.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <climits>
#include <map>
#include <random>
#include <set>
#include <string>

#include "kessai/testing/matchers.h"

namespace kessai::calendar {
namespace {

using std::chrono::Monday;
using std::chrono::Sunday;
using std::chrono::sys_days;
using std::chrono::year_month_day;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOkAnd;
using testing::Refuses;

BusinessDate Day(std::string_view text) {
    return BusinessDate::Parse(text).value();
}

sys_days Of(int year, unsigned month, unsigned day) {
    return sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day));
}

sys_days NthMonday(int year, unsigned month, unsigned n) {
    return sys_days(std::chrono::year(year) / std::chrono::month(month) / Monday[n]);
}

/// The day of an equinox by the formula that almanacs give for 1980 to 2099.
unsigned Equinox(double in_1980, int year) {
    const int since = year - 1980;
    return static_cast<unsigned>(in_1980 + 0.242194 * since - since / 4);
}

/// The holidays of article 2 of the Act on National Holidays, as in force since 2020.
std::set<sys_days> NationalHolidays(int year) {
    std::set<sys_days> days = {
        Of(year, 1, 1),
        NthMonday(year, 1, 2),
        Of(year, 2, 11),
        Of(year, 2, 23),
        Of(year, 3, Equinox(20.8431, year)),
        Of(year, 4, 29),
        Of(year, 5, 3),
        Of(year, 5, 4),
        Of(year, 5, 5),
        NthMonday(year, 7, 3),
        Of(year, 8, 11),
        NthMonday(year, 9, 3),
        Of(year, 9, Equinox(23.2488, year)),
        NthMonday(year, 10, 2),
        Of(year, 11, 3),
        Of(year, 11, 23),
    };
    // The Olympic Games moved three of them, by the act on special measures for the games.
    if (year == 2020 || year == 2021) {
        days.erase(NthMonday(year, 7, 3));
        days.erase(Of(year, 8, 11));
        days.erase(NthMonday(year, 10, 2));
    }
    if (year == 2020) days.insert({Of(2020, 7, 23), Of(2020, 7, 24), Of(2020, 8, 10)});
    if (year == 2021) days.insert({Of(2021, 7, 22), Of(2021, 7, 23), Of(2021, 8, 8)});
    return days;
}

/// With article 3: the next day that is none, after a holiday on a Sunday; a day between two.
std::set<sys_days> DaysOff(int year) {
    const std::set<sys_days> national = NationalHolidays(year);
    std::set<sys_days> days = national;
    for (const sys_days day : national) {
        if (std::chrono::weekday(day) == Sunday) {
            sys_days substitute = day;
            while (national.contains(substitute)) substitute += std::chrono::days(1);
            days.insert(substitute);
        }
        const sys_days next = day + std::chrono::days(1);
        if (!national.contains(next) && national.contains(day + std::chrono::days(2))) {
            days.insert(next);
        }
    }
    return days;
}

// Goal: the generated table is right, in every year that it covers.
// Method: derive the holidays from the law and the formula of the equinoxes, and compare each day.
TEST(HolidayTableTest, AgreesWithTheLawOnEveryDay) {
    int compared = 0;
    for (BusinessDate day = FirstDay(); day <= LastDay(); day = day.Next()) {
        const int year = int(year_month_day(day.day()).year());
        ASSERT_OK_AND_ASSIGN(const std::string_view name, HolidayName(day));
        EXPECT_EQ(!name.empty(), DaysOff(year).contains(day.day()))
            << day.ToString() << " " << name;
        ++compared;
    }
    EXPECT_EQ(compared, 11'323);
}

// Goal: the table is right where it is known.
// Method: days that the Cabinet Office has announced, and their neighbours.
TEST(HolidayTableTest, KnowsWhatWasAnnounced) {
    EXPECT_THAT(HolidayName(Day("2026-02-23")), IsOkAnd(std::string_view("天皇誕生日")));
    EXPECT_THAT(HolidayName(Day("2026-05-06")), IsOkAnd(HasSubstr("振替休日")));
    EXPECT_THAT(HolidayName(Day("2026-09-22")), IsOkAnd(std::string_view("国民の休日")));
    EXPECT_THAT(HolidayName(Day("2021-07-22")), IsOkAnd(std::string_view("海の日")));
    EXPECT_THAT(HolidayName(Day("2021-07-19")), IsOkAnd(IsEmpty()));
    EXPECT_THAT(HolidayName(Day("2021-10-11")), IsOkAnd(IsEmpty()));
    EXPECT_THAT(HolidayName(Day("2026-12-31")), IsOkAnd(IsEmpty()));
}

TEST(BankDaysTest, BanksAreClosedOnWeekendsHolidaysAndAtTheYearsEnd) {
    for (const char* closed : {"2026-11-28", "2026-11-29", "2026-11-23", "2026-12-31", "2027-01-01",
                               "2027-01-02", "2027-01-03", "2025-01-02", "2026-05-06"}) {
        EXPECT_THAT(IsBankDay(Day(closed)), IsOkAnd(false)) << closed;
    }
    for (const char* open :
         {"2026-11-30", "2026-12-30", "2027-01-04", "2026-05-07", "2026-08-13"}) {
        EXPECT_THAT(IsBankDay(Day(open)), IsOkAnd(true)) << open;
    }
}

TEST(BankDaysTest, MovesOverWhatIsClosed) {
    EXPECT_THAT(BankDayAtOrAfter(Day("2026-12-31")), IsOkAnd(Day("2027-01-04")));
    EXPECT_THAT(BankDayAtOrBefore(Day("2027-01-03")), IsOkAnd(Day("2026-12-30")));
    EXPECT_THAT(BankDayAtOrAfter(Day("2026-11-30")), IsOkAnd(Day("2026-11-30")));
    EXPECT_THAT(NextBankDay(Day("2026-05-01")), IsOkAnd(Day("2026-05-07")));
    EXPECT_THAT(PreviousBankDay(Day("2026-09-24")), IsOkAnd(Day("2026-09-18")));
    EXPECT_THAT(AddBankDays(Day("2026-12-29"), 2), IsOkAnd(Day("2027-01-04")));
    EXPECT_THAT(AddBankDays(Day("2027-01-04"), -1), IsOkAnd(Day("2026-12-30")));
    EXPECT_THAT(AddBankDays(Day("2026-11-28"), 0), IsOkAnd(Day("2026-11-30")));
    EXPECT_THAT(LastBankDayOfMonth(Day("2026-10-05")), IsOkAnd(Day("2026-10-30")));
    EXPECT_THAT(LastBankDayOfMonth(Day("2026-12-31")), IsOkAnd(Day("2026-12-30")));
    EXPECT_THAT(LastBankDayOfMonth(Day("2028-02-01")), IsOkAnd(Day("2028-02-29")));
}

// Goal: nothing is guessed beyond the table, from whichever side it is left.
TEST(BankDaysTest, RefusesDaysOutsideOfTheTable) {
    const auto outside = Refuses(Code::kOutOfRange, reason::kDateOutsideCalendar);
    EXPECT_EQ(FirstDay(), Day("2020-01-01"));
    EXPECT_EQ(LastDay(), Day("2050-12-31"));
    for (const BusinessDate day : {FirstDay().Previous(), LastDay().Next()}) {
        EXPECT_THAT(IsBankDay(day), outside);
        EXPECT_THAT(HolidayName(day), outside);
        EXPECT_THAT(BankDayAtOrAfter(day), outside);
        EXPECT_THAT(BankDayAtOrBefore(day), outside);
        EXPECT_THAT(NextBankDay(day), outside);
        EXPECT_THAT(PreviousBankDay(day), outside);
        EXPECT_THAT(AddBankDays(day, 1), outside);
        EXPECT_THAT(AddBankDays(day, 0), outside);
    }
    EXPECT_THAT(NextBankDay(Day("2050-12-30")), outside);
    EXPECT_THAT(BankDayAtOrAfter(LastDay()), outside);
    EXPECT_THAT(BankDayAtOrBefore(FirstDay()), outside);
    EXPECT_THAT(PreviousBankDay(Day("2020-01-06")), outside);
    EXPECT_THAT(LastBankDayOfMonth(LastDay()), IsOkAnd(Day("2050-12-30")));
    EXPECT_THAT(AddBankDays(Day("2026-11-30"), INT_MAX), outside);
    EXPECT_THAT(AddBankDays(Day("2026-11-30"), INT_MIN), outside);
}

// Goal: moving about agrees with looking at every day.
// Method: random days and counts under a printed seed, against a walk that only asks IsBankDay.
TEST(BankDaysTest, AgreesWithAWalkOverTheDays) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto walk = [](BusinessDate day, int count) {
        const int step = count > 0 ? 1 : -1;
        while (count != 0) {
            day = day.PlusDays(step);
            if (IsBankDay(day).value()) count -= step;
        }
        return day;
    };
    for (int round = 0; round < 2'000; ++round) {
        const BusinessDate day = Day("2021-01-01").PlusDays(static_cast<int>(random() % 10'000));
        const int count = 1 + static_cast<int>(random() % 30);
        const BusinessDate later = AddBankDays(day, count).value();
        EXPECT_EQ(later, walk(day, count)) << day.ToString() << " + " << count;
        EXPECT_EQ(AddBankDays(day, -count).value(), walk(day, -count)) << day.ToString();
        EXPECT_TRUE(IsBankDay(later).value());
        EXPECT_EQ(NextBankDay(PreviousBankDay(later).value()).value(), later);
        EXPECT_EQ(AddBankDays(later, -count).value(), BankDayAtOrBefore(day).value());
        EXPECT_EQ(NextBankDay(LastBankDayOfMonth(day).value()).value(),
                  BankDayAtOrAfter(
                      BusinessDate(sys_days(year_month_day(day.day()).year() /
                                            year_month_day(day.day()).month() / std::chrono::last) +
                                   std::chrono::days(1)))
                      .value());
    }
}

}  // namespace
}  // namespace kessai::calendar
