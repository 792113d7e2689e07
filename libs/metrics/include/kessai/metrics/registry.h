#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kessai/time/clock.h"

/// Metrics, declared once as a struct for each component:
///
///     struct Metrics {
///         explicit Metrics(metrics::Registry& registry)
///             : batches(registry.AddCounter({.name = "kessai_payment_batches_total",
///                                            .help = "Batches committed"})),
///               refusals(registry.AddCounters(
///                   {.name = "kessai_payment_refusals_total", .help = "Commands refused"},
///                   {{"reason", {"CODE_EXPIRED", "BALANCE_INSUFFICIENT"}}})),
///               commit(registry.AddHistogram({.name = "kessai_payment_commit_seconds",
///                                             .help = "Time of a commit"},
///                                            metrics::kLatency)) {}
///         metrics::Counter& batches;
///         metrics::Counters refusals;
///         metrics::Histogram& commit;
///     };
///
/// An event costs one or three relaxed atomic additions. Label values are a closed list; any other
/// counts as "other". Storage is ours because prometheus-cpp's histogram takes a mutex for every
/// observation; its data model and text format are what a scrape goes through.
///
/// Every name is also in docs/metrics.yaml, and a test compares (schema.h). Names are
/// kessai_<component>_<what>_<unit>; counters end in _total; units are the base ones: seconds,
/// bytes, ratio.
namespace kessai::metrics {

/// What a scrape says of a metric.
struct Metric {
    std::string_view name;
    std::string_view help;
    /// Labels with a fixed value, to tell two instances of one component apart
    /// ({{"pool", "executor"}}).
    std::vector<std::pair<std::string, std::string>> labels = {};
};

/// A label and all values it is known to take.
struct Label {
    std::string name;
    std::vector<std::string> values;
};

/// "0", "1", … for a label that is a small number.
std::vector<std::string> Numbers(int count);

/// Only grows. Thread safe.
class Counter {
 public:
    void Add(std::uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
    std::atomic<std::uint64_t> value_{0};
};

/// Goes up and down. Thread safe.
class Gauge {
 public:
    void Set(std::integral auto value) {
        value_.store(static_cast<std::int64_t>(value), std::memory_order_relaxed);
    }
    void Add(std::int64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
    void Subtract(std::int64_t by = 1) { value_.fetch_sub(by, std::memory_order_relaxed); }
    /// For gauges in seconds: kept in microseconds, shown in seconds. One gauge is used in one way.
    template <class Rep, class Period>
    void Set(std::chrono::duration<Rep, Period> value) {
        in_micros_.store(true, std::memory_order_relaxed);
        Set(std::chrono::duration_cast<Duration>(value).count());
    }
    /// As shown.
    double value() const {
        const auto raw = static_cast<double>(value_.load(std::memory_order_relaxed));
        return in_micros_.load(std::memory_order_relaxed) ? raw / 1e6 : raw;
    }

 private:
    std::atomic<std::int64_t> value_{0};
    std::atomic<bool> in_micros_{false};
};

/// The upper bounds of a histogram's buckets, rising; what is above the last is counted too.
struct Buckets {
    /// Whether observations are durations (bounds in microseconds, shown in seconds).
    bool of_time = false;
    std::span<const std::int64_t> bounds;
};

inline constexpr std::int64_t kLatencyBoundsUs[] = {
    100,    250,    500,     1'000,   2'500,   5'000,     7'500,     10'000,    15'000,    25'000,
    50'000, 75'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000};
inline constexpr std::int64_t kLongTimeBoundsUs[] = {
    10'000,     100'000,     500'000,     1'000'000,     5'000'000,     15'000'000,
    60'000'000, 300'000'000, 900'000'000, 3'600'000'000, 14'400'000'000};
inline constexpr std::int64_t kCountBounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1'024};
inline constexpr std::int64_t kSizeBounds[] = {256,    1'024,   4'096,     16'384,
                                               65'536, 262'144, 1'048'576, 4'194'304};

/// Requests, statements, commits: 0.1 ms to 10 s.
inline constexpr Buckets kLatency{true, kLatencyBoundsUs};
/// Jobs: 10 ms to 4 h.
inline constexpr Buckets kLongTime{true, kLongTimeBoundsUs};
/// Items in a batch: powers of two to 1,024.
inline constexpr Buckets kCount{false, kCountBounds};
/// Bytes: 256 to 4 Mi.
inline constexpr Buckets kSize{false, kSizeBounds};

/// How observations are spread. Thread safe.
class Histogram {
 public:
    explicit Histogram(Buckets buckets);

