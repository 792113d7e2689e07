// Goal: times of day are read as they are written, and nothing else is taken for one.
// Method: texts by hand.

#include "domain/time_of_day.h"

#include <gtest/gtest.h>

namespace kessai::payout::domain {
namespace {

using namespace std::chrono_literals;

TEST(TimeOfDayTest, ReadsTimesAndRefusesTheRest) {
    EXPECT_EQ(ParseTimeOfDay("00:00").value(), 0s);
    EXPECT_EQ(ParseTimeOfDay("09:30").value(), 9h + 30min);
    EXPECT_EQ(ParseTimeOfDay("23:59").value(), 23h + 59min);
    EXPECT_FALSE(ParseTimeOfDay("").value().has_value());
    for (const char* text : {"24:00", "09:60", "9:00", "09:0", "0900", "09-00", "09:00:00", "-1:00",
                             " 9:00", "ab:cd", "noon"}) {
        EXPECT_EQ(ParseTimeOfDay(text).status().reason(), "TIME_OF_DAY_MALFORMED") << text;
    }
}

}  // namespace
}  // namespace kessai::payout::domain
