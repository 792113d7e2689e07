#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/release/release_bench.h"

namespace kessai::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ReleaseReport Report() {
    ReleaseReport report;
    report.recipe = {BusinessDate::FromNumber(20261102).value(), 1'000, 10, Skew::kHalf, 3};
    report.bulk = true;
    report.facts = {1'000, 10, 5'000'000, 99'000, 500};
    report.mysql = {{"innodb_flush_log_at_trx_commit", "1"}};
    report.release_seconds = 2.0;
    report.times = {1.25, 0.5, 1'000};
    report.buffer_pool_warm = true;
    report.contenders = {{.name = "one_sql", .what = "one statement", .seconds = 8.0},
                         {.name = "old_design",
                          .what = "workers",
                          .seconds = 100.0,
                          .extrapolated = true,
                          .note = "of a sample"},
                         {.name = "spark", .seconds = 50.0, .also = {{"without_writing", 20.0}}}};
    return report;
}

// Goal: people see the ratios, and what was not really measured.
TEST(ReleaseReportTest, TextHasRatiosAndSaysWhatIsExtrapolated) {
    const std::string text = ToText(Report());
    EXPECT_THAT(text, HasSubstr("4.00 x"));
    EXPECT_THAT(text, HasSubstr("50.00 x   extrapolated: of a sample"));
    EXPECT_THAT(text, HasSubstr("innodb_flush_log_at_trx_commit=1"));
    EXPECT_THAT(text, HasSubstr("log_bin=not known"));
    EXPECT_THAT(text, HasSubstr(" warm"));
    EXPECT_THAT(text, HasSubstr("checked"));
    EXPECT_THAT(text, Not(HasSubstr("WRONG")));
}

TEST(ReleaseReportTest, WhatIsWrongIsShownAndNothingIsCalledChecked) {
    ReleaseReport report = Report();
    report.wrong = {"released gross: 7, not 8"};
    EXPECT_THAT(ToText(report), HasSubstr("WRONG       released gross: 7, not 8"));
    EXPECT_THAT(ToText(report), Not(HasSubstr("checked")));
    EXPECT_THAT(ToJson(report), HasSubstr("\"correct\":false"));
}

TEST(ReleaseReportTest, JsonIsOneLineWithTheNamesThatToolsRead) {
    const std::string json = ToJson(Report());
    EXPECT_THAT(json, Not(HasSubstr("\n")));
    for (const char* field :
         {"\"accruals\":1000", "\"merchants\":10", "\"release_seconds\":2.000",
          "\"recount_seconds\":1.250", "\"write_seconds\":0.500", "\"one_sql_seconds\":8.000",
          "\"old_design_seconds\":100.000", "\"spark_seconds\":50.000",
          "\"spark_without_writing_seconds\":20.000", "\"peak_rss_mib\":0", "\"cores\":0",
          "\"buffer_pool_warm\":true", "\"skew\":\"half\"", "\"correct\":true",
          "\"ingested_events_per_second\":null", "\"server_cpu_seconds\":null"}) {
        EXPECT_THAT(json, HasSubstr(field));
    }
    EXPECT_EQ(Report().Find("one_sql")->seconds, 8.0);
    EXPECT_EQ(Report().Find("duckdb"), nullptr);
}

// Goal: the proofs show as what was seen, for people and for programs.
TEST(ReleaseReportTest, ProofsAreShown) {
    ReleaseReport report = Report();
    report.damage.emplace();
    report.damage->kinds = {{DamageKind::kRowMissing, 3}, {DamageKind::kFeesCompensate, 2}};
    report.damage->visible = report.damage->held_back = 3;
    report.damage->hidden = 2;
    report.damage->found_deep = 1;
    report.audit.emplace();
    report.audit->looked_at = {"1000 accruals"};
    std::string text = ToText(report);
    EXPECT_THAT(text, HasSubstr("    3 times: a row is missing\n"));
    EXPECT_THAT(text, HasSubstr("    2 times: two fees that compensate, which the sums hide\n"));
    EXPECT_THAT(text, HasSubstr("held back   3 merchants, of 3 whose sums differ"));
    EXPECT_THAT(text, HasSubstr("found deep  1 merchants, of 2 whose sums hide it"));
    EXPECT_THAT(text, HasSubstr("1000 accruals, 0 kinds of findings"));
    EXPECT_THAT(ToJson(report), HasSubstr("\"found_deep_merchants\":1"));

    report.damage.reset();
    report.kills.emplace();
    report.kills->asked = 3;
    report.kills->in_recount = 1;
    report.kills->in_writing = 2;
    report.kills->chunks = 9;
    report.kills->done_at_kill = {0, 4, 7};
    text = ToText(report);
    EXPECT_THAT(text, HasSubstr("killed      3 times of 3 asked: 1 times while recounting"));
    EXPECT_THAT(text, HasSubstr("with 0 4 7 of 9 chunks done"));
    EXPECT_THAT(text, HasSubstr("its rows are NOT those"));
    EXPECT_THAT(ToJson(report), HasSubstr("\"equal_to_untouched\":false"));
}

}  // namespace
}  // namespace kessai::bench
