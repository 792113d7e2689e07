#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <string>
#include <thread>

#include "kessai/testing/eventually.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/process.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Not;

TEST(EventuallyTest, WaitsUntilItIsTrueOrTooLate) {
    int asked = 0;
    EXPECT_TRUE(Eventually([&] { return ++asked == 5; }));
    EXPECT_EQ(asked, 5);
    EXPECT_FALSE(Eventually([] { return false; }, milliseconds(20)));
    std::atomic<bool> done{false};
    std::thread other([&] { done = true; });
    EXPECT_EVENTUALLY(done);
    ASSERT_EVENTUALLY(done);
    other.join();
}

TEST(MatchersTest, TellRefusalsApart) {
    const Result<int> seven = 7;
    const Status refused(Code::kNotFound, "PAYMENT_UNKNOWN", "no payment 12");
    EXPECT_THAT(OkStatus(), IsOk());
    EXPECT_THAT(seven, IsOk());
    EXPECT_THAT(seven, IsOkAnd(7));
    EXPECT_THAT(seven, Not(IsOkAnd(8)));
    EXPECT_THAT(refused, Not(IsOk()));
    EXPECT_THAT(Result<int>(refused), Not(IsOkAnd(7)));
    EXPECT_THAT(refused, Refuses(Code::kNotFound, "PAYMENT_UNKNOWN"));
    EXPECT_THAT(refused, Not(Refuses(Code::kNotFound, "CODE_UNKNOWN")));
    EXPECT_THAT(refused, Not(Refuses(Code::kInternal, "PAYMENT_UNKNOWN")));
    EXPECT_THAT(seven, Not(Refuses(Code::kOk, "X")));
    EXPECT_EQ(::testing::PrintToString(refused), "NOT_FOUND PAYMENT_UNKNOWN: no payment 12");
    EXPECT_EQ(::testing::PrintToString(seven), "OK with 7");
    ASSERT_OK_AND_ASSIGN(const int value, seven);
    EXPECT_EQ(value, 7);
}

TEST(TempDirTest, IsRemovedWithAllInIt) {
    std::string path;
    {
        const TempDir dir("here");
        path = dir.path();
        dir.Write("file", std::string("a\0b", 3));
        std::filesystem::create_directories(dir.Path("deep/er"));
        EXPECT_EQ(ReadFile(dir.Path("file")), std::string("a\0b", 3));
    }
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_EQ(ReadFile(path + "/file"), "");
}

TEST(UniqueNameTest, NamesDiffer) {
    std::set<std::string> names;
    for (int i = 0; i < 100; ++i) names.insert(UniqueName("My-topic"));
    EXPECT_EQ(names.size(), 100u);
    EXPECT_THAT(*names.begin(), ::testing::MatchesRegex("my_topic_[a-z0-9_]+"));
}

TEST(FreePortTest, CanBeBound) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(FreePort()));
    EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    close(fd);
}

class ProcessTest : public ::testing::Test {
 protected:
    std::unique_ptr<Process> Shell(const std::string& script) {
        auto process = Process::Start({.command = {"sh", "-c", script},
                                       .environment = {"GREETING=hello"},
                                       .working_directory = dir_.path(),
                                       .output_file = dir_.Path("output")});
        EXPECT_THAT(process, IsOk());
        return std::move(process).value();
    }
    TempDir dir_;
};

TEST_F(ProcessTest, RunsWithItsEnvironmentAndDirectory) {
    const auto process = Shell("echo $GREETING; pwd; echo problem >&2; exit 3");
    const auto status = process->Wait(seconds(20));
    ASSERT_TRUE(status.has_value());
    EXPECT_EQ(WEXITSTATUS(*status), 3);
    EXPECT_EQ(ReadFile(dir_.Path("output")), "hello\n" + dir_.path() + "\nproblem\n");
    EXPECT_FALSE(process->Running());
    process->Signal(SIGKILL);  // Nobody is hit.
}

TEST_F(ProcessTest, IsKilledOrTerminated) {
    const auto killed = Shell("exec sleep 1000");
    EXPECT_TRUE(killed->Running());
    EXPECT_EQ(killed->Wait(milliseconds(5)), std::nullopt);
    killed->Kill9();
    EXPECT_EQ(WTERMSIG(*killed->Wait(seconds(1))), SIGKILL);
    const auto polite = Shell("trap 'exit 4' TERM; echo ready; while :; do sleep 0.01; done");
    ASSERT_EVENTUALLY(ReadFile(dir_.Path("output")) == "ready\n");
    polite->Terminate(seconds(20));
    EXPECT_EQ(WEXITSTATUS(*polite->Wait(seconds(1))), 4);
    const auto stubborn = Shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
    ASSERT_EVENTUALLY(ReadFile(dir_.Path("output")) == "ready\nready\n");
    stubborn->Terminate(milliseconds(50));
    EXPECT_EQ(WTERMSIG(*stubborn->Wait(seconds(1))), SIGKILL);
}

TEST_F(ProcessTest, AMissingProgramIsRefused) {
    EXPECT_THAT(Process::Start({.command = {"no-such-program"},
                                .environment = {},
                                .working_directory = {},
                                .output_file = {}}),
                Refuses(Code::kNotFound, "PROGRAM_MISSING"));
}

// Goal: no server outlives a test, however the test dies, even when a thread that has ended
// started it.
// Method: this test binary runs itself; the inner one starts a child from a thread and is killed.
TEST_F(ProcessTest, ChildrenDieWithTheTest) {
    const std::string pid_file = Environment("KESSAI_TESTING_PID_FILE");
    if (!pid_file.empty()) {
        std::unique_ptr<Process> child;
        std::thread([&] { child = Shell("echo $$ > " + pid_file + "; exec sleep 1000"); }).join();
        (void)Eventually([] { return false; }, seconds(1000));
        return;
    }
    const std::string file = dir_.Path("pid");
    auto inner = Process::Start(
        {.command = {std::filesystem::read_symlink("/proc/self/exe").string(),
                     "--gtest_filter=ProcessTest.ChildrenDieWithTheTest"},
         // Its own temporary directory is left behind: in here it is removed with the rest.
         .environment = {"KESSAI_TESTING_PID_FILE=" + file, "TMPDIR=" + dir_.path()},
         .working_directory = {},
         .output_file = dir_.Path("inner")});
    ASSERT_THAT(inner, IsOk());
    ASSERT_EVENTUALLY(ReadFile(file).ends_with("\n"));
    const std::string child = ReadFile(file).substr(0, ReadFile(file).size() - 1);
    EXPECT_TRUE(std::filesystem::exists("/proc/" + child));
    (*inner)->Kill9();
    // Gone, or dead and not yet reaped by whoever inherited it.
    EXPECT_EVENTUALLY(ReadFile("/proc/" + child + "/cmdline").empty());
}

}  // namespace
}  // namespace kessai::testing
