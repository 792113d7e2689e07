#include "kessai/metrics/registry.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>

#include "kessai/result/check.h"

namespace kessai::metrics {
namespace {

constexpr std::size_t kChildrenMax = 1'000;
constexpr std::string_view kOther = "other";
constexpr double kMicros = 1e6;

using FixedLabels = std::vector<std::pair<std::string, std::string>>;

enum class Kind { kCounter, kGauge, kHistogram };

constexpr std::string_view kKindNames[] = {"counter", "gauge", "histogram"};

bool IsName(std::string_view name) {
    if (name.empty() || name.front() == '_' || (name.front() >= '0' && name.front() <= '9')) {
        return false;
    }
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

void CheckName(std::string_view name, Kind kind) {
    const std::string text(name);
    KESSAI_CHECK(IsName(name), "not a metric's name: " + text);
    KESSAI_CHECK(name.ends_with("_total") == (kind == Kind::kCounter),
                 "counters, and they alone, end in _total: " + text);
}

/// Children with one set of fixed labels.
struct Group {
    FixedLabels fixed;
    std::unique_ptr<internal::LabelSpace> space;
    // One of the three is used.
    std::vector<std::unique_ptr<Counter>> counters;
    std::vector<std::unique_ptr<Gauge>> gauges;
    std::vector<std::unique_ptr<Histogram>> histograms;
    /// In place of children, while its owner wants it.
    std::function<double()> read;
};

struct Family {
    Kind kind = Kind::kCounter;
    std::string help;
    std::vector<std::string> label_names;
    std::vector<std::unique_ptr<Group>> groups;
};

prometheus::ClientMetric Sample(const FixedLabels& fixed) {
    prometheus::ClientMetric sample;
    for (const auto& [name, value] : fixed) sample.label.push_back({name, value});
    return sample;
}

void Fill(prometheus::ClientMetric& sample, const Counter& counter) {
    sample.counter.value = static_cast<double>(counter.value());
}
void Fill(prometheus::ClientMetric& sample, const Gauge& gauge) {
    sample.gauge.value = gauge.value();
}
void Fill(prometheus::ClientMetric& sample, const Histogram& histogram) {
    const Buckets& buckets = histogram.buckets();
    const double scale = buckets.of_time ? kMicros : 1;
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i <= buckets.bounds.size(); ++i) {
        cumulative += histogram.count_in(i);
        const double bound = i < buckets.bounds.size()
                                 ? static_cast<double>(buckets.bounds[i]) / scale
                                 : std::numeric_limits<double>::infinity();
        sample.histogram.bucket.push_back({cumulative, bound});
    }
    sample.histogram.sample_count = cumulative;
    sample.histogram.sample_sum = static_cast<double>(histogram.sum()) / scale;
}

bool IsUntouched(const Counter& counter) {
    return counter.value() == 0;
}
bool IsUntouched(const Gauge& gauge) {
    return gauge.value() == 0;
}
bool IsUntouched(const Histogram& histogram) {
    return histogram.count() == 0;
}

template <class T>
void Collect(const Group& group, const std::vector<std::unique_ptr<T>>& children,
             std::vector<prometheus::ClientMetric>& samples) {
    for (std::size_t i = 0; i < children.size(); ++i) {
        // Known values show from the start, so that rates have a zero to begin at.
        if (group.space->HasOther(i) && IsUntouched(*children[i])) continue;
        prometheus::ClientMetric sample = Sample(group.fixed);
        for (auto& [name, value] : group.space->At(i)) {
            sample.label.push_back({std::move(name), std::move(value)});
        }
        Fill(sample, *children[i]);
        samples.push_back(std::move(sample));
    }
}

prometheus::MetricType TypeOf(Kind kind) {
    switch (kind) {
        case Kind::kCounter:
            return prometheus::MetricType::Counter;
        case Kind::kGauge:
            return prometheus::MetricType::Gauge;
        case Kind::kHistogram:
            return prometheus::MetricType::Histogram;
    }
    return prometheus::MetricType::Untyped;
}

}  // namespace

namespace internal {

LabelSpace::LabelSpace(std::vector<Label> labels) : labels_(std::move(labels)) {
    for (const Label& label : labels_) {
        KESSAI_CHECK(IsName(label.name), "not a label's name: " + label.name);
        size_ *= label.values.size() + 1;
        KESSAI_CHECK(size_ <= kChildrenMax, "too many label values: " + label.name);
    }
}

std::size_t LabelSpace::Find(std::initializer_list<std::string_view> values) const {
    KESSAI_CHECK(values.size() == labels_.size(), "one value a label");
    std::size_t position = 0;
    const std::string_view* value = values.begin();
    for (const Label& label : labels_) {
        const auto known = std::find(label.values.begin(), label.values.end(), *value++);
        position = position * (label.values.size() + 1) +
                   static_cast<std::size_t>(known - label.values.begin());
    }
    return position;
}

std::vector<std::pair<std::string, std::string>> LabelSpace::At(std::size_t position) const {
    std::vector<std::pair<std::string, std::string>> values(labels_.size());
    for (std::size_t i = labels_.size(); i-- > 0;) {
        const Label& label = labels_[i];
        const std::size_t digit = position % (label.values.size() + 1);
        position /= label.values.size() + 1;
        values[i] = {label.name,
                     digit < label.values.size() ? label.values[digit] : std::string(kOther)};
    }
    return values;
}

bool LabelSpace::HasOther(std::size_t position) const {
    for (std::size_t i = labels_.size(); i-- > 0;) {
        const std::size_t radix = labels_[i].values.size() + 1;
        if (position % radix == radix - 1) return true;
        position /= radix;
    }
    return false;
}

}  // namespace internal

std::vector<std::string> Numbers(int count) {
    std::vector<std::string> numbers;
    for (int i = 0; i < count; ++i) numbers.push_back(std::to_string(i));
    return numbers;
}

Histogram::Histogram(Buckets buckets)
    : buckets_(buckets),
      counts_(std::make_unique<std::atomic<std::uint64_t>[]>(buckets.bounds.size() + 1)) {
    KESSAI_CHECK(std::is_sorted(buckets.bounds.begin(), buckets.bounds.end()),
                 "a histogram's bounds rise");
}

std::uint64_t Histogram::count() const {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i <= buckets_.bounds.size(); ++i) total += count_in(i);
    return total;
}

