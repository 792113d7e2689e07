// Goal: a load finds its stack, what it uses and how its queues go; and it refuses any stack that
// is not on this machine. Method: files and texts made for the test, and this very process.

#include "load/stack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "kessai/testing/temp_dir.h"
#include "load/command.h"
#include "load/metrics_text.h"
#include "load/process_time.h"
#include "load/series.h"
#include "load/stack_watch.h"

namespace kessai::load {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class StackTest : public ::testing::Test {
 protected:
    StackTest() { directory_.Write("password", "secret\n"); }

    std::string Access(const std::string& gateway_host = "127.0.0.1",
                       const std::string& admin_host = "127.0.0.1",
                       const std::string& mysql_host = "127.0.0.1",
                       const std::string& kafka = "127.0.0.1:17092") {
        return directory_.Write("access.json",
                                R"({"stack":"dev","directory":"/tree/.kessai/dev",
            "binaries":"/tree/build/release/bin",
            "gateway":{"url":"https://localhost:17443","host":")" +
                                    gateway_host +
                                    R"(","port":17443},
            "tls":{"ca_file":"/tree/.kessai/dev/pki/ca.crt"},
            "admin":{"payment":"http://)" +
                                    admin_host +
                                    R"(:17581","gateway":"http://127.0.0.1:17580"},
            "mysql":{"host":")" + mysql_host +
                                    R"(","port":17306,"schemas":{"payment":"kessai_payment"},
            "users":{"audit":{"user":"kessai_audit","password_file":")" +
                                    directory_.Path("password") + R"("}}},
            "kafka":{"brokers":")" + kafka +
                                    R"("}})");
    }

    kessai::testing::TempDir directory_{"load"};
};

TEST_F(StackTest, FindsItsWay) {
    const auto stack = Stack::Load(Access());
    ASSERT_TRUE(stack.ok()) << stack.status().ToString();
    EXPECT_EQ(stack->name, "dev");
    EXPECT_EQ(stack->gateway.port, 17443);
    EXPECT_EQ(stack->Authority(), "localhost:17443");
    EXPECT_EQ(stack->admin.at("payment").port, 17581);
    EXPECT_EQ(stack->mysql.password, "secret");
    EXPECT_EQ(stack->mysql.schemas.at("payment"), "kessai_payment");
    EXPECT_EQ(stack->Preset(), "release");
    EXPECT_EQ(stack->Command(), "/tree/.kessai/dev/../../kessai");
}

TEST_F(StackTest, RefusesAnyOtherMachine) {
    const auto refused = [&](const std::string& file) {
        const auto stack = Stack::Load(file);
        return !stack.ok() && stack.status().reason() == "NOT_LOOPBACK";
    };
    EXPECT_TRUE(refused(Access("192.0.2.7")));
    EXPECT_TRUE(refused(Access("0.0.0.0")));
    EXPECT_TRUE(refused(Access("127.0.0.1", "10.0.0.1")));
    EXPECT_TRUE(refused(Access("127.0.0.1", "127.0.0.1", "db.example.com")));
    EXPECT_TRUE(refused(Access("127.0.0.1", "127.0.0.1", "127.0.0.1", "203.0.113.9:9092")));
    EXPECT_FALSE(refused(Access("::1")));
}

TEST_F(StackTest, SaysWhatIsMissing) {
    const auto reason = [&](const std::string& text) {
        return Stack::Load(directory_.Write("other.json", text)).status().ToString();
    };
    EXPECT_THAT(reason("{}"), HasSubstr("/stack"));
    EXPECT_THAT(reason("not json"), HasSubstr("is no JSON"));
    EXPECT_THAT(Stack::Load("/nowhere/access.json").status().ToString(),
                HasSubstr("can't be read"));
}

TEST(MetricsText, ReadsSamplesWithTheirLabels) {
    const std::string text =
        "# HELP kessai_x Text with {braces} 1\n"
        "# TYPE kessai_x gauge\n"
        "kessai_x 1.5\n"
        "kessai_inbox_lag_messages{topic=\"payment.events.v1\",partition=\"3\"} 12\n"
        "kessai_odd{text=\"a } \\\" b\",next=\"n\"} 4e3 1700000000\n"
        "kessai_inf +Inf\n"
        "kessai_broken{ 1\n"
        "kessai_words one\n"
        "other 7\n"
        "kessai_last 9";
    std::vector<std::string> seen;
    VisitMetrics(text, "kessai_", [&](const MetricSample& sample) {
        seen.push_back(std::string(sample.name) + "=" + std::to_string(sample.value) + "|" +
                       std::string(sample.Label("topic")) + std::string(sample.Label("next")));
    });
    EXPECT_THAT(seen,
                ::testing::ElementsAre("kessai_x=1.500000|",
                                       "kessai_inbox_lag_messages=12.000000|payment.events.v1",
                                       "kessai_odd=4000.000000|n", "kessai_last=9.000000|"));
}

