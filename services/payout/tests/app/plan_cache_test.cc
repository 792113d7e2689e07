#include "app/plan_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <stop_token>
#include <thread>

namespace kessai::payout::app {
namespace {

using namespace std::chrono_literals;

/// Two threads that read, each of which leaves only when the other has come in: as in a recount,
/// there is always one that reads. Where the other cannot come in, it leaves after a while.
class EndlessReaders {
 public:
    explicit EndlessReaders(const PlanCache& plans) : plans_(plans) {
        for (std::size_t i = 0; i < threads_.size(); ++i) {
            threads_[i] = std::jthread([this, i](const std::stop_token& stop) { Loop(i, stop); });
        }
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return entered_[0] > 1 && entered_[1] > 1; });
    }

 private:
    void Loop(std::size_t me, const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            plans_.Read([&](const domain::PlanBook&) {
                std::unique_lock lock(mutex_);
                ++entered_[me];
                changed_.notify_all();
                const int others = entered_[1 - me];
                changed_.wait_for(lock, 200ms, [&] { return entered_[1 - me] != others; });
                return 0;
            });
        }
    }

    const PlanCache& plans_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::array<int, 2> entered_{};
    std::array<std::jthread, 2> threads_;
};

// Goal: whoever accrues gets new plans however busy those are who only read them.
// Method: readers that never all leave by themselves; an addition beside them, under a deadline.
TEST(PlanCacheTest, AdditionIsNotKeptOutByReaders) {
    PlanCache plans;
    std::mutex mutex;
    std::condition_variable changed;
    bool added = false;
    std::jthread adder;
    {
        EndlessReaders readers(plans);
        adder = std::jthread([&] {
            plans.Add({.revision = 7, .plans = {}, .assignments = {}, .volumes = {}});
            const std::lock_guard lock(mutex);
            added = true;
            changed.notify_all();
        });
        std::unique_lock lock(mutex);
        EXPECT_TRUE(changed.wait_for(lock, 5s, [&] { return added; }));
    }
    adder.join();
    EXPECT_EQ(plans.revision(), 7);
}

}  // namespace
}  // namespace kessai::payout::app
