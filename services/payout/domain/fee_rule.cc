#include "domain/fee_rule.h"

#include "domain/payment_change.h"
#include "domain/reason.h"
#include "domain/store_id.h"

namespace kessai::payout::domain {
namespace {

Status Refused(std::string_view reason, const char* message) {
    return Status(Code::kInvalidArgument, reason, message);
}

bool IsCampaign(const FeeRule& rule) {
    return rule.from.has_value() || rule.to.has_value();
}

bool Applies(const FeeRule& rule, const FeeCase& fee_case, Method method) {
    if (!rule.store.empty() && rule.store != fee_case.store) return false;
    if (rule.method && *rule.method != method) return false;
    if (rule.from && fee_case.day < *rule.from) return false;
    if (rule.to && *rule.to < fee_case.day) return false;
    return rule.first_days == 0 ||
           fee_case.day < fee_case.since.PlusDays(static_cast<int>(rule.first_days));
}

/// Higher ones come before lower ones.
int RankOf(const FeeRule& rule) {
    const int days = rule.first_days != 0 ? 2 : IsCampaign(rule) ? 1 : 0;
    return days * 4 + (rule.store.empty() ? 0 : 2) + (rule.method ? 1 : 0);
}

bool DaysMeet(const FeeRule& a, const FeeRule& b) {
    const bool a_ends_before = a.to && b.from && *a.to < *b.from;
    const bool b_ends_before = b.to && a.from && *b.to < *a.from;
    return !a_ends_before && !b_ends_before;
}

bool Overlap(const FeeRule& a, const FeeRule& b) {
    return a.store == b.store && a.method == b.method && RankOf(a) == RankOf(b) && DaysMeet(a, b);
}

Status Validate(const FeeRule& rule) {
    KESSAI_RETURN_IF_ERROR(Validate(rule.terms));
    KESSAI_RETURN_IF_ERROR(Validate(std::span<const FeeTier>(rule.tiers)));
    if (!IsStoreId(rule.store)) {
        return Refused(reason::kStoreInvalid,
                       "a rule's store is no store id of up to 255 characters");
    }
    if (rule.from && rule.to && *rule.to < *rule.from) {
        return Refused(reason::kCampaignInvalid, "a campaign ends before it begins");
    }
    if (rule.first_days != 0 && IsCampaign(rule)) {
        return Refused(reason::kCampaignInvalid, "a rule has dates or first days, not both");
    }
    if (rule.first_days > kFirstDaysMax) {
        return Refused(reason::kCampaignInvalid, "first days are more than ten years");
    }
    return OkStatus();
}

}  // namespace

const FeeRule* ApplyingRule(std::span<const FeeRule> rules, const FeeCase& fee_case,
                            Method method) {
    const FeeRule* found = nullptr;
    for (const FeeRule& rule : rules) {
        if (!Applies(rule, fee_case, method)) continue;
        if (found == nullptr || RankOf(*found) < RankOf(rule)) found = &rule;
    }
    return found;
}

const FeeTerms& TermsFor(const FeeTerms& terms, std::span<const FeeTier> tiers,
                         std::int64_t volume) {
    const FeeTerms* found = &terms;
    for (const FeeTier& tier : tiers) {
        if (tier.volume_from <= volume) found = &tier.terms;
    }
    return *found;
}

Status Validate(std::span<const FeeTier> tiers) {
    if (tiers.size() > kTiersMax) return Refused(reason::kPlanInvalid, "more than 20 tiers");
    std::int64_t below = 0;
    for (const FeeTier& tier : tiers) {
        KESSAI_RETURN_IF_ERROR(Validate(tier.terms));
        if (tier.volume_from <= below) {
            return Refused(reason::kTiersNotRising,
                           "tiers begin above zero, each above the one before");
        }
        below = tier.volume_from;
    }
    return OkStatus();
}

Status Validate(std::span<const FeeRule> rules) {
    if (rules.size() > kRulesMax) return Refused(reason::kPlanInvalid, "more than 200 rules");
    for (std::size_t i = 0; i < rules.size(); ++i) {
        KESSAI_RETURN_IF_ERROR(Validate(rules[i]));
        for (std::size_t j = 0; j < i; ++j) {
            if (Overlap(rules[j], rules[i])) {
                return Refused(reason::kRulesOverlap,
                               "two rules are of the same store, method and days");
            }
        }
    }
    return OkStatus();
}

}  // namespace kessai::payout::domain
