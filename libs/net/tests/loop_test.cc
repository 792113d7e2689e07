// Goal: work, coroutines and timers run on their loop's thread, in order and never early.
// Method: real loops; promises carry what happened to the test's thread.

#include "kessai/net/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <random>
#include <thread>
#include <vector>

#include "kessai/net/task.h"

namespace kessai::net {
namespace {

using namespace std::chrono_literals;

class LoopTest : public ::testing::Test {
 protected:
    LoopTest() { loop_.Start(); }
    void Run(Work work) {
        std::promise<void> done;
        loop_.Post([&] {
            work();
            done.set_value();
        });
        done.get_future().get();
    }
    Loop loop_{"test"};
};

TEST_F(LoopTest, RunsPostsInOrderFromManyThreads) {
    constexpr int kThreads = 4;
    constexpr int kPosts = 5'000;
    std::vector<std::vector<int>> seen(kThreads);
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < kThreads; ++thread) {
            threads.emplace_back([&, thread] {
                for (int i = 0; i < kPosts; ++i) {
                    loop_.Post([&, thread, i] {
                        ASSERT_TRUE(loop_.InLoop());
                        seen[static_cast<std::size_t>(thread)].push_back(i);
                    });
                }
            });
        }
    }
    Run([] {});
    for (const auto& numbers : seen) {
        ASSERT_EQ(numbers.size(), static_cast<std::size_t>(kPosts));
        EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
    }
}

TEST_F(LoopTest, StopRunsWhatWasPostedBefore) {
    int ran = 0;
    for (int i = 0; i < 100; ++i) loop_.Post([&] { ++ran; });
    loop_.Stop();
    EXPECT_EQ(ran, 100);
}

// Goal: deferred work runs behind what was posted before it.
// Method: both from one handler, and wait for the later one: a post from this thread could
// overtake.
TEST_F(LoopTest, DeferredWorkRunsAfterWhatIsReady) {
    std::vector<int> order;
    std::promise<void> done;
    Run([&] {
        loop_.Post([&] { order.push_back(2); });
        loop_.Defer([&] {
            order.push_back(3);
            done.set_value();
        });
        order.push_back(1);
    });
    ASSERT_EQ(done.get_future().wait_for(10s), std::future_status::ready);
    EXPECT_THAT(order, ::testing::ElementsAre(1, 2, 3));
}

TEST_F(LoopTest, TimersFireOnceAndNeverEarly) {
    std::mt19937 random(20'261'122);
    std::vector<std::unique_ptr<Timer>> timers;
    std::atomic<int> fired = 0;
    std::atomic<int> early = 0;
    std::promise<void> all;
    constexpr int kTimers = 300;
    Run([&] {
        for (int i = 0; i < kTimers; ++i) {
            const auto time = std::chrono::milliseconds(random() % 300);
            const auto due = SystemClock().SteadyNow() + time;
            timers.push_back(std::make_unique<Timer>(loop_, [&, due] {
                if (SystemClock().SteadyNow() < due) ++early;
                if (++fired == kTimers) all.set_value();
            }));
            timers.back()->ExpiresAt(due);
        }
    });
    ASSERT_EQ(all.get_future().wait_for(10s), std::future_status::ready);
    EXPECT_EQ(early, 0);
    EXPECT_EQ(fired, kTimers);
    Run([&] { timers.clear(); });
}

TEST_F(LoopTest, ATimerCanBeMovedAndCancelled) {
    std::promise<SteadyInstant> late;
    std::promise<SteadyInstant> soon;
    bool cancelled_fired = false;
    std::unique_ptr<Timer> moved_later;
    std::unique_ptr<Timer> moved_sooner;
    std::unique_ptr<Timer> cancelled;
    const auto start = SystemClock().SteadyNow();
    Run([&] {
        moved_later =
            std::make_unique<Timer>(loop_, [&] { late.set_value(SystemClock().SteadyNow()); });
        moved_later->ExpiresAt(start + 30ms);
        moved_later->ExpiresAt(start + 150ms);
        moved_sooner =
            std::make_unique<Timer>(loop_, [&] { soon.set_value(SystemClock().SteadyNow()); });
        moved_sooner->ExpiresAt(start + 60s);
        moved_sooner->ExpiresAt(start + 30ms);
        cancelled = std::make_unique<Timer>(loop_, [&] { cancelled_fired = true; });
        cancelled->ExpiresAt(start + 40ms);
        cancelled->Cancel();
    });
    const auto soon_at = soon.get_future().get();
    EXPECT_GE(soon_at, start + 30ms);
    EXPECT_LT(soon_at, start + 10s);
    EXPECT_GE(late.get_future().get(), start + 150ms);
    Run([&] {
        EXPECT_FALSE(cancelled_fired);
        moved_later.reset();
        moved_sooner.reset();
        cancelled.reset();
    });
}