TEST(StackWatch, AddsUpWhatAServiceSays) {
    const auto reading = ReadServiceMetrics(
        "kessai_build_info{version=\"1\",commit=\"abc123\",build_type=\"Release\"} 1\n"
        "kessai_outbox_oldest_age_seconds 0.25\n"
        "kessai_outbox_in_flight_rows 3\n"
        "kessai_inbox_lag_messages{topic=\"a\",partition=\"0\"} 5\n"
        "kessai_inbox_lag_messages{topic=\"a\",partition=\"1\"} 6\n"
        "kessai_inbox_lag_messages{topic=\"b\",partition=\"0\"} 7\n");
    EXPECT_TRUE(reading.has_outbox);
    EXPECT_EQ(reading.outbox_age_s, 0.25);
    EXPECT_EQ(reading.outbox_in_flight_rows, 3);
    EXPECT_EQ(reading.lag_messages.at("a"), 11);
    EXPECT_EQ(reading.lag_messages.at("b"), 7);
    EXPECT_EQ(reading.commit, "abc123");
    EXPECT_FALSE(ReadServiceMetrics("").has_outbox);
}

Series::Trend TrendOf(const std::vector<double>& values) {
    Series series;
    SteadyInstant when{1s};
    for (const double value : values) {
        series.Add(when, value);
        when += 1s;
    }
    return series.Over(SteadyInstant{1s}, when);
}

TEST(Series, TellsGrowthFromNoise) {
    std::vector<double> flat;
    std::vector<double> peaks;
    std::vector<double> growing;
    for (int i = 0; i < 60; ++i) {
        flat.push_back(100 + (i * 37) % 11);
        peaks.push_back(i % 10 == 9 ? 5'000 : 100);  // a pause now and then
        growing.push_back(100 + 50.0 * i);
    }
    EXPECT_NEAR(TrendOf(flat).growth, 0, 3);
    EXPECT_EQ(TrendOf(peaks).growth, 0);
    EXPECT_EQ(TrendOf(peaks).max, 5'000);
    EXPECT_NEAR(TrendOf(growing).growth, 50.0 * 60, 50);
    EXPECT_LT(TrendOf({500, 400, 300, 200, 100, 0, 0, 0, 0}).growth, 0);
    EXPECT_EQ(TrendOf({}).readings, 0u);
    EXPECT_EQ(TrendOf({1, 2, 3, 4, 5}).growth, 0);  // too few to tell
}

TEST(Series, LooksAtItsWindowOnly) {
    Series series;
    for (int i = 0; i < 30; ++i)
        series.Add(SteadyInstant{std::chrono::seconds(i)}, i < 10 ? i : 10);
    EXPECT_EQ(series.Over(SteadyInstant{10s}, SteadyInstant{30s}).growth, 0);
    EXPECT_EQ(series.Over(SteadyInstant{10s}, SteadyInstant{30s}).readings, 20u);
    EXPECT_GT(series.Over(SteadyInstant{0s}, SteadyInstant{10s}).growth, 5);
    EXPECT_EQ(series.last(), 10);
}

TEST(ProcessorTime, GrowsWithWork) {
    const ProcessorUse use({{"gone", 1 << 30, true}}, "self");
    volatile std::uint64_t sink = 0;
    const auto before = ProcessorTimeOf(::getpid());
    ASSERT_TRUE(before.ok());
    auto now = ProcessorTimeOf(::getpid());
    while (now.ok() && *now - *before < 60ms) {
        for (int i = 0; i < 100'000; ++i) sink = sink + 1;
        now = ProcessorTimeOf(::getpid());
    }
    const auto report = use.Since();
    EXPECT_GE(report.by_process.at("self"), 50ms);
    EXPECT_THAT(report.not_known, ::testing::ElementsAre("gone"));
    EXPECT_GT(report.busy_share, 0);
    EXPECT_FALSE(ProcessorTimeOf(1 << 30).ok());
}

TEST(ProcessorTime, ReadsTheMachines) {
    const auto time = ParseMachineTime("cpu  100 20 30 1000 50 6 7 8 0 0\ncpu0 1 2 3\n", 100);
    ASSERT_TRUE(time.ok());
    EXPECT_EQ(time->busy, 1'630ms);
    EXPECT_EQ(time->idle, 10'500ms);
    EXPECT_EQ(time->stolen, 80ms);
    EXPECT_FALSE(ParseMachineTime("intr 5\n", 100).ok());
}

TEST(RunCommand, GivesOutputAndExitCode) {
    const auto output = RunCommand({"sh", "-c", "echo out; echo err >&2; exit 3"}, 10s);
    ASSERT_TRUE(output.ok()) << output.status().ToString();
    EXPECT_EQ(output->exit_code, 3);
    EXPECT_EQ(output->text, "out\nerr\n");
    EXPECT_EQ(RunCommand({"/no/such/program"}, 10s).status().reason(), "COMMAND_FAILED");
    EXPECT_EQ(RunCommand({"sh", "-c", "kill -9 $$"}, 10s).status().reason(), "COMMAND_FAILED");
}

TEST(RunCommand, EndsAtItsDeadlineAndWaitsForNoGrandchild) {
    EXPECT_EQ(RunCommand({"sleep", "60"}, 100ms).status().reason(), "COMMAND_DEADLINE");
    const auto begun = SystemClock().SteadyNow();
    const auto output = RunCommand({"sh", "-c", "sleep 5 & echo done"}, 10s);
    ASSERT_TRUE(output.ok());
    EXPECT_EQ(output->text, "done\n");
    EXPECT_LT(SystemClock().SteadyNow() - begun, 4s);
}

}  // namespace
}  // namespace kessai::load
