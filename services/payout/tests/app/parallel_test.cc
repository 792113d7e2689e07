#include "app/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace kessai::payout::app {
namespace {

// Goal: every item is worked on once, whatever the number of threads.
TEST(RunInParallelTest, EveryItemOnce) {
    for (const int threads : {1, 2, 7}) {
        for (const int count : {0, 1, 5, 1'000}) {
            std::vector<std::atomic<int>> done(static_cast<std::size_t>(count));
            EXPECT_TRUE(RunInParallel(count, threads, [&](int item, int thread) {
                            EXPECT_LT(thread, threads);
                            ++done[static_cast<std::size_t>(item)];
                            return OkStatus();
                        }).ok());
            for (const auto& times : done) ASSERT_EQ(times, 1);
        }
    }
}

TEST(RunInParallelTest, RefusalEndsItAndIsReturned) {
    std::atomic<int> begun{0};
    const Status status = RunInParallel(1'000'000, 3, [&](int item, int) {
        ++begun;
        return item == 10 ? Status(Code::kUnavailable, "GONE", "") : OkStatus();
    });
    EXPECT_EQ(status.reason(), "GONE");
    EXPECT_LT(begun, 1'000'000);
}

}  // namespace
}  // namespace kessai::payout::app
