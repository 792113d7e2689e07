#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <type_traits>
#include <vector>

#include "kessai/ids/id_generator.h"
#include "kessai/ids/strong_id.h"

namespace kessai {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

const Instant kStart = Instant(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22));

TEST(IdGeneratorTest, CarriesTimeAndWorker) {
    ManualClock clock(kStart);
    IdGenerator ids(513, clock);
    const std::int64_t id = ids.Next();
    EXPECT_EQ(IdGenerator::TimeOf(id), kStart);
    EXPECT_EQ(IdGenerator::WorkerOf(id), 513);
    EXPECT_LE(IdGenerator::LowestAt(kStart), id);
    EXPECT_GT(IdGenerator::LowestAt(kStart + milliseconds(1)), id);
}

// Goal: ids rise whatever the clock does.
// Method: use a millisecond up, then turn the clock back an hour.
TEST(IdGeneratorTest, RisesThoughTheClockGoesBack) {
    ManualClock clock(kStart);
    IdGenerator ids(1, clock);
    std::int64_t last = 0;
    for (int i = 0; i < 10'000; ++i) {
        if (i == 5'000) clock.Set(kStart - hours(1));
        const std::int64_t id = ids.Next();
        ASSERT_GT(id, last);
        last = id;
    }
}

// Goal: an event's id is larger than those of the same object's earlier events, made elsewhere by a
// replica whose clock is ahead.
TEST(IdGeneratorTest, ExceedsWhatItObserved) {
    ManualClock ahead(kStart + seconds(90));
    ManualClock behind(kStart);
    IdGenerator there(1023, ahead);
    IdGenerator here(0, behind);
    const std::int64_t seen = there.Next();
    here.Observe(seen);
    EXPECT_GT(here.Next(), seen);
    here.Observe(5);  // An old id changes nothing.
    EXPECT_GT(here.Next(), seen);
}

// Goal: a process that takes over a worker number repeats none of its ids, its clock being behind.
TEST(IdGeneratorTest, TakesOverAfterThePredecessorsHighestTime) {
    ManualClock clock(kStart);
    IdGenerator predecessor(7, clock);
    std::int64_t last = 0;
    for (int i = 0; i < 9'000; ++i) last = predecessor.Next();
    ManualClock behind(kStart - hours(2));
    IdGenerator successor(7, behind, predecessor.highest_ms());
    EXPECT_GT(successor.Next(), last);
}

TEST(IdGeneratorTest, IsUniqueOverThreads) {
    IdGenerator ids(3, SystemClock());
    std::vector<std::vector<std::int64_t>> made(4);
    std::vector<std::thread> threads;
    for (auto& mine : made) {
        threads.emplace_back([&ids, &mine] {
            for (int i = 0; i < 20'000; ++i) mine.push_back(ids.Next());
        });
    }
    for (auto& thread : threads) thread.join();
    std::set<std::int64_t> all;
    for (const auto& mine : made) all.insert(mine.begin(), mine.end());
    EXPECT_EQ(all.size(), 80'000u);
}

TEST(StrongIdTest, KindsDoNotMix) {
    using PaymentId = StrongId<struct PaymentIdTag>;
    using MerchantId = StrongId<struct MerchantIdTag>;
    static_assert(!std::is_convertible_v<PaymentId, MerchantId>);
    static_assert(!std::is_convertible_v<std::int64_t, PaymentId>);
    EXPECT_TRUE(PaymentId().is_none());
    EXPECT_LT(PaymentId(1), PaymentId(2));
}

}  // namespace
}  // namespace kessai
