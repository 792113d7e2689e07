#include <gtest/gtest.h>

#include <limits>

#include "kessai/config/schema.h"

namespace kessai::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Goal: durations are read to the microsecond, and nothing else passes for one.
// Method: a table of texts with their values, and one of texts that must be refused.
TEST(ParseTest, Durations) {
    EXPECT_EQ(ParseDuration("0").value(), Duration(0));
    EXPECT_EQ(ParseDuration("250ms").value(), milliseconds(250));
    EXPECT_EQ(ParseDuration("7us").value(), Duration(7));
    EXPECT_EQ(ParseDuration("1h30m").value(), minutes(90));
    EXPECT_EQ(ParseDuration("2d").value(), hours(48));
    EXPECT_EQ(ParseDuration("9223372036854775807us").value(), Duration::max());
    for (const char* text : {"", "5", "s", "-5s", "5 s", " 5s", "5s ", "5S", "1.5s", "5sec", "ms5",
                             "5s5", "0x5s", "9223372036854775808us", "99999999999999999999s",
                             "9223372036854775807d", "9223372036854775807us1us"}) {
        const auto refused = ParseDuration(text);
        ASSERT_FALSE(refused.ok()) << text;
        EXPECT_EQ(refused.status().reason(), kConfigInvalid);
    }
}

// Goal: what a duration or size is shown as means the same when read again.
// Method: format and parse values at and around each unit.
TEST(ParseTest, FormattingRoundTrips) {
    for (const std::int64_t micros :
         {0L, 1L, 999L, 1'000L, 1'001L, 60'000'000L, 3'661'000'001L, 86'400'000'000L}) {
        EXPECT_EQ(ParseDuration(FormatDuration(Duration(micros))).value(), Duration(micros));
    }
    EXPECT_EQ(FormatDuration(seconds(90)), "1m30s");
    for (const std::uint64_t bytes : {0UL, 1UL, 1'000UL, 1'024UL, 1'536UL, 1UL << 20, 5UL << 30}) {
        EXPECT_EQ(ParseSize(FormatSize(bytes)).value(), bytes);
    }
    EXPECT_EQ(FormatSize(64 << 10), "64KiB");
}

TEST(ParseTest, Sizes) {
    EXPECT_EQ(ParseSize("0").value(), 0u);
    EXPECT_EQ(ParseSize("4096").value(), 4096u);
    EXPECT_EQ(ParseSize("64KiB").value(), 65'536u);
    EXPECT_EQ(ParseSize("3MB").value(), 3'000'000u);
    EXPECT_EQ(ParseSize("18446744073709551615").value(), std::numeric_limits<std::uint64_t>::max());
    for (const char* text : {"", "KiB", "-1", "1K", "1kb", "1 KiB", "1.5MiB",
                             "18446744073709551616", "18446744073709551615KiB"}) {
        EXPECT_FALSE(ParseSize(text).ok()) << text;
    }
}

TEST(ParseTest, NumbersAndBooleans) {
    EXPECT_EQ(ParseInt("-12").value(), -12);
    for (const char* text : {"", "+1", "1e3", "1.0", "0x10", " 1", "1 ", "9223372036854775808"}) {
        EXPECT_FALSE(ParseInt(text).ok()) << text;
    }
    EXPECT_EQ(ParseReal("0.25").value(), 0.25);
    for (const char* text : {"", "nan", "inf", "-inf", "1,5", "0.1x", "1e999"}) {
        EXPECT_FALSE(ParseReal(text).ok()) << text;
    }
    EXPECT_TRUE(ParseBool("true").value());
    for (const char* text : {"", "True", "yes", "on", "1"}) {
        EXPECT_FALSE(ParseBool(text).ok()) << text;
    }
}

TEST(ParseTest, Addresses) {
    EXPECT_EQ(ParseHostPort("db.local.:3306").value(), (HostPort{"db.local.", 3306}));
    EXPECT_EQ(ParseHostPort("[::1]:80").value(), (HostPort{"::1", 80}));
    EXPECT_EQ(ParseHostPort("[::1]:80").value().ToString(), "[::1]:80");
    for (const char* text :
         {"", "host", "host:", ":80", "host:0", "host:65536", "host:8o", "::1:80", "http://host:80",
          "user@host:80", "ho st:80", "[]:80", "[::1]"}) {
        EXPECT_FALSE(ParseHostPort(text).ok()) << text;
    }
}

}  // namespace
}  // namespace kessai::config
