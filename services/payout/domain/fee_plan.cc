#include "domain/fee_plan.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "domain/plan_book.h"
#include "domain/reason.h"
#include "domain/timeline.h"

namespace kessai::payout::domain {
namespace {

BusinessDate LastDay(const FeePlan& plan) {
    return plan.effective_to.value_or(kForever);
}

Status Refused(std::string_view reason, std::string message) {
    return Status(Code::kInvalidArgument, reason, std::move(message));
}
Status Invalid(std::string message) {
    return Refused(reason::kPlanInvalid, std::move(message));
}

bool SameContent(const FeePlan& a, const FeePlan& b) {
    return a.merchant == b.merchant && a.currency == b.currency && a.terms == b.terms &&
           a.tiers == b.tiers && a.rules == b.rules && a.effective_from == b.effective_from &&
           a.effective_to == b.effective_to;
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

Status Overlaps(PlanId plan, BusinessDate from, BusinessDate to) {
    return Status(Code::kFailedPrecondition, reason::kPlanOverlaps,
                  "plan " + plan.ToString() + " is in force from " + from.ToString() +
                      (to == kForever ? " on" : " to " + to.ToString()));
}

Status CheckOverlap(const FeePlan& candidate, const PlanContext& context) {
    if (candidate.merchant == kSharedPlan) return OkStatus();
    const auto meets = [&](BusinessDate from, BusinessDate to) {
        return from <= LastDay(candidate) && candidate.effective_from <= to;
    };
    std::vector<FeePlan> others;
    for (const FeePlan& plan : context.versions) {
        if (plan.id != candidate.id) others.push_back(plan);
    }
    for (const Span<FeePlan>& span : SpansOfPlans(others)) {
        if (meets(span.from, span.to)) return Overlaps(span.of->id, span.from, span.to);
    }
    for (const Span<PlanAssignment>& span : SpansOfAssignments(context.assignments)) {
        if (!span.of->plan.is_none() && meets(span.from, span.to)) {
            return Overlaps(span.of->plan, span.from, span.to);
        }
    }
    return OkStatus();
}

Status CheckCampaigns(const FeePlan& plan) {
    for (const FeeRule& rule : plan.rules) {
        if (rule.to && *rule.to < plan.effective_from) {
            return Refused(reason::kCampaignInvalid, "a campaign ends before the plan begins");
        }
        if (rule.from && LastDay(plan) < *rule.from) {
            return Refused(reason::kCampaignInvalid, "a campaign begins after the plan ends");
        }
    }
    return OkStatus();
}

/// Sums of an amount by the terms that they fall under. A plan has few, a payment fewer.
class SumsByTerms {
 public:
    void Add(const FeeTerms& terms, std::int64_t amount) {
        for (std::size_t i = 0; i < size_; ++i) {
            if (sums_[i].terms == &terms) {
                sums_[i].amount += amount;
                return;
            }
        }
        sums_[size_++] = {&terms, amount};
    }
    std::int64_t Fee() const {
        std::int64_t fee = 0;
        for (std::size_t i = 0; i < size_; ++i) fee += FeeOf(*sums_[i].terms, sums_[i].amount);
        return fee;
    }

 private:
    struct Sum {
        const FeeTerms* terms = nullptr;
        std::int64_t amount = 0;
    };
    /// As many as there are methods.
    std::array<Sum, static_cast<std::size_t>(Method::kCashback)> sums_;
    std::size_t size_ = 0;
};

}  // namespace

bool HasTiers(const FeePlan& plan) {
    return !plan.tiers.empty() ||
           std::any_of(plan.rules.begin(), plan.rules.end(),
                       [](const FeeRule& rule) { return !rule.tiers.empty(); });
}

bool HasStores(const FeePlan& plan) {
    return std::any_of(plan.rules.begin(), plan.rules.end(),
                       [](const FeeRule& rule) { return !rule.store.empty(); });
}

std::int64_t FeeOf(const FeePlan& plan, const FeeCase& fee_case, std::int64_t amount,
                   const MethodSplit& split) {
    if (plan.rules.empty()) {
        return FeeOf(TermsFor(plan.terms, plan.tiers, fee_case.volume), amount);
    }
    SumsByTerms sums;
    const auto add = [&](Method method, std::int64_t part) {
        const FeeRule* rule = ApplyingRule(plan.rules, fee_case, method);
        sums.Add(rule == nullptr ? TermsFor(plan.terms, plan.tiers, fee_case.volume)
                                 : TermsFor(rule->terms, rule->tiers, fee_case.volume),
                 part);
    };
    if (split.empty()) add(Method::kWallet, amount);
    for (const MethodAmount& part : split) add(part.method, part.amount);
    return sums.Fee();
}

Status Validate(const FeePlan& plan) {
    KESSAI_RETURN_IF_ERROR(Validate(plan.terms));
    KESSAI_RETURN_IF_ERROR(Validate(std::span<const FeeTier>(plan.tiers)));
    KESSAI_RETURN_IF_ERROR(Validate(std::span<const FeeRule>(plan.rules)));
    if (LastDay(plan) < plan.effective_from) return Invalid("the plan ends before it begins");
    if (plan.merchant == kSharedPlan && plan.effective_to) {
        return Invalid("a shared plan has no end: its assignments do");
    }
    if (plan.merchant.is_none()) {
        // What came after it could never be accrued: no plan is put for days that have passed.
        if (plan.effective_to) return Invalid("the plan of all others has no end");
        if (HasTiers(plan)) return Invalid("the plan of all others has no tiers");
        for (const FeeRule& rule : plan.rules) {
            if (rule.first_days != 0) return Invalid("the plan of all others has no first days");
        }
    }
    return CheckCampaigns(plan);
}

Result<std::optional<FeePlan>> Admit(const FeePlan& candidate, const PlanContext& context) {
    KESSAI_RETURN_IF_ERROR(Validate(candidate));
    const std::map<PlanId, const FeePlan*> newest = NewestVersions(context.versions);
    if (!candidate.id.is_none()) {
        const auto found = newest.find(candidate.id);
        if (found == newest.end()) {
            return Invalid("there is no plan " + candidate.id.ToString() + " of that merchant");
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
    // A new shared plan is nobody's yet, so it may begin on any day.
    const bool first =
        candidate.merchant == kSharedPlan
            ? candidate.id.is_none()
            : context.versions.empty() && context.assignments.empty() && !context.has_accruals;
    if (candidate.effective_from < context.first_free_day && !first) {
        return Status(
            Code::kFailedPrecondition, reason::kPlanInPast,
            "a plan takes effect on " + context.first_free_day.ToString() + " at the earliest");
    }
    KESSAI_RETURN_IF_ERROR(CheckOverlap(candidate, context));
    return std::optional<FeePlan>();
}

}  // namespace kessai::payout::domain
