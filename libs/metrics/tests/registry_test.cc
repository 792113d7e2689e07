#include "kessai/metrics/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace kessai::metrics {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A component's struct, as the header describes it.
struct Metrics {
    explicit Metrics(Registry& registry)
        : batches(
              registry.AddCounter({.name = "kessai_t_batches_total", .help = "Batches committed"})),
          depth(registry.AddGauge({.name = "kessai_t_queue_items", .help = "Commands waiting"})),
          refusals(registry.AddCounters(
              {.name = "kessai_t_refusals_total", .help = "Commands refused"},
              {{"kind", {"pay", "refund"}}, {"reason", {"CODE_EXPIRED", "BALANCE"}}})),
          commit(registry.AddHistogram(
              {.name = "kessai_t_commit_seconds", .help = "Time of a commit"}, kLatency)) {}

    Counter& batches;
    Gauge& depth;
    Counters refusals;
    Histogram& commit;
};

// Goal: what components count is what a scrape shows, in the text format.
TEST(RegistryTest, ExposesWhatWasCounted) {
    Registry registry;
    const Metrics metrics(registry);
    metrics.batches.Add();
    metrics.batches.Add(2);
    metrics.depth.Set(5);
    metrics.depth.Subtract(7);
    metrics.refusals.With({"pay", "BALANCE"}).Add();
    metrics.commit.Observe(milliseconds(3));
    metrics.commit.Observe(seconds(60));

    const std::string text = registry.Expose();
    EXPECT_THAT(text, HasSubstr("# HELP kessai_t_batches_total Batches committed\n"
                                "# TYPE kessai_t_batches_total counter\n"
                                "kessai_t_batches_total 3\n"));
    EXPECT_THAT(text, HasSubstr("kessai_t_queue_items -2\n"));
    EXPECT_THAT(text, HasSubstr("kessai_t_refusals_total{kind=\"pay\",reason=\"BALANCE\"} 1\n"));
    EXPECT_THAT(text,
                HasSubstr("kessai_t_refusals_total{kind=\"refund\",reason=\"CODE_EXPIRED\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("kessai_t_commit_seconds_count 2\n"));
    EXPECT_THAT(text, HasSubstr("kessai_t_commit_seconds_sum 60.003\n"));
    EXPECT_THAT(text, HasSubstr("kessai_t_commit_seconds_bucket{le=\"0.0025\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("kessai_t_commit_seconds_bucket{le=\"0.005\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("kessai_t_commit_seconds_bucket{le=\"10\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("kessai_t_commit_seconds_bucket{le=\"+Inf\"} 2\n"));
}

// Goal: the number of series is bounded whatever values arrive.
// Method: count under ten thousand names that were not declared.
TEST(RegistryTest, UndeclaredLabelValuesAreOther) {
    Registry registry;
    const Metrics metrics(registry);
    EXPECT_THAT(registry.Expose(), Not(HasSubstr("other")));
    for (int i = 0; i < 10'000; ++i) {
        metrics.refusals.With({"pay", "MADE_UP_" + std::to_string(i)}).Add();
    }
    metrics.refusals.With({"", "BALANCE"}).Add();
    const std::string text = registry.Expose();
    EXPECT_THAT(text, Not(HasSubstr("MADE_UP")));
    EXPECT_THAT(text, HasSubstr("{kind=\"pay\",reason=\"other\"} 10000\n"));
    EXPECT_THAT(text, HasSubstr("{kind=\"other\",reason=\"BALANCE\"} 1\n"));
}

// Goal: every combination of values has a child of its own.
TEST(RegistryTest, CombinationsDoNotCollide) {
    Registry registry;
    const auto counters =
        registry.AddCounters({.name = "kessai_t_x_total", .help = "x"},
                             {{"a", Numbers(3)}, {"b", Numbers(4)}, {"c", {"x", "y"}}});
    std::uint64_t number = 0;
    for (const char* a : {"0", "1", "2", "?"}) {
        for (const char* b : {"0", "1", "2", "3", "?"}) {
            for (const char* c : {"x", "y", "?"}) counters.With({a, b, c}).Add(++number);
        }
    }
    number = 0;
    for (const char* a : {"0", "1", "2", "?"}) {
        for (const char* b : {"0", "1", "2", "3", "?"}) {
            for (const char* c : {"x", "y", "?"}) {
                EXPECT_EQ(counters.With({a, b, c}).value(), ++number);
            }
        }
    }
    EXPECT_THAT(registry.Expose(), HasSubstr("kessai_t_x_total{a=\"2\",b=\"3\",c=\"y\"} 41\n"));
}

TEST(RegistryTest, ChildrenByPosition) {
    Registry registry;
    const auto gauges = registry.AddGauges({.name = "kessai_t_lag_messages", .help = "Lag"},
                                           {{"partition", Numbers(2)}});
    gauges.At(1).Set(7);
    gauges.At(99).Set(8);
    EXPECT_EQ(gauges.With("1").value(), 7);
    EXPECT_EQ(gauges.With("other").value(), 8);
}

// Goal: two instances of a component share a metric's name, told apart by a fixed label; the same
// instance declared again is the same metric.
TEST(RegistryTest, InstancesAreToldApartByAFixedLabel) {
    Registry registry;
    const auto add = [&](const char* pool) -> Counter& {
        return registry.AddCounter({.name = "kessai_t_opened_total",
                                    .help = "Connections opened",
                                    .labels = {{"pool", pool}}});
    };
    Counter& executor = add("executor");
    add("reader").Add(2);
    executor.Add();
    EXPECT_EQ(&add("executor"), &executor);
    const std::string text = registry.Expose();
    EXPECT_THAT(text, HasSubstr("kessai_t_opened_total{pool=\"executor\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("kessai_t_opened_total{pool=\"reader\"} 2\n"));
    EXPECT_EQ(text.find("# HELP"), text.rfind("# HELP"));
}

TEST(RegistryTest, GaugesOfTimeAreInSeconds) {
    Registry registry;
    auto& age = registry.AddGauge({.name = "kessai_t_age_seconds", .help = "Age"});
    age.Set(milliseconds(1'500));
    EXPECT_THAT(registry.Expose(), HasSubstr("kessai_t_age_seconds 1.5\n"));
}

// Goal: a callback is asked at each scrape while its guard lives, and never after.
TEST(RegistryTest, CallbacksEndWithTheirGuard) {
    Registry registry;
    int asked = 0;
    const Metric metric{.name = "kessai_t_depth_items", .help = "Depth"};
    {
        const auto guard = registry.AddCallbackGauge(metric, [&] { return ++asked + 0.5; });
        EXPECT_THAT(registry.Expose(), HasSubstr("kessai_t_depth_items 1.5\n"));
        EXPECT_THAT(registry.Expose(), HasSubstr("kessai_t_depth_items 2.5\n"));
    }
    EXPECT_THAT(registry.Expose(), Not(HasSubstr("kessai_t_depth_items")));
    EXPECT_EQ(asked, 2);
    const auto again = registry.AddCallbackGauge(metric, [] { return 9; });
    EXPECT_THAT(registry.Expose(), HasSubstr("kessai_t_depth_items 9\n"));
}

TEST(RegistryTest, AGuardMayOutliveTheRegistry) {
    auto registry = std::make_unique<Registry>();
    auto guard =
        registry->AddCallbackCounter({.name = "kessai_t_x_total", .help = "x"}, [] { return 1; });
    registry.reset();
    guard.reset();
}

// Goal: letting a guard go waits for a scrape that is using it.
// Method: scrape and let go at once, many times; the thread sanitizer and the reading of freed
// memory would tell.
TEST(RegistryTest, GuardsGoWhileScrapesRun) {
    Registry registry;
    registry.AddGauge({.name = "kessai_t_y_items", .help = "y"}).Set(1);
    std::atomic<int> scrapes{0};
    std::atomic<bool> ending{false};
    std::thread scraper([&] {
        while (!ending) {
            EXPECT_FALSE(registry.Expose().empty());
            ++scrapes;
        }
    });
    for (int i = 0; i < 500 || scrapes < 500; ++i) {
        auto value = std::make_unique<double>(i);
        const auto guard = registry.AddCallbackGauge({.name = "kessai_t_x_items", .help = "x"},
                                                     [&value] { return *value; });
    }
    ending = true;
    scraper.join();
}

// Goal: nothing is lost between threads.
TEST(RegistryTest, ThreadsCountTogether) {
    constexpr int kThreads = 4;
    constexpr int kEvents = 20'000;
    Registry registry;
    const Metrics metrics(registry);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < kEvents; ++i) {
                metrics.batches.Add();
                metrics.commit.Observe(Duration(i));
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(metrics.batches.value(), std::uint64_t{kThreads} * kEvents);
    EXPECT_EQ(metrics.commit.count(), std::uint64_t{kThreads} * kEvents);
    EXPECT_EQ(metrics.commit.sum(), std::int64_t{kThreads} * kEvents * (kEvents - 1) / 2);
}

TEST(RegistryTest, TimersObserveTheirLife) {
    Registry registry;
    auto& histogram = registry.AddHistogram({.name = "kessai_t_x_seconds", .help = "x"}, kLatency);
    ManualClock clock{Instant(seconds(0))};
    {
        const Timer timer(histogram, clock);
        clock.Advance(milliseconds(20));
    }
    EXPECT_EQ(histogram.sum(), 20'000);
}

TEST(RegistryTest, HistogramsOfCounts) {
    Registry registry;
    auto& sizes = registry.AddHistogram({.name = "kessai_t_batch_items", .help = "x"}, kCount);
    for (const std::size_t size : {1, 2, 3, 1'024, 5'000}) sizes.Observe(size);
    const std::string text = registry.Expose();
    EXPECT_THAT(text, HasSubstr("kessai_t_batch_items_bucket{le=\"2\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("kessai_t_batch_items_bucket{le=\"1024\"} 4\n"));
    EXPECT_THAT(text, HasSubstr("kessai_t_batch_items_sum 6030\n"));
}

TEST(RegistryTest, DeclarationsNameTypeAndLabels) {
    Registry registry;
    const Metrics metrics(registry);
    const auto declared = registry.Declarations();
    ASSERT_EQ(declared.size(), 4u);
    EXPECT_EQ(declared[3].name, "kessai_t_refusals_total");
    EXPECT_EQ(declared[3].type, "counter");
    EXPECT_EQ(declared[3].help, "Commands refused");
    EXPECT_THAT(declared[3].labels, ElementsAre("kind", "reason"));
}

TEST(RegistryDeathTest, MistakesOfDeclarationStopTheProcess) {
    Registry registry;
    registry.AddCounter({.name = "kessai_t_x_total", .help = "x"});
    EXPECT_DEATH(registry.AddCounter({.name = "kessai_t_x_total", .help = "y"}), "in another way");
    EXPECT_DEATH(registry.AddCounter({.name = "kessai_t_x", .help = "x"}), "end in _total");
    EXPECT_DEATH(registry.AddGauge({.name = "kessai_t_y_total", .help = "x"}), "end in _total");
    EXPECT_DEATH(registry.AddGauge({.name = "Kessai", .help = "x"}), "not a metric's name");
    EXPECT_DEATH(registry.AddGauges({.name = "kessai_t_y", .help = "x"}, {{"a", Numbers(1'001)}}),
                 "too many label values");
    EXPECT_DEATH(registry.AddGauges({.name = "kessai_t_y", .help = "x"}, {{"a", {}}, {"a", {}}}),
                 "a label is repeated");
}

}  // namespace
}  // namespace kessai::metrics
