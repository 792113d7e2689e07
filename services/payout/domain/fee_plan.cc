#include "domain/fee_plan.h"

#include <algorithm>
#include <string>

#include "domain/reason.h"

namespace kessai::payout::domain {
namespace {

// Stands for "no end" in timelines.
constexpr BusinessDate kForever(std::chrono::sys_days(std::chrono::year(9999) / 12 / 31));

BusinessDate LastDay(const FeePlan& plan) {
    return plan.effective_to.value_or(kForever);
}

struct Span {
    BusinessDate from;
    BusinessDate to;
    const FeePlan* plan;
};

/// The days on which each version of one plan is in force. A version takes every day from its
/// first on away from the versions before it.
std::vector<Span> SpansOfPlan(std::vector<const FeePlan*> versions) {
    std::sort(versions.begin(), versions.end(),
              [](const FeePlan* a, const FeePlan* b) { return a->version < b->version; });
    std::vector<Span> spans;
    for (const FeePlan* plan : versions) {
        while (!spans.empty() && spans.back().from >= plan->effective_from) spans.pop_back();
        if (!spans.empty() && spans.back().to >= plan->effective_from) {
            spans.back().to = plan->effective_from.Previous();
        }
        spans.push_back({plan->effective_from, LastDay(*plan), plan});
    }
    return spans;
}

/// The same of several plans, each by its id, in order of their days.
std::vector<Span> SpansOf(std::span<const FeePlan* const> plans) {
    std::map<PlanId, std::vector<const FeePlan*>> by_plan;
    for (const FeePlan* plan : plans) by_plan[plan->id].push_back(plan);
    std::vector<Span> all;
    for (auto& [id, versions] : by_plan) {
        const std::vector<Span> spans = SpansOfPlan(std::move(versions));
        all.insert(all.end(), spans.begin(), spans.end());
    }
    std::sort(all.begin(), all.end(), [](const Span& a, const Span& b) { return a.from < b.from; });
    return all;
}

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, reason::kPlanInvalid, std::move(message));
}

bool SameContent(const FeePlan& a, const FeePlan& b) {
    return a.merchant == b.merchant && a.currency == b.currency && a.terms == b.terms &&
           a.effective_from == b.effective_from && a.effective_to == b.effective_to;
}

/// The newest version of each plan, by plan.
std::map<PlanId, const FeePlan*> NewestVersions(std::span<const FeePlan> versions) {
    std::map<PlanId, const FeePlan*> newest;
    for (const FeePlan& plan : versions) {
        const FeePlan*& slot = newest[plan.id];
        if (slot == nullptr || slot->version < plan.version) slot = &plan;
    }
    return newest;
}

Status CheckOverlap(const FeePlan& candidate, std::span<const FeePlan> versions) {
    std::vector<const FeePlan*> others;
    for (const FeePlan& plan : versions) {
        if (plan.id != candidate.id) others.push_back(&plan);
    }
    for (const Span& span : SpansOf(others)) {
        if (span.from <= LastDay(candidate) && candidate.effective_from <= span.to) {
            return Status(Code::kFailedPrecondition, reason::kPlanOverlaps,
                          "plan " + span.plan->id.ToString() + " is in force from " +
                              span.from.ToString() +
                              (span.to == kForever ? " on" : " to " + span.to.ToString()));
        }
    }
    return OkStatus();
}

}  // namespace

void PlanBook::Add(const FeePlan& plan) {
    revision_ = std::max(revision_, plan.revision);
    if (!by_version_.emplace(std::pair(plan.id, plan.version), plans_.size()).second) return;
    plans_.push_back(plan);

    OfMerchant& of_merchant = merchants_[plan.merchant];
    of_merchant.versions.push_back(plans_.size() - 1);
    std::vector<const FeePlan*> versions;
    for (const std::size_t index : of_merchant.versions) versions.push_back(&plans_[index]);
    of_merchant.timeline.clear();
    for (const Span& span : SpansOf(versions)) {
        of_merchant.timeline.push_back(
            {span.from, span.to, static_cast<std::size_t>(span.plan - plans_.data())});
    }
}

const FeePlan* PlanBook::InForceOf(MerchantId merchant, BusinessDate day) const {
    const auto found = merchants_.find(merchant);
    if (found == merchants_.end()) return nullptr;
    const std::vector<Period>& periods = found->second.timeline;
    auto after = std::upper_bound(
        periods.begin(), periods.end(), day,
        [](BusinessDate sought, const Period& period) { return sought < period.from; });
    if (after == periods.begin()) return nullptr;
    const Period& period = *std::prev(after);
    return day <= period.to ? &plans_[period.plan] : nullptr;
}

const FeePlan* PlanBook::InForce(MerchantId merchant, BusinessDate day) const {
    const FeePlan* own = merchant.is_none() ? nullptr : InForceOf(merchant, day);
    return own != nullptr ? own : InForceOf(MerchantId(), day);
}

const FeePlan* PlanBook::Version(PlanId id, std::uint32_t version) const {
    const auto found = by_version_.find({id, version});
    return found == by_version_.end() ? nullptr : &plans_[found->second];
}

Result<std::optional<FeePlan>> Admit(const FeePlan& candidate, const PlanContext& context) {
    KESSAI_RETURN_IF_ERROR(Validate(candidate.terms));
    if (candidate.effective_to && *candidate.effective_to < candidate.effective_from) {
        return Invalid("the plan ends before it begins");
    }
    const std::map<PlanId, const FeePlan*> newest = NewestVersions(context.versions);
    if (!candidate.id.is_none()) {
        const auto found = newest.find(candidate.id);
        if (found == newest.end()) {
            return Invalid("the merchant has no plan " + candidate.id.ToString());
        }
        if (found->second->currency != candidate.currency) {
            return Invalid("a plan keeps its currency");
        }
    }
    for (const auto& [id, plan] : newest) {
        if ((candidate.id.is_none() || candidate.id == id) && SameContent(*plan, candidate)) {
            return std::optional<FeePlan>(*plan);
        }
    }
    const bool first = context.versions.empty() && !context.has_accruals;
    if (candidate.effective_from < context.first_free_day && !first) {
        return Status(
            Code::kFailedPrecondition, reason::kPlanInPast,
            "a plan takes effect on " + context.first_free_day.ToString() + " at the earliest");
    }
    KESSAI_RETURN_IF_ERROR(CheckOverlap(candidate, context.versions));
    return std::optional<FeePlan>();
}

}  // namespace kessai::payout::domain
