#pragma once

#include <chrono>
#include <vector>

#include "kessai/time/business_date.h"

namespace kessai::payout::domain {

/// Stands for "no end" in timelines.
inline constexpr BusinessDate kForever(std::chrono::sys_days(std::chrono::year(9999) / 12 / 31));

/// Days on which one version of something is in force.
template <class Version>
struct Span {
    BusinessDate from;
    BusinessDate to;
    const Version* of;
};

/// The days of each of `versions`, which are in their order and have `effective_from` and
/// `effective_to`: one takes every day from its first on away from those before it.
template <class Version>
std::vector<Span<Version>> SpansOf(const std::vector<const Version*>& versions) {
    std::vector<Span<Version>> spans;
    for (const Version* version : versions) {
        while (!spans.empty() && spans.back().from >= version->effective_from) spans.pop_back();
        if (!spans.empty() && spans.back().to >= version->effective_from) {
            spans.back().to = version->effective_from.Previous();
        }
        spans.push_back(
            {version->effective_from, version->effective_to.value_or(kForever), version});
    }
    return spans;
}

}  // namespace kessai::payout::domain
