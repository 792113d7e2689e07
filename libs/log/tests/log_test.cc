#include "kessai/log/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <thread>

namespace kessai::log {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::HasSubstr;

/// A pipe whose reading end gathers what was written.
class Pipe {
 public:
    Pipe() { EXPECT_EQ(::pipe2(ends_, O_CLOEXEC), 0); }
    ~Pipe() {
        CloseWriting();
        ::close(ends_[0]);
    }
    int writing() const { return ends_[1]; }
    int reading() const { return ends_[0]; }
    void CloseWriting() {
        if (ends_[1] >= 0) ::close(ends_[1]);
        ends_[1] = -1;
    }
    /// All lines until the writing end is closed.
    std::vector<json> ReadAll() {
        CloseWriting();
        std::string text;
        char buffer[65'536];
        while (true) {
            const ssize_t got = ::read(ends_[0], buffer, sizeof buffer);
            if (got <= 0) break;
            text.append(buffer, static_cast<std::size_t>(got));
        }
        std::vector<json> lines;
        for (std::size_t end = 0; (end = text.find('\n')) != std::string::npos;) {
            lines.push_back(json::parse(text.substr(0, end)));
            text.erase(0, end + 1);
        }
        EXPECT_EQ(text, "") << "a line was cut";
        return lines;
    }

 private:
    int ends_[2] = {-1, -1};
};

Context MakeContext(char digit, std::string_view request) {
    Context context;
    context.trace_id.fill(digit);
    context.span_id.fill(digit);
    context.SetRequestId(request);
    return context;
}

// Goal: lines below the level are not written, and the level can change.
TEST(LogTest, WritesFromTheLevelUp) {
    Pipe pipe;
    {
        const Output output("payment", {.level = Level::kInfo}, pipe.writing());
        Debug("a.debug");
        Info("a.info");
        SetLevel(Level::kError);
        Warn("a.warn");
        Error("a.error");
        SetLevel(Level::kDebug);
        Debug("b.debug");
    }
    const auto lines = pipe.ReadAll();
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[0]["event"], "a.info");
    EXPECT_EQ(lines[0]["service"], "payment");
    EXPECT_EQ(lines[1]["event"], "a.error");
    EXPECT_EQ(lines[1]["level"], "error");
    EXPECT_EQ(lines[2]["event"], "b.debug");
}

// Goal: the thread's context is on its lines, scopes nest, and other threads don't see it.
TEST(LogTest, ContextFollowsTheScope) {
    Pipe pipe;
    {
        const Output output("payment", {}, pipe.writing());
        Info("outside");
        {
            const ContextScope outer(MakeContext('a', "r-1"));
            Info("outer");
            {
                const ContextScope inner(MakeContext('b', "r-2"));
                Info("inner");
                std::thread([] { Info("elsewhere"); }).join();
            }
            Info("outer.again");
            Info(MakeContext('c', "r-3"), "given");
        }
        Info("after");
    }
    const auto lines = pipe.ReadAll();
    ASSERT_EQ(lines.size(), 7u);
    const auto request = [&](std::size_t i) { return lines[i].value("request_id", "none"); };
    EXPECT_EQ(request(0), "none");
    EXPECT_EQ(request(1), "r-1");
    EXPECT_EQ(request(2), "r-2");
    EXPECT_EQ(lines[2]["trace_id"], std::string(32, 'b'));
    EXPECT_EQ(request(3), "none");
    EXPECT_EQ(request(4), "r-1");
    EXPECT_EQ(request(5), "r-3");
    EXPECT_EQ(request(6), "none");
}

TEST(LogTest, LongRequestIdsAreCut) {
    Context context;
    context.SetRequestId(std::string(200, 'x'));
    EXPECT_EQ(std::string(context.request_id.data(), 64), std::string(64, 'x'));
    context.SetRequestId("y");
    EXPECT_EQ(std::string(context.request_id.data()), "y");
}

// Goal: many threads' lines are whole, each once, when the queue is long enough.
TEST(LogTest, ThreadsDoNotMixTheirLines) {
    constexpr int kThreads = 4;
    constexpr int kLines = 500;
    Pipe pipe;
    std::vector<json> lines;
    std::thread reader;
    {
        std::optional<Output> output;
        output.emplace("payment", Options{.queue_lines = kThreads * kLines}, pipe.writing());
        const std::uint64_t before = DroppedLines();
        // Reads beside the writing, because a pipe holds less than this.
        std::string text;
        reader = std::thread([&] {
            char buffer[65'536];
            while (lines.size() < kThreads * kLines) {
                const ssize_t got = ::read(pipe.reading(), buffer, sizeof buffer);
                if (got <= 0) break;
                text.append(buffer, static_cast<std::size_t>(got));
                for (std::size_t end = 0; (end = text.find('\n')) != std::string::npos;) {
                    lines.push_back(json::parse(text.substr(0, end)));
                    text.erase(0, end + 1);
                }
            }
        });
        std::vector<std::thread> writers;
        for (int t = 0; t < kThreads; ++t) {
            writers.emplace_back([t] {
                for (int i = 0; i < kLines; ++i) Info("line", {{"number", t * kLines + i}});
            });
        }
        for (std::thread& writer : writers) writer.join();
        reader.join();
        EXPECT_EQ(DroppedLines(), before);
    }
    std::set<int> numbers;
    for (const json& line : lines) numbers.insert(line["number"].get<int>());
    EXPECT_EQ(numbers.size(), static_cast<std::size_t>(kThreads * kLines));
}

// Goal: when nobody reads, logging doesn't block, the oldest lines go, and they are counted; the
// end of the process isn't held up either.
// Method: a pipe that nobody reads and a queue of 64 lines; write far more than both hold.
TEST(LogTest, AFullQueueDropsTheOldestAndNeverBlocks) {
    constexpr int kLines = 3'000;
    const std::uint64_t before = DroppedLines();
    const SteadyInstant began = SystemClock().SteadyNow();
    Pipe pipe;
    {
        const Output output("payment", {.queue_lines = 64}, pipe.writing());
        const std::string filler(100, 'x');
        for (int i = 0; i < kLines; ++i) Info("line", {{"number", i}, {"filler", filler}});
        EXPECT_LT(SystemClock().SteadyNow() - began, seconds(2));
    }
    EXPECT_LT(SystemClock().SteadyNow() - began, seconds(10));
    const std::uint64_t dropped = DroppedLines() - before;
    EXPECT_GT(dropped, 0u);
    pipe.CloseWriting();
    std::string text;
    char buffer[65'536];
    for (ssize_t got = 0; (got = ::read(pipe.reading(), buffer, sizeof buffer)) > 0;) {
        text.append(buffer, static_cast<std::size_t>(got));
    }
    const auto written = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    EXPECT_EQ(written + dropped, static_cast<std::uint64_t>(kLines));
}

// Goal: after its end and before its start the log still tells of warnings, on standard error.
TEST(LogTest, WithoutAnOutputWarningsGoToStandardError) {
    testing::internal::CaptureStderr();
    Info("quiet");
    Warn("loud", {{"password", Secret("hunter2")}});
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_THAT(text, HasSubstr("\"event\":\"loud\",\"password\":\"***\""));
    EXPECT_THAT(text, testing::Not(HasSubstr("quiet")));
}

// Goal: a limit lets one through in each period, and says how many it kept back.
TEST(LogTest, LimitLetsOneThroughInEachPeriod) {
    ManualClock clock{Instant(seconds(1'000'000))};
    clock.Advance(seconds(100));
    Limit limit(seconds(1), clock);
    EXPECT_TRUE(limit.Allow());
    EXPECT_FALSE(limit.Allow());
    EXPECT_FALSE(limit.Allow());
    clock.Advance(std::chrono::milliseconds(999));
    EXPECT_FALSE(limit.Allow());
    clock.Advance(std::chrono::milliseconds(1));
    EXPECT_TRUE(limit.Allow());
    EXPECT_EQ(limit.TakeSuppressed(), 3u);
    EXPECT_EQ(limit.TakeSuppressed(), 0u);
}

}  // namespace
}  // namespace kessai::log
