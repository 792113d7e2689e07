// Goal: who gets files of which day, and when, is decided as operators said it.
// Method: the rules by themselves, at their edges.
#include "domain/merchant_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/content_hash.h"
#include "domain/file_sources.h"
#include "kessai/testing/matchers.h"

namespace kessai::reconciliation::domain {
namespace {

using kessai::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Mode = FileAssignmentMode;

BusinessDate Day(std::int32_t number) {
    return BusinessDate::FromNumber(number).value();
}

filetemplate::Template Layout(const std::string& day) {
    const auto parsed = filetemplate::Template::Parse(
        "source: transactions\n" + day +
            "columns: [{name: id, value: order_id}]\nfile: {name: 'f_{date}'}\n",
        FileSources());
    EXPECT_OK(parsed);
    return *parsed;
}

TEST(MerchantFilesTest, NamesOfTemplates) {
    for (const char* name : {"a", "instant", "shop_7-v2",
                             "abcdefghijabcdefghijabcdefghijabcdefghi"
                             "jabcdefghijabcdefghijabcd"}) {
        EXPECT_TRUE(IsFileTemplateName(name)) << name;
    }
    for (const char* name : {"", "7a", "_a", "A", "a b", "a/b", "ä", "a.b",
                             "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcde"}) {
        EXPECT_FALSE(IsFileTemplateName(name)) << name;
    }
}

TEST(MerchantFilesTest, TimesOfDay) {
    for (const char* text : {"00:00", "01:30", "23:59"}) {
        const auto time = ParseTimeOfDay(text);
        ASSERT_OK(time);
        EXPECT_EQ(FormatTimeOfDay(*time), text);
    }
    for (const char* text : {"", "1:30", "24:00", "01:60", "01-30", "-1:30", "01:3x", "01:300"}) {
        EXPECT_THAT(ParseTimeOfDay(text), Refuses(Code::kInvalidArgument, "FIELD_INVALID")) << text;
    }
}

// Goal: a file is made when nothing of its period can come any more, whatever its day's end is.
TEST(MerchantFilesTest, DaysThatAFileNeeds) {
    const BusinessDate day = Day(20261130);
    EXPECT_EQ(LastDayNeeded(Layout(""), day), day);
    EXPECT_EQ(LastDayNeeded(Layout("day: {time_zone: Asia/Tokyo, cut_off: '05:00'}\n"), day), day);
    // 24 hours of UTC end at 09:00 of the next day in Japan.
    const auto of_utc = Layout("day: {time_zone: UTC, cut_off: '24:00'}\n");
    EXPECT_EQ(LastDayNeeded(of_utc, day), Day(20261201));
    EXPECT_EQ(LastDayNeeded(Layout("day: {time_zone: UTC, cut_off: '15:00'}\n"), day), day);

    EXPECT_EQ(ScheduledAt(Layout(""), day, std::chrono::minutes(90)),
              Day(20261201).At(std::chrono::minutes(90)));
    EXPECT_EQ(ScheduledAt(of_utc, day, std::chrono::minutes(90)),
              Day(20261202).At(std::chrono::minutes(90)));
}

TEST(MerchantFilesTest, WhatIsSaidOfOneGoesBeforeWhatIsSaidOfAll) {
    const FileAssignments assignments(
        {{.mode = Mode::kScheduled, .from_date = Day(20261110)},
         {.merchant = MerchantId(1), .mode = Mode::kOnDemand, .from_date = Day(20261101)},
         {.merchant = MerchantId(2), .mode = Mode::kNotAssigned},
         {.merchant = MerchantId(3), .mode = Mode::kNotAssigned, .from_date = Day(20261120)},
         {.merchant = MerchantId(4), .mode = Mode::kScheduled, .from_date = Day(20261105)}});
    const auto covered = [&](std::int32_t date, bool scheduled) {
        std::vector<int> merchants;
        for (int merchant = 1; merchant <= 5; ++merchant) {
            if (assignments.Covers(MerchantId(merchant), Day(date), scheduled)) {
                merchants.push_back(merchant);
            }
        }
        return merchants;
    };
    EXPECT_THAT(covered(20261031, false), IsEmpty());
    EXPECT_THAT(covered(20261101, false), ElementsAre(1));
    EXPECT_THAT(covered(20261101, true), IsEmpty());
    EXPECT_THAT(covered(20261109, true), ElementsAre(4));
    EXPECT_THAT(covered(20261110, true), ElementsAre(3, 4, 5));
    EXPECT_THAT(covered(20261110, false), ElementsAre(1, 3, 4, 5));
    EXPECT_THAT(covered(20261120, false), ElementsAre(1, 4, 5));

    EXPECT_FALSE(assignments.CoverAnybody(Day(20261101), true));
    EXPECT_TRUE(assignments.CoverAnybody(Day(20261105), true));
    EXPECT_FALSE(assignments.CoverOthers(Day(20261109), false));
    EXPECT_TRUE(assignments.CoverOthers(Day(20261110), true));
    EXPECT_THAT(assignments.Named(Day(20261120), false), ElementsAre(MerchantId(1), MerchantId(4)));
    EXPECT_FALSE(FileAssignments().CoverAnybody(Day(20261110), false));
}

TEST(MerchantFilesTest, WaitsDouble) {
    using std::chrono::seconds;
    EXPECT_EQ(WaitAfter(1, seconds(10), seconds(60)), seconds(10));
    EXPECT_EQ(WaitAfter(2, seconds(10), seconds(60)), seconds(20));
    EXPECT_EQ(WaitAfter(3, seconds(10), seconds(60)), seconds(40));
    EXPECT_EQ(WaitAfter(4, seconds(10), seconds(60)), seconds(60));
    EXPECT_EQ(WaitAfter(4'000'000'000, seconds(10), seconds(60)), seconds(60));
}

TEST(MerchantFilesTest, KeysOfFilesAreOfTheirRun) {
    FileRun run{.id = FileRunId(99)};
    run.order = {.template_name = "instant", .business_date = Day(20261130)};
    run.attempts = 3;
    EXPECT_EQ(FileRunFolder(run), "2026-11-30/instant-99");
    EXPECT_EQ(FileKey(run, MerchantId(7), 2, "売上.csv"), "2026-11-30/instant-99/7-2-3/売上.csv");
    EXPECT_EQ(MerchantOfKey(run, "2026-11-30/instant-99/7-2-3/売上.csv"), MerchantId(7));
    for (const char* key : {"2026-11-30/instant-98/7-2-3/a", "2026-11-30/instant-999/7-2-3/a",
                            "2026-11-30/instant-99/a-2-3/a", "2026-11-30/instant-99/7", ""}) {
        EXPECT_EQ(MerchantOfKey(run, key), std::nullopt) << key;
    }
}

// FIPS 180-2, appendix B.
TEST(MerchantFilesTest, HashesOfContent) {
    Sha256OfContent hash;
    hash.Add("a");
    hash.Add("");
    hash.Add("bc");
    const auto sum = hash.Finish();
    EXPECT_EQ(sum[0], 0xba);
    EXPECT_EQ(sum[1], 0x78);
    EXPECT_EQ(sum[31], 0xad);
}

}  // namespace
}  // namespace kessai::reconciliation::domain
