#include "rules/fees.h"

#include <algorithm>
#include <array>

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

}  // namespace

Wide FeeOf(const FeePlanRow& plan, std::int64_t amount) {
    if (amount == 0) return 0;
    Wide fee = FloorDivide(Wide{amount} * plan.rate_basis_points, 10'000) + plan.fixed;
    fee = std::max<Wide>(fee, plan.minimum);
    return plan.maximum == 0 ? fee : std::min<Wide>(fee, plan.maximum);
}

Wide SignedFee(const FeePlanRow& plan, int kind, std::int64_t amount, std::int64_t captured_total,
               std::int64_t refunded_before) {
    const int sign = GrossSign(kind);
    if (sign == 0) return 0;
    const Wide fee = Bounded(FeeOf(plan, captured_total));
    if (sign > 0) {
        const Wide before = Bounded(Wide{captured_total} - amount);
        return fee - FeeOf(plan, static_cast<std::int64_t>(before));
    }
    if (captured_total <= 0) return 0;
    const Wide after = Bounded(Wide{refunded_before} + amount);
    return FloorDivide(fee * refunded_before, captured_total) -
           FloorDivide(fee * after, captured_total);
}

FeePlans::FeePlans(std::vector<FeePlanRow> versions) : versions_(versions.size()) {
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
}

const FeePlanRow* FeePlans::InForceOf(std::int64_t merchant_id, DayNumber day) const {
    const auto found = plans_.find(merchant_id);
    if (found == plans_.end()) return nullptr;
    for (const auto& [plan, versions] : found->second) {
        for (const FeePlanRow& version : versions) {
            if (version.effective_from > day) continue;
            // This one has taken the days from its first on away from those before it.
            if (!version.effective_to.has_value() || day <= *version.effective_to) return &version;
            break;
        }
    }
    return nullptr;
}

const FeePlanRow* FeePlans::InForce(std::int64_t merchant_id, DayNumber day) const {
    const FeePlanRow* own = merchant_id == 0 ? nullptr : InForceOf(merchant_id, day);
    return own != nullptr ? own : InForceOf(0, day);
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
