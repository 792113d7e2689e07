#include "rules/fees.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "kessai/time/business_date.h"

namespace kessai::audit {
namespace {

struct TaxRate {
    int tax_class;
    std::string_view name;
    int percent;
    DayNumber from;
};
constexpr std::array kTaxRates{TaxRate{1, "standard_8", 8, 20140401},
                               TaxRate{2, "standard_10", 10, 20191001}};

/// So that the products below stay within 128 bits whatever damaged rows hold.
Wide Bounded(Wide number) {
    constexpr Wide kBound = Wide{1} << 62;
    return std::clamp<Wide>(number, -kBound, kBound);
}

/// Toward negative infinity. Precondition: denominator > 0.
Wide FloorDivide(Wide numerator, Wide denominator) {
    const Wide quotient = numerator / denominator;
    return numerator % denominator < 0 ? quotient - 1 : quotient;
}

constexpr std::int64_t kShared = -1;
constexpr int kWallet = 1;

/// A date's number of the days since 1970; a damaged one's is 0.
std::int64_t DaysOf(DayNumber day) {
    const auto date = BusinessDate::FromNumber(day);
    return date.ok() ? date->day().time_since_epoch().count() : 0;
}

bool Applies(const FeeRuleRow& rule, const FeeCase& fee_case) {
    if (rule.store_hash != 0 && rule.store_hash != fee_case.store_hash) return false;
    if (rule.method != 0 && rule.method != kWallet) return false;
    if (rule.date_from.has_value() && fee_case.day < *rule.date_from) return false;
    if (rule.date_to.has_value() && *rule.date_to < fee_case.day) return false;
    return rule.first_days == 0 || DaysOf(fee_case.day) - DaysOf(fee_case.since) < rule.first_days;
}

/// What makes a rule come before others.
auto PrecedenceOf(const FeeRuleRow& rule) {
    return std::tuple(rule.first_days != 0, rule.date_from.has_value() || rule.date_to.has_value(),
                      rule.store_hash != 0, rule.method != 0);
}

/// A plan's own terms, as a tier of rule 0.
FeeRuleRow OwnTerms(const FeePlanRow& plan) {
    FeeRuleRow terms;
    terms.rate_basis_points = plan.rate_basis_points;
    terms.fixed = plan.fixed;
    terms.minimum = plan.minimum;
    terms.maximum = plan.maximum;
    return terms;
}

FeeRuleRow TermsOf(const FeePlanRow& plan, const FeeCase& fee_case) {
    const FeeRuleRow own = OwnTerms(plan);
    const FeeRuleRow* rule = &own;
    for (const FeeRuleRow& other : plan.rules) {
        if (other.rule == 0 || !Applies(other, fee_case)) continue;
        if (rule->rule == 0 || PrecedenceOf(*rule) < PrecedenceOf(other)) rule = &other;
    }
    const FeeRuleRow* tier = rule->rule == 0 ? &own : nullptr;
    for (const FeeRuleRow& row : plan.rules) {
        if (row.rule != rule->rule) continue;
        // A rule's terms below its first tier are its row of volume 0, whatever the volume is.
        if (row.volume_from != 0 && fee_case.volume < row.volume_from) continue;
        if (tier == nullptr || tier->volume_from < row.volume_from) tier = &row;
    }
    return tier == nullptr ? *rule : *tier;
}

}  // namespace

Wide FeeOf(const FeePlanRow& plan, const FeeCase& fee_case, std::int64_t amount) {
    if (amount == 0) return 0;
    const FeeRuleRow terms = TermsOf(plan, fee_case);
    Wide fee = FloorDivide(Wide{amount} * terms.rate_basis_points, 10'000) + terms.fixed;
    fee = std::max<Wide>(fee, terms.minimum);
    return terms.maximum == 0 ? fee : std::min<Wide>(fee, terms.maximum);
}

Wide SignedFee(const FeePlanRow& plan, const FeeCase& fee_case, int kind, std::int64_t amount,
               std::int64_t captured_total, std::int64_t refunded_before) {
    const int sign = GrossSign(kind);
    if (sign == 0) return 0;
    const Wide fee = Bounded(FeeOf(plan, fee_case, captured_total));
    if (sign > 0) {
        const Wide before = Bounded(Wide{captured_total} - amount);
        return fee - FeeOf(plan, fee_case, static_cast<std::int64_t>(before));
    }
    if (captured_total <= 0) return 0;
    const Wide after = Bounded(Wide{refunded_before} + amount);
    return FloorDivide(fee * refunded_before, captured_total) -
           FloorDivide(fee * after, captured_total);
}

bool HasStores(const FeePlanRow& plan) {
    return std::any_of(plan.rules.begin(), plan.rules.end(),
                       [](const FeeRuleRow& rule) { return rule.store_hash != 0; });
}

FeePlans::FeePlans(std::vector<FeePlanRow> versions, std::vector<AssignmentRow> assignments,
                   std::vector<VolumeRow> volumes)
    : versions_(versions.size()), volumes_(std::move(volumes)) {
    for (FeePlanRow& version : versions) {
        plans_[version.merchant_id][version.plan_id].push_back(version);
    }
    for (auto& [merchant, plans] : plans_) {
        for (auto& [plan, of_plan] : plans) {
            std::sort(of_plan.begin(), of_plan.end(), [](const FeePlanRow& a, const FeePlanRow& b) {
                return a.version > b.version;
            });
        }
    }
    for (const AssignmentRow& row : assignments) assignments_[row.merchant_id].push_back(row);
    for (auto& [merchant, rows] : assignments_) {
        std::sort(rows.begin(), rows.end(), [](const AssignmentRow& a, const AssignmentRow& b) {
            return a.revision > b.revision;
        });
    }
    std::sort(volumes_.begin(), volumes_.end(), [](const VolumeRow& a, const VolumeRow& b) {
        return std::tuple(a.merchant_id, a.effective_from, a.month_start) <
               std::tuple(b.merchant_id, b.effective_from, b.month_start);
    });
}

const FeePlanRow* FeePlans::InForceOf(const Versions& falling, DayNumber day) {
    for (const FeePlanRow& version : falling) {
        if (version.effective_from > day) continue;
        // This one has taken the days from its first on away from those before it.
        return !version.effective_to.has_value() || day <= *version.effective_to ? &version
                                                                                 : nullptr;
    }
    return nullptr;
}

PlanInForce FeePlans::OwnPlan(std::int64_t merchant_id, DayNumber day) const {
    const auto found = plans_.find(merchant_id);
    if (found == plans_.end()) return {};
    for (const auto& [plan, versions] : found->second) {
        const FeePlanRow* in_force = InForceOf(versions, day);
        if (in_force == nullptr) continue;
        DayNumber since = in_force->effective_from;
        for (const FeePlanRow& version : versions) since = std::min(since, version.effective_from);
        return {in_force, since};
    }
    return {};
}

const AssignmentRow* FeePlans::AssignmentOn(std::int64_t merchant_id, DayNumber day) const {
    const auto found = assignments_.find(merchant_id);
    if (found == assignments_.end()) return nullptr;
    for (const AssignmentRow& row : found->second) {
        if (row.effective_from > day) continue;
        return !row.effective_to.has_value() || day <= *row.effective_to ? &row : nullptr;
    }
    return nullptr;
}

PlanInForce FeePlans::SharedPlan(std::int64_t merchant_id, DayNumber day) const {
    const AssignmentRow* assigned = AssignmentOn(merchant_id, day);
    const auto shared = plans_.find(kShared);
    if (assigned == nullptr || shared == plans_.end()) return {};
    const auto versions = shared->second.find(assigned->plan_id);
    if (versions == shared->second.end()) return {};
    const FeePlanRow* in_force = InForceOf(versions->second, day);
    if (in_force == nullptr) return {};
    // What the merchant was assigned to on the day before is the same assignment going on.
    DayNumber since = assigned->effective_from;
    while (true) {
        const auto date = BusinessDate::FromNumber(since);
        if (!date.ok()) break;
        const AssignmentRow* before = AssignmentOn(merchant_id, date->Previous().ToNumber());
        if (before == nullptr || before->plan_id != assigned->plan_id) break;
        since = before->effective_from;
    }
    return {in_force, since};
}

PlanInForce FeePlans::InForce(std::int64_t merchant_id, DayNumber day) const {
    if (merchant_id != 0) {
        if (const PlanInForce own = OwnPlan(merchant_id, day); own.plan != nullptr) return own;
        if (const PlanInForce shared = SharedPlan(merchant_id, day); shared.plan != nullptr) {
            return shared;
        }
    }
    return OwnPlan(0, day);
}

std::int64_t FeePlans::VolumeOn(std::int64_t merchant_id, DayNumber day) const {
    auto row = std::lower_bound(
        volumes_.begin(), volumes_.end(), merchant_id,
        [](const VolumeRow& of, std::int64_t merchant) { return of.merchant_id < merchant; });
    std::int64_t volume = 0;
    for (; row != volumes_.end() && row->merchant_id == merchant_id; ++row) {
        if (row->effective_from <= day) volume = row->volume;
    }
    return volume;
}

int TaxClassOn(DayNumber day) {
    int found = kTaxRates.front().tax_class;
    for (const TaxRate& rate : kTaxRates) {
        if (rate.from <= day) found = rate.tax_class;
    }
    return found;
}

std::string_view TaxClassName(int tax_class) {
    for (const TaxRate& rate : kTaxRates) {
        if (rate.tax_class == tax_class) return rate.name;
    }
    return {};
}

std::optional<Wide> InvoiceTax(int tax_class, Wide fees) {
    for (const TaxRate& rate : kTaxRates) {
        if (rate.tax_class == tax_class) return fees * rate.percent / 100;
    }
    return std::nullopt;
}

DayNumber CycleStart(DayNumber day) {
    return day / 100 * 100 + 1;
}

}  // namespace kessai::audit
