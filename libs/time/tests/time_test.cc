#include <gtest/gtest.h>

#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Goal: the day of the books changes at midnight in Japan, which is 15:00 UTC.
TEST(BusinessDateTest, ChangesAtMidnightInJapan) {
    const auto date = BusinessDate::Parse("2026-11-22").value();
    EXPECT_EQ(FormatUtc(date.StartsAt()), "2026-11-21T15:00:00Z");
    EXPECT_EQ(BusinessDate::OfJst(date.StartsAt()), date);
    EXPECT_EQ(BusinessDate::OfJst(date.StartsAt() - microseconds(1)), date.Previous());
    EXPECT_EQ(FormatJst(date.Next().At(minutes(14) + seconds(59))), "2026-11-23T00:14:59+09:00");
}

TEST(BusinessDateTest, TextAndNumberRoundTrip) {
    const auto date = BusinessDate::FromNumber(20280229).value();
    EXPECT_EQ(date.ToString(), "2028-02-29");
    EXPECT_EQ(BusinessDate::Parse("2028-02-29").value(), date);
    EXPECT_EQ(date.ToNumber(), 20280229);
    EXPECT_EQ(date.Next().ToString(), "2028-03-01");
}

TEST(BusinessDateTest, RefusesWhatIsNoDate) {
    for (const char* text : {"", "2026-02-29", "2026-13-01", "2026-1-01", "20261122", "2026-11-2x",
                             "2026-11-22 ", "-026-11-22"}) {
        EXPECT_EQ(BusinessDate::Parse(text).status().reason(), "DATE_MALFORMED") << text;
    }
    EXPECT_FALSE(BusinessDate::FromNumber(20260230).ok());
    EXPECT_FALSE(BusinessDate::FromNumber(-1).ok());
}

TEST(ManualClockTest, MovesOnlyWhenTold) {
    ManualClock clock(FromMicros(1'000'000));
    const auto steady = clock.SteadyNow();
    EXPECT_EQ(ToMicros(clock.Now()), 1'000'000);
    clock.Advance(seconds(2));
    EXPECT_EQ(ToMicros(clock.Now()), 3'000'000);
    EXPECT_EQ(clock.SteadyNow() - steady, seconds(2));
}

}  // namespace
}  // namespace kessai