struct Registry::State {
    mutable std::mutex mutex;
    std::map<std::string, Family, std::less<>> families;

    /// The group of `metric`, made if it is not there yet. `mutex` is held.
    Group& GroupOf(const Metric& metric, Kind kind, std::vector<Label> labels) {
        CheckName(metric.name, kind);
        std::vector<std::string> names;
        for (const auto& [name, value] : metric.labels) names.push_back(name);
        for (const Label& label : labels) names.push_back(label.name);
        std::sort(names.begin(), names.end());
        KESSAI_CHECK(std::adjacent_find(names.begin(), names.end()) == names.end(),
                     "a label is repeated in " + std::string(metric.name));

        auto [place, is_new] = families.try_emplace(std::string(metric.name));
        Family& family = place->second;
        if (is_new) {
            family.kind = kind;
            family.help = metric.help;
            family.label_names = names;
        }
        KESSAI_CHECK(
            family.kind == kind && family.help == metric.help && family.label_names == names,
            "metric declared again in another way: " + std::string(metric.name));
        for (const auto& group : family.groups) {
            if (group->fixed == metric.labels) return *group;
        }
        auto group = std::make_unique<Group>();
        group->fixed = metric.labels;
        group->space = std::make_unique<internal::LabelSpace>(std::move(labels));
        family.groups.push_back(std::move(group));
        return *family.groups.back();
    }

    template <class T, class Make>
    Labelled<T> Children(Group& group, std::vector<std::unique_ptr<T>>& children, Make make) {
        if (children.empty()) {
            for (std::size_t i = 0; i < group.space->size(); ++i) children.push_back(make());
        }
        return Labelled<T>(group.space.get(), children);
    }

