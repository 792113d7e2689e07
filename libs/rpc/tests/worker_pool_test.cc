// Goal: what a pool accepts is run once, what it can't hold is refused at once, and stopping loses
// nothing.
// Method: fill it with work that waits for the test; then many threads at once.
#include "kessai/rpc/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <thread>

namespace kessai::rpc {
namespace {

TEST(WorkerPoolTest, RunsRefusesAndCounts) {
    WorkerPool pool({.name = "small", .threads = 2, .queue_max = 2});
    std::latch begun(2);
    std::latch release(1);
    std::atomic<int> done = 0;
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(pool.Submit([&, owned = std::make_unique<int>(1)] {
                            begun.count_down();
                            release.wait();
                            done += *owned;
                        })
                        .ok());
    }
    begun.wait();
    EXPECT_TRUE(pool.Submit([&] { ++done; }).ok());
    EXPECT_TRUE(pool.Submit([&] { ++done; }).ok());
    const Status refused = pool.Submit([&] { done += 100; });
    EXPECT_EQ(refused.code(), Code::kResourceExhausted);
    EXPECT_EQ(refused.reason(), reason::kQueueFull);
    EXPECT_EQ(pool.counts().queued, 2U);
    EXPECT_EQ(pool.counts().running, 2U);
    EXPECT_EQ(pool.counts().refused, 1U);

    release.count_down();
    pool.Stop();
    EXPECT_EQ(done, 4);
    EXPECT_EQ(pool.counts().queued, 0U);
    EXPECT_EQ(pool.Submit([&] { ++done; }).reason(), reason::kDraining);
    EXPECT_EQ(done, 4);
}

TEST(WorkerPoolTest, EveryAcceptedTaskRunsOnceWhileItIsBeingStopped) {
    for (int round = 0; round < 20; ++round) {
        WorkerPool pool({.name = "busy", .threads = 3, .queue_max = 50});
        std::atomic<int> accepted = 0;
        std::atomic<int> run = 0;
        std::vector<std::thread> submitters;
        for (int t = 0; t < 3; ++t) {
            submitters.emplace_back([&] {
                for (int i = 0; i < 2'000; ++i) {
                    if (pool.Submit([&run] { ++run; }).ok()) ++accepted;
                }
            });
        }
        pool.Stop();
        for (std::thread& submitter : submitters) submitter.join();
        EXPECT_EQ(run, accepted);
    }
}

}  // namespace
}  // namespace kessai::rpc
