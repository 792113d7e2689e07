#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "kessai/faults/fault_point.h"

namespace kessai::faults {
namespace {

using testing::ElementsAre;
using testing::KilledBySignal;

void PassFirst() {
    KESSAI_FAULT_POINT("test.first");
}
template <class T>
void PassSecond() {
    KESSAI_FAULT_POINT("test.second");
}
void PassFirstElsewhere() {
    KESSAI_FAULT_POINT("test.first");
}

class FaultsOnTest : public testing::Test {
 protected:
    FaultsOnTest() {
        testing::FLAGS_gtest_death_test_style = "threadsafe";
        directory_ = testing::TempDir() + "faults_test";
        std::filesystem::create_directories(directory_);
    }
    ~FaultsOnTest() override { std::filesystem::remove_all(directory_); }

    std::string directory_;
};

// Goal: all points of a process can be listed before any is passed.
TEST_F(FaultsOnTest, PointsAreKnownBeforeTheyArePassed) {
    EXPECT_THAT(Names(), ElementsAre("test.first", "test.second"));
}

TEST_F(FaultsOnTest, AnUnarmedPointLetsPass) {
    for (int i = 0; i < 1000; ++i) {
        PassFirst();
        PassSecond<int>();
    }
}

// Goal: the process dies by SIGKILL at the pass that was asked for, and not before.
TEST_F(FaultsOnTest, KillsAtTheNthPass) {
    EXPECT_EXIT(
        {
            ASSERT_TRUE(Arm("test.first:3,test.second:9", "").ok());
            PassFirst();
            PassFirstElsewhere();
            PassSecond<int>();
            std::fputs("two passed\n", stderr);
            PassFirst();
            std::fputs("three passed\n", stderr);
        },
        KilledBySignal(SIGKILL), "two passed\n$");
}

TEST_F(FaultsOnTest, TheNthPassIsCountedOverThreads) {
    EXPECT_EXIT(
        {
            ASSERT_TRUE(Arm("test.first:100", "").ok());
            std::vector<std::thread> threads;
            for (int t = 0; t < 4; ++t) {
                threads.emplace_back([] {
                    for (int i = 0; i < 25; ++i) PassFirst();
                });
            }
            for (std::thread& thread : threads) thread.join();
            std::exit(0);
        },
        KilledBySignal(SIGKILL), "");
}

// Goal: a process that is started again with the same environment lives on, and the mark shows
// that the point was reached.
TEST_F(FaultsOnTest, AMarkLetsTheNextLifePass) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    const std::string directory = directory_;
    const auto life = [&directory] {
        (void)Arm("test.first", directory);
        PassFirst();
        std::exit(0);
    };
    const auto run = [&life] {
        const pid_t child = ::fork();
        if (child == 0) life();
        int outcome = 0;
        EXPECT_EQ(::waitpid(child, &outcome, 0), child);
        return outcome;
    };
    const int first = run();
    EXPECT_TRUE(WIFSIGNALED(first) && WTERMSIG(first) == SIGKILL);
    EXPECT_TRUE(std::filesystem::exists(directory_ + "/test.first.1"));
    const int second = run();
    EXPECT_TRUE(WIFEXITED(second) && WEXITSTATUS(second) == 0);
}

// Goal: a fault that would never strike is refused, not ignored.
TEST_F(FaultsOnTest, RefusesWhatItCannotArm) {
    for (const char* faults : {"test.third", "test.first:0", "test.first:", "test.first:x",
                               "test.first:1x", "test.first,,test.second", ":1"}) {
        const Status status = Arm(faults, "");
        EXPECT_EQ(status.reason(), "FAULT_UNKNOWN") << faults;
    }
    EXPECT_EXIT(
        {
            ::setenv("KESSAI_TEST_FAULT", "test.second:2", 1);
            ASSERT_TRUE(ArmFromEnvironment().ok());
            PassSecond<int>();
            PassSecond<long>();
        },
        KilledBySignal(SIGKILL), "");
}

}  // namespace
}  // namespace kessai::faults
