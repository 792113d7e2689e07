#pragma once

#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "domain/accrual.h"
#include "domain/fee_plan.h"
#include "tests/seeded.h"

namespace kessai::payout {

inline constexpr std::array kAllMethods{domain::Method::kWallet,      domain::Method::kPoint,
                                        domain::Method::kCreditCard,  domain::Method::kPayLater,
                                        domain::Method::kGiftVoucher, domain::Method::kCoupon,
                                        domain::Method::kCashback};

inline domain::FeeTerms RandomFeeTerms(Seeded& random) {
    domain::FeeTerms terms;
    terms.rate_basis_points = static_cast<std::uint32_t>(random.UpTo(10'000));
    if (random.OneIn(3)) terms.fixed = random.UpTo(1'000);
    if (random.OneIn(4)) terms.minimum = random.UpTo(1'000);
    if (random.OneIn(4)) terms.maximum = terms.minimum + random.UpTo(10'000);
    return terms;
}

inline std::vector<domain::FeeTier> RandomTiers(Seeded& random) {
    std::vector<domain::FeeTier> tiers;
    std::int64_t volume = 0;
    while (random.OneIn(2)) {
        volume += 1 + random.UpTo(1'000'000);
        tiers.push_back({volume, RandomFeeTerms(random)});
    }
    return tiers;
}

/// One of a few store ids, or none.
inline std::string RandomStore(Seeded& random) {
    const std::int64_t store = random.Between(0, 3);
    return store == 0 ? "" : "store-" + std::to_string(store);
}

/// A plan of merchant 7 with rules of every kind, in force from `from` on; those that would overlap
/// are left out.
inline domain::FeePlan RandomPlan(Seeded& random, BusinessDate from) {
    domain::FeePlan plan;
    plan.id = domain::PlanId(2);
    plan.version = 1;
    plan.merchant = domain::MerchantId(7);
    plan.terms = RandomFeeTerms(random);
    plan.tiers = RandomTiers(random);
    plan.effective_from = from;
    for (std::int64_t tries = random.Between(0, 12); tries > 0; --tries) {
        domain::FeeRule rule;
        rule.store = RandomStore(random);
        if (random.OneIn(2)) {
            rule.method = kAllMethods[static_cast<std::size_t>(random.Between(0, 6))];
        }
        if (random.OneIn(5)) {
            rule.first_days = static_cast<std::uint32_t>(random.Between(1, 30));
        } else if (random.OneIn(2)) {
            const auto begins = from.PlusDays(static_cast<int>(random.Between(0, 40)));
            if (!random.OneIn(4)) rule.from = begins;
            if (!random.OneIn(4)) {
                rule.to = begins.PlusDays(static_cast<int>(random.Between(0, 20)));
            }
        }
        if (!random.OneIn(3)) rule.terms = RandomFeeTerms(random);
        rule.tiers = RandomTiers(random);
        plan.rules.push_back(rule);
        if (!domain::Validate(plan).ok()) plan.rules.pop_back();
    }
    return plan;
}

inline domain::MethodSplit RandomSplit(Seeded& random, std::int64_t amount) {
    std::vector<domain::MethodAmount> parts;
    std::int64_t left = amount;
    while (left > 0 && random.OneIn(2)) {
        const std::int64_t part = random.Between(1, left);
        parts.push_back({kAllMethods[static_cast<std::size_t>(random.Between(0, 6))], part});
        left -= part;
    }
    if (left > 0) parts.push_back({domain::Method::kWallet, left});
    return domain::MakeSplit(std::move(parts), amount).value();
}

__extension__ using Wide = __int128;

/// The formula, word for word, in numbers wide enough not to think about.
inline std::int64_t ReferenceFee(const domain::FeeTerms& terms, std::int64_t amount) {
    if (amount == 0) return 0;
    Wide fee = static_cast<Wide>(amount) * terms.rate_basis_points / 10'000 + terms.fixed;
    if (fee < terms.minimum) fee = terms.minimum;
    if (terms.maximum != 0 && fee > terms.maximum) fee = terms.maximum;
    return static_cast<std::int64_t>(fee);
}

/// The number of the rule for a method, by the words of the order; 0: none.
inline std::size_t ReferenceRule(const domain::FeePlan& plan, const domain::FeeCase& fee_case,
                                 domain::Method method) {
    for (const bool wants_first_days : {true, false}) {
        for (const bool wants_dates : {true, false}) {
            for (const bool wants_store : {true, false}) {
                for (const bool wants_method : {true, false}) {
                    for (std::size_t i = 0; i < plan.rules.size(); ++i) {
                        const domain::FeeRule& rule = plan.rules[i];
                        if ((rule.first_days != 0) != wants_first_days) continue;
                        if ((rule.from || rule.to) != wants_dates) continue;
                        if (rule.store.empty() == wants_store) continue;
                        if (rule.method.has_value() != wants_method) continue;
                        const auto nth_day = (fee_case.day.day() - fee_case.since.day()).count();
                        if (wants_first_days && nth_day >= rule.first_days) continue;
                        if (rule.from && *rule.from > fee_case.day) continue;
                        if (rule.to && *rule.to < fee_case.day) continue;
                        if (wants_store && rule.store != fee_case.store) continue;
                        if (wants_method && *rule.method != method) continue;
                        return i + 1;
                    }
                }
            }
        }
    }
    return 0;
}

inline std::int64_t ReferenceFee(const domain::FeePlan& plan, const domain::FeeCase& fee_case,
                                 std::int64_t amount, domain::MethodSplit split) {
    if (split.empty()) split.push_back({domain::Method::kWallet, amount});
    std::map<std::size_t, std::int64_t> by_rule;
    for (const domain::MethodAmount& part : split) {
        by_rule[ReferenceRule(plan, fee_case, part.method)] += part.amount;
    }
    std::int64_t fee = 0;
    for (const auto& [number, sum] : by_rule) {
        domain::FeeTerms terms = number == 0 ? plan.terms : plan.rules[number - 1].terms;
        for (const auto& tier : number == 0 ? plan.tiers : plan.rules[number - 1].tiers) {
            if (fee_case.volume >= tier.volume_from) terms = tier.terms;
        }
        fee += ReferenceFee(terms, sum);
    }
    return fee;
}

}  // namespace kessai::payout
