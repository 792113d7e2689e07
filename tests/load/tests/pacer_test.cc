// Goal: starts come at their intended moments, evenly, and one that is late keeps the moment it was
// meant for, so that a stall of ours or of the server shows in the latency instead of hiding in it.
// Method: the schedule's arithmetic alone; then a real loop, undisturbed and held up on purpose.

#include "load/pacer.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

#include "kessai/time/clock.h"

namespace kessai::load {
namespace {

using namespace std::chrono_literals;

TEST(Schedule, IsEvenAndDoesNotDrift) {
    const SteadyInstant first{5s};
    const Schedule schedule(first, 3'000);  // no whole number of nanoseconds apart
    EXPECT_EQ(schedule.At(0), first);
    EXPECT_EQ(schedule.At(3'000), first + 1s);
    EXPECT_EQ(schedule.At(3'000 * 3'600), first + 1h);
    EXPECT_EQ(schedule.At(1) - schedule.At(0), 333'333ns);
}

TEST(Schedule, CountsWhatIsDue) {
    const SteadyInstant first{5s};
    for (const double rate : {0.5, 1.0, 777.0, 12'345.6}) {
        const Schedule schedule(first, rate);
        EXPECT_EQ(schedule.DueBy(first - 1ns), 0u);
        EXPECT_EQ(schedule.DueBy(first), 1u);
        for (const std::uint64_t n : {1u, 2u, 99u, 100'000u}) {
            EXPECT_EQ(schedule.DueBy(schedule.At(n)), n + 1) << rate;
            EXPECT_EQ(schedule.DueBy(schedule.At(n) - 1ns), n) << rate;
        }
    }
}

class PacerTest : public ::testing::Test {
 protected:
    struct Call {
        int lane;
        std::uint64_t n;
        SteadyInstant intended;
        SteadyInstant called;
    };

    PacerTest() { loop_.Start(); }
    ~PacerTest() override { loop_.Stop(); }

    /// Runs lanes (rate, count) that begin together, and gives every call in order. `during` is
    /// called with each.
    std::vector<Call> Run(std::vector<std::pair<double, std::uint64_t>> lanes,
                          std::function<void(const Call&)> during = {}) {
        std::vector<Call> calls;
        std::promise<void> done;
        std::unique_ptr<Pacer> pacer;
        loop_.Post([&] {
            pacer = std::make_unique<Pacer>(loop_);
            const SteadyInstant first = SystemClock().SteadyNow() + 5ms;
            for (int lane = 0; lane < static_cast<int>(lanes.size()); ++lane) {
                const auto [rate, count] = lanes[static_cast<std::size_t>(lane)];
                pacer->Add(Schedule(first, rate), count,
                           [&, lane](std::uint64_t n, SteadyInstant intended) {
                               calls.push_back({lane, n, intended, SystemClock().SteadyNow()});
                               if (during) during(calls.back());
                           });
            }
            pacer->Start([&] { done.set_value(); });
        });
        EXPECT_EQ(done.get_future().wait_for(20s), std::future_status::ready);
        std::promise<void> gone;
        loop_.Post([&] {
            lateness_ = pacer->lateness();
            pacer.reset();
            gone.set_value();
        });
        gone.get_future().get();
        return calls;
    }

    net::Loop loop_{"pacer"};
    Histogram lateness_;
};

TEST_F(PacerTest, CallsAtItsMomentsAndNeverBefore) {
    const auto calls = Run({{2'000, 1'000}});
    ASSERT_EQ(calls.size(), 1'000u);
    for (std::size_t i = 0; i < calls.size(); ++i) {
        EXPECT_EQ(calls[i].n, i);
        EXPECT_GE(calls[i].called, calls[i].intended);
    }
    EXPECT_EQ(calls.back().intended - calls.front().intended, 499'500us);
    EXPECT_EQ(lateness_.count(), 1'000u);
    // Others use this machine too: half of all must be in time, not the worst.
    EXPECT_LT(lateness_.Percentile(50), 1ms);
}

TEST_F(PacerTest, InterleavesItsLanes) {
    const auto calls = Run({{1'000, 200}, {500, 100}});
    ASSERT_EQ(calls.size(), 300u);
    for (std::size_t i = 1; i < calls.size(); ++i) {
        EXPECT_LE(calls[i - 1].intended, calls[i].intended);
    }
}

TEST_F(PacerTest, AStallIsMadeUpForInPortionsAndKeepsIntendedMoments) {
    bool answered_in_between = false;
    std::uint64_t made_up = 0;
    const auto calls = Run({{4'000, 1'000}}, [&](const Call& call) {
        if (call.n == 100) {
            // What a server's answer would be: work for the loop that came during the stall.
            loop_.Post([&] { answered_in_between = made_up < 250; });
            const SteadyInstant until = SystemClock().SteadyNow() + 100ms;
            while (SystemClock().SteadyNow() < until) {
            }
        }
        if (call.n > 100) ++made_up;
    });
    ASSERT_EQ(calls.size(), 1'000u);
    EXPECT_TRUE(answered_in_between);
    // The one after the stall was meant for 250 µs after the one before, and was called 100 ms
    // late.
    EXPECT_EQ(calls[101].intended - calls[100].intended, 250us);
    EXPECT_GE(calls[101].called - calls[101].intended, 99ms);
    EXPECT_GE(lateness_.Percentile(100), 99ms);
}

TEST_F(PacerTest, StopEndsIt) {
    std::promise<std::uint64_t> stopped_at;
    std::uint64_t calls = 0;
    std::unique_ptr<Pacer> pacer;
    loop_.Post([&] {
        pacer = std::make_unique<Pacer>(loop_);
        pacer->Add(Schedule(SystemClock().SteadyNow(), 1'000), 1'000'000,
                   [&](std::uint64_t, SteadyInstant) {
                       if (++calls == 10) {
                           pacer->Stop();
                           stopped_at.set_value(calls);
                       }
                   });
        pacer->Start([] { ADD_FAILURE() << "it was stopped, not done"; });
    });
    EXPECT_EQ(stopped_at.get_future().get(), 10u);
    std::promise<void> gone;
    loop_.Post([&] {
        pacer.reset();
        gone.set_value();
    });
    gone.get_future().get();
    EXPECT_EQ(calls, 10u);
}

}  // namespace
}  // namespace kessai::load
