#include "domain/plan_book.h"

#include <algorithm>

namespace kessai::payout::domain {
namespace {

std::vector<Span<FeePlan>> SpansOfVersions(std::vector<const FeePlan*> versions) {
    std::map<PlanId, std::vector<const FeePlan*>> by_plan;
    for (const FeePlan* plan : versions) by_plan[plan->id].push_back(plan);
    std::vector<Span<FeePlan>> all;
    for (auto& [id, of_plan] : by_plan) {
        std::sort(of_plan.begin(), of_plan.end(),
                  [](const FeePlan* a, const FeePlan* b) { return a->version < b->version; });
        const auto spans = SpansOf(of_plan);
        all.insert(all.end(), spans.begin(), spans.end());
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.from < b.from; });
    return all;
}

std::vector<Span<PlanAssignment>> SpansOfRevisions(std::vector<const PlanAssignment*> assignments) {
    std::sort(assignments.begin(), assignments.end(),
              [](const auto* a, const auto* b) { return a->revision < b->revision; });
    return SpansOf(assignments);
}

template <class T>
std::vector<const T*> PointersTo(std::span<const T> items) {
    std::vector<const T*> pointers;
    for (const T& item : items) pointers.push_back(&item);
    return pointers;
}

}  // namespace

std::vector<Span<FeePlan>> SpansOfPlans(std::span<const FeePlan> versions) {
    return SpansOfVersions(PointersTo(versions));
}

std::vector<Span<PlanAssignment>> SpansOfAssignments(std::span<const PlanAssignment> assignments) {
    return SpansOfRevisions(PointersTo(assignments));
}

std::vector<PlanBook::Period<const FeePlan*>> PlanBook::TimelineOf(
    const std::vector<const FeePlan*>& versions) {
    std::map<PlanId, BusinessDate> begins;
    for (const FeePlan* plan : versions) {
        BusinessDate& first = begins.try_emplace(plan->id, plan->effective_from).first->second;
        first = std::min(first, plan->effective_from);
    }
    std::vector<Period<const FeePlan*>> timeline;
    for (const Span<FeePlan>& span : SpansOfVersions(versions)) {
        timeline.push_back({span.from, span.to, begins[span.of->id], span.of});
    }
    return timeline;
}

void PlanBook::Add(const FeePlan& plan) {
    revision_ = std::max(revision_, plan.revision);
    const auto [known, is_new] = by_version_.try_emplace({plan.id, plan.version});
    if (!is_new) return;
    known->second = &plans_.emplace_back(plan);
    if (plan.merchant == kSharedPlan) {
        OfPlan& shared = shared_[plan.id];
        shared.versions.push_back(known->second);
        shared.timeline = TimelineOf(shared.versions);
        return;
    }
    OfMerchant& merchant = merchants_[plan.merchant];
    merchant.versions.push_back(known->second);
    merchant.timeline = TimelineOf(merchant.versions);
}

void PlanBook::Add(const PlanAssignment& assignment) {
    revision_ = std::max(revision_, assignment.revision);
    OfMerchant& merchant = merchants_[assignment.merchant];
    for (const PlanAssignment* known : merchant.assignments) {
        if (known->revision == assignment.revision) return;
    }
    merchant.assignments.push_back(&assignments_.emplace_back(assignment));
    merchant.assigned.clear();
    for (const Span<PlanAssignment>& span : SpansOfRevisions(merchant.assignments)) {
        BusinessDate since = span.from;
        if (!merchant.assigned.empty()) {
            const Period<PlanId>& before = merchant.assigned.back();
            if (before.of == span.of->plan && before.to.Next() == span.from) since = before.since;
        }
        merchant.assigned.push_back({span.from, span.to, since, span.of->plan});
    }
}

void PlanBook::Add(const MonthVolume& volume) {
    revision_ = std::max(revision_, volume.revision);
    auto& volumes = merchants_[volume.merchant].volumes;
    for (const MonthVolume* known : volumes) {
        if (known->month == volume.month) return;
    }
    volumes.push_back(&volumes_.emplace_back(volume));
    std::sort(volumes.begin(), volumes.end(), [](const auto* a, const auto* b) {
        return std::pair(a->effective_from, a->month) < std::pair(b->effective_from, b->month);
    });
}

void PlanBook::Add(const PlanUpdates& updates) {
    for (const FeePlan& plan : updates.plans) Add(plan);
    for (const PlanAssignment& assignment : updates.assignments) Add(assignment);
    for (const MonthVolume& volume : updates.volumes) Add(volume);
    revision_ = std::max(revision_, updates.revision);
}

template <class Of>
const PlanBook::Period<Of>* PlanBook::PeriodOf(const std::vector<Period<Of>>& timeline,
                                               BusinessDate day) {
    const auto after = std::upper_bound(
        timeline.begin(), timeline.end(), day,
        [](BusinessDate sought, const Period<Of>& period) { return sought < period.from; });
    if (after == timeline.begin()) return nullptr;
    const Period<Of>& period = *std::prev(after);
    return day <= period.to ? &period : nullptr;
}

PlanInForce PlanBook::Find(MerchantId merchant, BusinessDate day) const {
    if (const auto own = merchants_.find(merchant); own != merchants_.end()) {
        if (const auto* period = PeriodOf(own->second.timeline, day)) {
            return {period->of, period->since};
        }
        if (const auto* assigned = PeriodOf(own->second.assigned, day)) {
            const auto shared = shared_.find(assigned->of);
            if (shared != shared_.end()) {
                if (const auto* period = PeriodOf(shared->second.timeline, day)) {
                    return {period->of, assigned->since};
                }
            }
        }
    }
    const auto others = merchants_.find(MerchantId());
    if (others == merchants_.end()) return {};
    const auto* period = PeriodOf(others->second.timeline, day);
    return period == nullptr ? PlanInForce() : PlanInForce{period->of, period->since};
}

const FeePlan* PlanBook::Version(PlanId id, std::uint32_t version) const {
    const auto found = by_version_.find({id, version});
    return found == by_version_.end() ? nullptr : found->second;
}

std::optional<std::int64_t> PlanBook::FixedVolumeOn(MerchantId merchant, BusinessDate day) const {
    const auto found = merchants_.find(merchant);
    if (found == merchants_.end()) return std::nullopt;
    std::optional<std::int64_t> volume;
    for (const MonthVolume* fixed : found->second.volumes) {
        if (fixed->effective_from <= day) volume = fixed->volume;
    }
    return volume;
}

}  // namespace kessai::payout::domain
