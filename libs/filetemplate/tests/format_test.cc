// Goal: numbers, days and times are printed as their format says.
// Method: formats by hand, and each day of four centuries against the calendar of the C library.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <limits>
#include <string>

#include "date_format.h"
#include "number_format.h"
#include "time_zone.h"

namespace kessai::filetemplate::internal {
namespace {

std::string Number(std::string_view format, std::int64_t number, int decimals = 0) {
    char out[NumberFormat::kBytesMax];
    const auto parsed = NumberFormat::Parse(format);
    if (!parsed) return "refused";
    return {out, parsed->Append(number, decimals, out)};
}

TEST(NumberFormatTest, Prints) {
    constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
    EXPECT_EQ(Number("0", 0), "0");
    EXPECT_EQ(Number("0", -1'200), "-1200");
    EXPECT_EQ(Number("0", kLeast), "-9223372036854775808");
    EXPECT_EQ(Number("+0", 12), "+12");
    EXPECT_EQ(Number("+0", 0), "0");
    EXPECT_EQ(Number("000000", -12), "-000012");
    EXPECT_EQ(Number("00", 123), "123");
    EXPECT_EQ(Number("#,##0", 999), "999");
    EXPECT_EQ(Number("#,##0", 1'000), "1,000");
    EXPECT_EQ(Number("+#,##0", 1'234'567), "+1,234,567");
    EXPECT_EQ(Number("#,##0", kLeast), "-9,223,372,036,854,775,808");
}

TEST(NumberFormatTest, PrintsMinorUnitsBehindAPoint) {
    EXPECT_EQ(Number("0", 5, 2), "0.05");
    EXPECT_EQ(Number("0", -1'205, 2), "-12.05");
    EXPECT_EQ(Number("#,##0", 123'456'789, 2), "1,234,567.89");
    EXPECT_EQ(Number("0000", 1'205, 3), "0001.205");
}

TEST(NumberFormatTest, RefusesOthers) {
    for (const char* format : {"", "+", "#", "#,##", "#,##00", "0.00", "0 ", "1", "-0"}) {
        EXPECT_EQ(Number(format, 1), "refused") << format;
    }
    EXPECT_EQ(Number(std::string(41, '0'), 1), "refused");
}

TEST(NumberFormatTest, KnowsItsLongestForm) {
    EXPECT_EQ(NumberFormat::Parse("0")->Longest(7), 7u);
    EXPECT_EQ(NumberFormat::Parse("+#,##0")->Longest(7), 10u);
    EXPECT_EQ(NumberFormat::Parse("00000")->Longest(3), 5u);
}

std::string Time(std::string_view format, std::int64_t micros, int offset = 540) {
    char out[DateFormat::kBytesMax];
    const auto parsed = DateFormat::Parse(format, false);
    if (!parsed) return "refused";
    char* const end = parsed->AppendInstant(micros, offset, out);
    EXPECT_EQ(static_cast<std::size_t>(end - out), parsed->Size());
    return {out, end};
}

TEST(DateFormatTest, Prints) {
    constexpr std::int64_t kMoment = 1'580'349'205'123'456;
    EXPECT_EQ(Time(DateFormat::kIsoInstant, kMoment), "2020-01-30T10:53:25+09:00");
    EXPECT_EQ(Time("%Y年%m月%d日 %H時%M分%S.%f秒 %L %z %% %:z", kMoment, -570),
              "2020年01月29日 16時23分25.123456秒 123 -0930 % -09:30");
    EXPECT_EQ(Time("%Y-%m-%d %H:%M:%S.%f", -1, 0), "1969-12-31 23:59:59.999999");
    EXPECT_EQ(Time("", kMoment), "");
}

TEST(DateFormatTest, RefusesOthers) {
    for (const char* format : {"%", "%y", "%Z", "%:", "%:Z", "%p", "% Y", "%E"}) {
        EXPECT_EQ(Time(format, 0), "refused") << format;
    }
    EXPECT_EQ(Time(std::string(257, 'x'), 0), "refused");
    EXPECT_FALSE(DateFormat::Parse("%H", true));
    EXPECT_TRUE(DateFormat::Parse("%Y%m%d", true));
}

TEST(DateFormatTest, EachDayIsThatOfTheCalendar) {
    const auto format = DateFormat::Parse("%Y-%m-%d", true);
    for (std::int64_t day = -146'097; day <= 146'097; ++day) {
        char ours[DateFormat::kBytesMax];
        const std::string printed(ours, format->AppendDay(day, ours));
        const std::time_t seconds = 86'400 * day;
        std::tm calendar{};
        char theirs[32];
        gmtime_r(&seconds, &calendar);
        std::strftime(theirs, sizeof theirs, "%Y-%m-%d", &calendar);
        ASSERT_EQ(printed, theirs);
    }
}

TEST(TimeZoneTest, KnowsOffsetsAndZonesWithoutDaylightSaving) {
    EXPECT_EQ(ZoneOffsetMinutes("Asia/Tokyo"), 540);
    EXPECT_EQ(ZoneOffsetMinutes("UTC"), 0);
    EXPECT_EQ(ZoneOffsetMinutes("+05:30"), 330);
    EXPECT_EQ(ZoneOffsetMinutes("-09:30"), -570);
    for (const char* zone : {"", "JST", "Europe/Berlin", "asia/tokyo", "+9:00", "+09:60", "+14:01",
                             "+0900", "09:00", "+a9:00"}) {
        EXPECT_EQ(ZoneOffsetMinutes(zone), std::nullopt) << zone;
    }
}

}  // namespace
}  // namespace kessai::filetemplate::internal