TEST_F(LoopTest, ACallbackMayDestroyOtherTimers) {
    std::vector<std::unique_ptr<Timer>> timers(10);
    std::promise<void> done;
    int fired = 0;
    Run([&] {
        const auto due = SystemClock().SteadyNow() + 20ms;
        for (auto& timer : timers) {
            timer = std::make_unique<Timer>(loop_, [&] {
                ++fired;
                for (auto& other : timers) other->Cancel();
                done.set_value();
            });
            timer->ExpiresAt(due);
        }
    });
    done.get_future().get();
    Run([&] {
        EXPECT_EQ(fired, 1);
        timers.clear();
    });
}

Task<int> Add(Loop& loop, int a, int b) {
    co_await loop.Sleep(20ms);
    co_return a + b;
}
Task<int> Fail() {
    throw std::runtime_error("expected");
    co_return 0;
}

TEST_F(LoopTest, TasksAwaitTasksAcrossLoops) {
    Loop other("other");
    other.Start();
    std::promise<int> sum;
    const auto work = [&]() -> Task<void> {
        const int first = co_await Add(loop_, 1, 2);
        EXPECT_TRUE(loop_.InLoop());
        co_await other.Switch();
        EXPECT_TRUE(other.InLoop());
        const int second = co_await Add(other, first, 10);
        co_await other.Yield();
        sum.set_value(second);
    };
    loop_.Post([&] { Spawn(work()); });
    EXPECT_EQ(sum.get_future().get(), 13);
    other.Stop();
}

TEST_F(LoopTest, AnExceptionArrivesWhereTheTaskIsAwaited) {
    std::promise<std::string> what;
    const auto work = [&]() -> Task<void> {
        std::string message;
        try {
            co_await Fail();
        } catch (const std::runtime_error& error) {
            message = error.what();
        }
        what.set_value(message);
    };
    loop_.Post([&] { Spawn(work()); });
    EXPECT_EQ(what.get_future().get(), "expected");
}

TEST_F(LoopTest, AnArrivalBringsAValueBeforeOrAfterTheWait) {
    std::promise<int> sum;
    Arrival<int> before;
    Arrival<int> after;
    const auto work = [&]() -> Task<void> {
        const int first = co_await before;
        const int second = co_await after;
        sum.set_value(first + second);
    };
    Run([&] {
        before.Set(1);
        Spawn(work());
        loop_.Defer([&] { after.Set(2); });
    });
    EXPECT_EQ(sum.get_future().get(), 3);
}

TEST(UniqueFunctionTest, OwnsWhatCannotBeCopied) {
    auto counter = std::make_shared<int>(0);
    {
        UniqueFunction<int(int)> small(
            [counter, own = std::make_unique<int>(5)](int add) { return ++*counter, *own + add; });
        std::array<char, 200> big{};
        UniqueFunction<int(int)> large([counter, big](int add) { return add + big[0]; });
        EXPECT_EQ(small(1), 6);
        UniqueFunction<int(int)> moved = std::move(small);
        EXPECT_FALSE(static_cast<bool>(small));
        EXPECT_EQ(moved(2), 7);
        moved = std::move(large);
        EXPECT_EQ(moved(3), 3);
        EXPECT_EQ(counter.use_count(), 2);
    }
    EXPECT_EQ(counter.use_count(), 1);
}

}  // namespace
}  // namespace kessai::net
