#include "kessai/statementfile/date_format.h"

#include <gtest/gtest.h>

#include <string_view>

#include "kessai/testing/matchers.h"

namespace kessai::statementfile {
namespace {

using testing::Refuses;

std::string Read(std::string_view pattern, std::string_view text) {
    const auto day = DateFormat::Parse(pattern).value().Read(text);
    return day.ok() ? day->ToString() : std::string(day.status().reason());
}

// Goal: days as banks write them are read, and nothing else is taken for one.
TEST(DateFormatTest, ReadsDays) {
    EXPECT_EQ(Read("yyyy/MM/dd", "2026/11/30"), "2026-11-30");
    EXPECT_EQ(Read("yyyyMMdd", "20261130"), "2026-11-30");
    EXPECT_EQ(Read("yyMMdd", "261130"), "2026-11-30");
    EXPECT_EQ(Read("yyyy年M月d日", "2026年1月5日"), "2026-01-05");
    EXPECT_EQ(Read("yyyy/M/d", "2026/11/30"), "2026-11-30");
    EXPECT_EQ(Read("Rrr.MM.dd", "R8.11.30"), "2026-11-30");
    EXPECT_EQ(Read("yyyy-MM-dd*", "2026-11-30T10:00:00+09:00"), "2026-11-30");
}

TEST(DateFormatTest, RefusesWhatIsNotWrittenSo) {
    for (const std::string_view text :
         {"", "2026/11/31", "2026/13/01", "2026/00/01", "26/11/30", "2026-11-30", "2026/11/3",
          "2026/11/30 ", " 2026/11/30", "2026/11/301", "２０２６/11/30", "2026/11"}) {
        EXPECT_EQ(Read("yyyy/MM/dd", text), "DATE_MALFORMED") << text;
    }
}

TEST(DateFormatTest, RefusesPatternsThatSayNoDay) {
    for (const std::string_view pattern :
         {"", "yyyy/MM", "yyyy/MM/dd/dd", "yyy/MM/dd", "yyyy/MM/dd hh:mm", "yyyyMd", "*yyyy/MM/dd",
          "yyyyMMddd", "rrMMdd"}) {
        EXPECT_THAT(DateFormat::Parse(pattern),
                    Refuses(Code::kInvalidArgument, "DATE_FORMAT_MALFORMED"))
            << pattern;
    }
}

}  // namespace
}  // namespace kessai::statementfile