    void Observe(std::integral auto value) { ObserveRaw(static_cast<std::int64_t>(value)); }
    template <class Rep, class Period>
    void Observe(std::chrono::duration<Rep, Period> value) {
        ObserveRaw(std::chrono::duration_cast<Duration>(value).count());
    }

    const Buckets& buckets() const { return buckets_; }
    /// Of bucket `i`; the last one, bounds.size(), is what is above all bounds. Not cumulative.
    std::uint64_t count_in(std::size_t i) const {
        return counts_[i].load(std::memory_order_relaxed);
    }
    std::uint64_t count() const;
    /// In the unit of the observations: microseconds for time.
    std::int64_t sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
    void ObserveRaw(std::int64_t value) {
        std::size_t i = 0;
        while (i < buckets_.bounds.size() && value > buckets_.bounds[i]) ++i;
        counts_[i].fetch_add(1, std::memory_order_relaxed);
        sum_.fetch_add(value, std::memory_order_relaxed);
    }

    const Buckets buckets_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
    std::atomic<std::int64_t> sum_{0};
};

/// Observes the time from its making to its end.
class Timer {
 public:
    explicit Timer(Histogram& histogram, const Clock& clock = SystemClock())
        : histogram_(histogram), clock_(clock), start_(clock.SteadyNow()) {}
    ~Timer() { histogram_.Observe(clock_.SteadyNow() - start_); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

 private:
    Histogram& histogram_;
    const Clock& clock_;
    const SteadyInstant start_;
};

namespace internal {
/// The children of one metric over its labels; position is mixed-radix over (values + "other").
class LabelSpace {
 public:
    explicit LabelSpace(std::vector<Label> labels);
    /// The position of these values; unknown ones are "other".
    std::size_t Find(std::initializer_list<std::string_view> values) const;
    std::size_t size() const { return size_; }
    const std::vector<Label>& labels() const { return labels_; }
    /// The values at a position, with their names.
    std::vector<std::pair<std::string, std::string>> At(std::size_t position) const;
    /// Whether "other" is among the values at a position.
    bool HasOther(std::size_t position) const;

 private:
    std::vector<Label> labels_;
    std::size_t size_ = 1;
};
}  // namespace internal

/// One metric with labels; a handle, cheap to copy, good as long as its registry. Look children up
/// once where it is hot: `With` compares texts.
template <class T>
class Labelled {
 public:
    Labelled() = default;
    Labelled(const internal::LabelSpace* space, std::span<std::unique_ptr<T>> children)
        : space_(space), children_(children) {}

    /// By value, in the order of the labels.
    T& With(std::initializer_list<std::string_view> values) const {
        return *children_[space_->Find(values)];
    }
    T& With(std::string_view value) const { return With({value}); }
    /// By position in the list of values of the only label: for enums and partitions. A position
    /// past the list is "other".
    T& At(std::size_t position) const {
        return *children_[position < children_.size() ? position : children_.size() - 1];
    }

 private:
    const internal::LabelSpace* space_ = nullptr;
    std::span<std::unique_ptr<T>> children_;
};

using Counters = Labelled<Counter>;
using Gauges = Labelled<Gauge>;
using Histograms = Labelled<Histogram>;

/// What was declared, for the comparison with the schema file.
struct Declared {
    std::string name;
    /// "counter", "gauge" or "histogram".
    std::string type;
    std::string help;
    /// Names, sorted.
    std::vector<std::string> labels;
};

/// All metrics of a process. Declaring the same name, type and labels again gives the same metric;
/// the same name with anything else stops the process. Thread safe. What it returns lives as long
/// as it does.
class Registry {
 public:
    Registry();
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    Counter& AddCounter(const Metric& metric);
    Gauge& AddGauge(const Metric& metric);
    Histogram& AddHistogram(const Metric& metric, Buckets buckets);
    /// At most 1,000 combinations of values, "other" included.
    Counters AddCounters(const Metric& metric, std::vector<Label> labels);
    Gauges AddGauges(const Metric& metric, std::vector<Label> labels);
    Histograms AddHistograms(const Metric& metric, std::vector<Label> labels, Buckets buckets);

    /// A value that is read at each scrape; `read` must be quick, thread safe, and live until the
    /// returned guard goes.
    [[nodiscard]] std::shared_ptr<void> AddCallbackGauge(const Metric& metric,
                                                         std::function<double()> read);
    [[nodiscard]] std::shared_ptr<void> AddCallbackCounter(const Metric& metric,
                                                           std::function<double()> read);

    /// The Prometheus text format, version 0.0.4.
    std::string Expose() const;
    std::vector<Declared> Declarations() const;

 private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace kessai::metrics
