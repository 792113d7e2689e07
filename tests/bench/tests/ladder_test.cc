// Goal: the search ends at the highest rate that a stack holds, in few steps, and a rate counts
// only when nothing grew behind the payments. Method: searches against made-up stacks, and facts of
// a step spoiled in one way each.

#include "bench/ladder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kessai::bench {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Searches a stack that holds what `holds` says; gives the rates that were tried.
std::vector<double> Tried(RateSearch& search, const std::function<bool(double)>& holds) {
    std::vector<double> tried;
    while (const auto rate = search.Next()) {
        tried.push_back(*rate);
        search.Told(*rate, holds(*rate));
        if (tried.size() > 100) break;
    }
    return tried;
}

TEST(RateSearch, DoublesThenBisects) {
    RateSearch search({.first = 500});
    const auto tried = Tried(search, [](double rate) { return rate <= 6'300; });
    EXPECT_THAT(tried, ElementsAre(500, 1'000, 2'000, 4'000, 8'000, 6'000, 7'000, 6'500, 6'250));
    EXPECT_EQ(search.best(), 6'250);
    EXPECT_EQ(search.not_held(), 6'500);
}

TEST(RateSearch, EndsCloseToTheTruthWhateverItIs) {
    for (double capacity = 15; capacity < 90'000; capacity *= 1.37) {
        RateSearch search({.first = 500});
        const auto tried = Tried(search, [&](double rate) { return rate <= capacity; });
        EXPECT_LE(tried.size(), 16u) << capacity;
        EXPECT_LE(search.best(), capacity);
        EXPECT_GE(search.best(), capacity / 1.12) << capacity;
    }
}

TEST(RateSearch, GoesDownWhenTheFirstIsTooMuch) {
    RateSearch search({.first = 4'000});
    Tried(search, [](double rate) { return rate <= 700; });
    EXPECT_GE(search.best(), 650);
    EXPECT_LE(search.best(), 700);
}

TEST(RateSearch, StopsAtItsBounds) {
    RateSearch all({.first = 500, .max = 3'000});
    EXPECT_EQ(Tried(all, [](double) { return true; }).back(), 3'000);
    EXPECT_EQ(all.best(), 3'000);
    EXPECT_EQ(all.not_held(), 0);
    RateSearch none({.first = 500, .min = 100});
    EXPECT_EQ(Tried(none, [](double) { return false; }).back(), 100);
    EXPECT_EQ(none.best(), 0);
}

TEST(RateSearch, StartsNearAKnownRate) {
    RateSearch search({.first = 6'000, .growth = 1.2});
    const auto tried = Tried(search, [](double rate) { return rate <= 5'600; });
    EXPECT_THAT(tried, ElementsAre(6'000, 5'000, 5'500, 5'750));
    EXPECT_EQ(search.best(), 5'500);
}

TEST(RateSearch, ForgetsLuck) {
    RateSearch search({.first = 1'000});
    search.Told(1'000, true);
    search.Told(2'000, false);
    search.Told(900, false);  // a repeat of what had been held
    EXPECT_EQ(search.best(), 0);
    EXPECT_LT(*search.Next(), 900);
}

// Goal: a machine that is busy with something else is not searched down to nothing.
TEST(RateSearch, GivesUpWhenTheGeneratorIsLateAtALowerRateToo) {
    RateSearch search({.first = 4'000});
    search.Told(4'000, false, true);
    ASSERT_TRUE(search.Next().has_value());
    EXPECT_FALSE(search.hopeless());
    search.Told(2'000, false, true);
    EXPECT_TRUE(search.hopeless());
    EXPECT_EQ(search.Next(), std::nullopt);
    EXPECT_EQ(search.best(), 0);
}

TEST(RateSearch, GoesOnWhenTheGeneratorIsLateOnlyOnceOrAboveWhatIsHeld) {
    RateSearch once({.first = 4'000});
    once.Told(4'000, false, true);
    once.Told(2'000, false, false);
    once.Told(1'000, false, true);
    EXPECT_FALSE(once.hopeless());
    EXPECT_EQ(once.Next(), 500);
    RateSearch above({.first = 1'000});
    above.Told(1'000, true);
    above.Told(2'000, false, true);
    above.Told(1'500, false, true);
    EXPECT_FALSE(above.hopeless());
    EXPECT_EQ(above.Next(), 1'250);
}

TEST(Rounded, KeepsTwoDigitsAndAHalf) {
    EXPECT_EQ(Rounded(6'260), 6'250);
    EXPECT_EQ(Rounded(781), 780);
    EXPECT_EQ(Rounded(12'400), 12'500);
    EXPECT_EQ(Rounded(0), 0);
}

StepFacts Fine() {
    StepFacts step;
    step.rate = 1'000;
    step.measured_s = 75;
    step.window_s = 60;
    step.load.offered = 75'000;
    step.load.completed_in_time = 75'000;
    for (int i = 0; i < 1'000; ++i) step.load.pay_latency.Record(12ms);
    step.queues.push_back({"payment outbox", true, {.readings = 60, .max = 0.4, .growth = 0.02}});
    step.queues.push_back(
        {"payout payment.events.v1", false, {.readings = 60, .max = 900, .growth = 35}});
    return step;
}

std::string Why(const StepFacts& step) {
    std::string all;
    for (const auto& reason : WhyNotHeld(step, HoldingRules())) all += reason + "; ";
    return all;
}

TEST(Holding, IsGrantedWhenNothingGrows) {
    EXPECT_EQ(Why(Fine()), "");
    StepFacts shrinking = Fine();
    shrinking.queues[0].trend.growth = -5;
    shrinking.queues[1].trend.growth = -5'000;
    EXPECT_EQ(Why(shrinking), "");
    StepFacts few_failures = Fine();
    few_failures.load.pay_failures["TIMED_OUT"] = 75;  // one in a thousand
    EXPECT_EQ(Why(few_failures), "");
}

TEST(Holding, IsRefusedByName) {
    StepFacts step = Fine();
    step.load.completed_in_time = 74'000;
    EXPECT_THAT(Why(step), HasSubstr("987 of 1000 payments/s"));
    step = Fine();
    step.load.offered = 70'000;
    EXPECT_THAT(Why(step), HasSubstr("could be offered"));
    step = Fine();
    step.load.pay_failures = {{"CODE_EXPIRED", 20}, {"TIMED_OUT", 60}};
    EXPECT_THAT(Why(step), HasSubstr("80 payments failed, most by TIMED_OUT"));
    step = Fine();
    for (int i = 0; i < 30; ++i) step.load.pay_latency.Record(2s);
    EXPECT_THAT(Why(step), HasSubstr("p99"));
    step = Fine();
    for (int i = 0; i < 100; ++i) step.load.lateness.Record(80ms);
    EXPECT_THAT(Why(step), HasSubstr("load generator itself"));
    step = Fine();
    step.gave_up = true;
    EXPECT_THAT(Why(step), HasSubstr("given up early"));
}

TEST(Holding, IsRefusedWhenAQueueGrowsOrNobodyKnows) {
    StepFacts step = Fine();
    step.queues[0].trend.growth = 0.9;
    EXPECT_THAT(Why(step), HasSubstr("payment outbox aged by 0.9 s"));
    step = Fine();
    step.queues[1].trend.growth = 600;  // more than half a second's worth
    EXPECT_THAT(Why(step), HasSubstr("fell behind by 600 messages"));
    step = Fine();
    step.queues[1].trend.readings = 40;
    EXPECT_THAT(Why(step), HasSubstr("not read often enough"));
    step = Fine();
    step.queues.clear();
    EXPECT_THAT(Why(step), HasSubstr("no queue could be read"));
}

}  // namespace
}  // namespace kessai::bench