    static std::shared_ptr<void> AddCallback(const std::shared_ptr<State>& state,
                                             const Metric& metric, Kind kind,
                                             std::function<double()> read) {
        const std::lock_guard lock(state->mutex);
        Group& group = state->GroupOf(metric, kind, {});
        KESSAI_CHECK(!group.read && group.counters.empty() && group.gauges.empty(),
                     "metric declared twice: " + std::string(metric.name));
        group.read = std::move(read);
        // Letting go waits for a scrape that is reading, and outlives the registry if it must.
        return {&group, [state](Group* gone) {
                    const std::lock_guard letting_go(state->mutex);
                    gone->read = nullptr;
                }};
    }
};

Registry::Registry() : state_(std::make_shared<State>()) {}
Registry::~Registry() = default;

Counter& Registry::AddCounter(const Metric& metric) {
    return AddCounters(metric, {}).With({});
}
Gauge& Registry::AddGauge(const Metric& metric) {
    return AddGauges(metric, {}).With({});
}
Histogram& Registry::AddHistogram(const Metric& metric, Buckets buckets) {
    return AddHistograms(metric, {}, buckets).With({});
}

Counters Registry::AddCounters(const Metric& metric, std::vector<Label> labels) {
    const std::lock_guard lock(state_->mutex);
    Group& group = state_->GroupOf(metric, Kind::kCounter, std::move(labels));
    return state_->Children(group, group.counters, [] { return std::make_unique<Counter>(); });
}

Gauges Registry::AddGauges(const Metric& metric, std::vector<Label> labels) {
    const std::lock_guard lock(state_->mutex);
    Group& group = state_->GroupOf(metric, Kind::kGauge, std::move(labels));
    return state_->Children(group, group.gauges, [] { return std::make_unique<Gauge>(); });
}

Histograms Registry::AddHistograms(const Metric& metric, std::vector<Label> labels,
                                   Buckets buckets) {
    const std::lock_guard lock(state_->mutex);
    Group& group = state_->GroupOf(metric, Kind::kHistogram, std::move(labels));
    return state_->Children(group, group.histograms,
                            [&] { return std::make_unique<Histogram>(buckets); });
}

std::shared_ptr<void> Registry::AddCallbackGauge(const Metric& metric,
                                                 std::function<double()> read) {
    return State::AddCallback(state_, metric, Kind::kGauge, std::move(read));
}
std::shared_ptr<void> Registry::AddCallbackCounter(const Metric& metric,
                                                   std::function<double()> read) {
    return State::AddCallback(state_, metric, Kind::kCounter, std::move(read));
}

std::string Registry::Expose() const {
    std::vector<prometheus::MetricFamily> collected;
    {
        const std::lock_guard lock(state_->mutex);
        for (const auto& [name, family] : state_->families) {
            prometheus::MetricFamily out;
            out.name = name;
            out.help = family.help;
            out.type = TypeOf(family.kind);
            for (const auto& group : family.groups) {
                if (group->read) {
                    prometheus::ClientMetric sample = Sample(group->fixed);
                    (family.kind == Kind::kCounter ? sample.counter.value : sample.gauge.value) =
                        group->read();
                    out.metric.push_back(std::move(sample));
                }
                Collect(*group, group->counters, out.metric);
                Collect(*group, group->gauges, out.metric);
                Collect(*group, group->histograms, out.metric);
            }
            if (!out.metric.empty()) collected.push_back(std::move(out));
        }
    }
    return prometheus::TextSerializer().Serialize(collected);
}

std::vector<Declared> Registry::Declarations() const {
    const std::lock_guard lock(state_->mutex);
    std::vector<Declared> declared;
    for (const auto& [name, family] : state_->families) {
        declared.push_back({name, std::string(kKindNames[static_cast<std::size_t>(family.kind)]),
                            family.help, family.label_names});
    }
    return declared;
}

}  // namespace kessai::metrics
