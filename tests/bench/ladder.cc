#include "bench/ladder.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace kessai::bench {

namespace {

double Seconds(Duration time) {
    return std::chrono::duration<double>(time).count();
}

template <class... Values>
std::string Text(const char* format, Values... values) {
    char text[256];
    std::snprintf(text, sizeof(text), format, values...);
    return text;
}

}  // namespace

double Rounded(double rate) {
    if (!(rate > 0)) return 0;
    const double step = std::pow(10.0, std::floor(std::log10(rate)) - 1) / 2;
    return std::round(rate / step) * step;
}

std::optional<double> RateSearch::Next() const {
    if (hopeless_ || steps_ >= options_.steps_max) return std::nullopt;
    double next = 0;
    if (held_ == 0 && not_held_ == 0) {
        next = options_.first;
    } else if (not_held_ == 0) {
        if (held_ >= options_.max) return std::nullopt;
        next = held_ * options_.growth;
    } else if (held_ == 0) {
        if (not_held_ <= options_.min) return std::nullopt;
        next = not_held_ / options_.growth;
    } else {
        if (not_held_ / held_ <= 1 + options_.resolution) return std::nullopt;
        next = (held_ + not_held_) / 2;
    }
    next = std::clamp(Rounded(next), options_.min, options_.max);
    // Where rounding leaves nothing between the two, it is over.
    if (next == held_ || next == not_held_) return std::nullopt;
    return next;
}

void RateSearch::Told(double rate, bool held, bool generator_late) {
    ++steps_;
    const bool late = !held && generator_late;
    hopeless_ = late && held_ == 0 && rate < late_at_;
    late_at_ = late ? rate : 0;
    if (held) {
        held_ = std::max(held_, rate);
    } else if (not_held_ == 0 || rate < not_held_) {
        not_held_ = rate;
    }
    // A lower rate that is not held shows that a higher one was luck.
    if (not_held_ != 0 && held_ >= not_held_) held_ = 0;
}

bool GeneratorWasLate(const StepFacts& step, const HoldingRules& rules) {
    return Seconds(step.load.lateness.Percentile(99)) > rules.lateness_p99_s_max;
}

std::vector<std::string> WhyNotHeld(const StepFacts& step, const HoldingRules& rules) {
    std::vector<std::string> why;
    if (step.gave_up) {
        why.push_back("more than two seconds' worth of payments waited: given up early");
        return why;
    }
    const load::LoadResult& load = step.load;
    const auto offered = static_cast<double>(load.offered);
    const double wanted = step.rate * step.measured_s;
    if (offered < wanted * rules.completed_share_min) {
        why.push_back(Text("only %.0f of %.0f payments could be offered", offered, wanted));
    }
    const auto completed = static_cast<double>(load.completed_in_time);
    if (completed < wanted * rules.completed_share_min) {
        why.push_back(
            Text("%.0f of %.0f payments/s completed", completed / step.measured_s, step.rate));
    }
    const auto failures = static_cast<double>(load.failures());
    if (failures > wanted * rules.failures_share_max) {
        std::string most;
        std::uint64_t count = 0;
        for (const auto& [reason, times] : load.pay_failures) {
            if (times > count) {
                most = reason;
                count = times;
            }
        }
        why.push_back(Text("%.0f payments failed, most by %s", failures, most.c_str()));
    }
    const double p99_s = Seconds(load.pay_latency.Percentile(99));
    if (p99_s > rules.p99_s_max) why.push_back(Text("p99 is %.2f s", p99_s));
    if (GeneratorWasLate(step, rules)) {
        why.push_back(Text("the load generator itself was late (p99 %.0f ms)",
                           Seconds(load.lateness.Percentile(99)) * 1e3));
    }
    if (step.queues.empty()) why.push_back("no queue could be read");
    for (const QueueTrend& queue : step.queues) {
        if (static_cast<double>(queue.trend.readings) < step.window_s * rules.readings_share_min) {
            why.push_back(queue.name + " was not read often enough");
            continue;
        }
        if (queue.is_outbox) {
            if (queue.trend.growth > rules.outbox_growth_s_max) {
                why.push_back(Text("%s aged by %.1f s", queue.name.c_str(), queue.trend.growth));
            }
            continue;
        }
        const double messages =
            std::max(rules.lag_growth_messages_min, rules.lag_growth_s_max * step.rate);
        if (queue.trend.growth > messages) {
            why.push_back(
                Text("%s fell behind by %.0f messages", queue.name.c_str(), queue.trend.growth));
        }
    }
    return why;
}

}  // namespace kessai::bench
