#include "transport/plan_messages.h"

#include <string>
#include <utility>

#include "domain/reason.h"

namespace kessai::payout::transport {
namespace {

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid, std::move(message));
}

domain::FeeTerms ToTerms(const v1::FeeTerms& message) {
    return {.rate_basis_points = message.rate_basis_points(),
            .fixed = message.fixed(),
            .minimum = message.minimum(),
            .maximum = message.maximum()};
}

void FillTerms(const domain::FeeTerms& terms, v1::FeeTerms* message) {
    message->set_rate_basis_points(terms.rate_basis_points);
    message->set_fixed(terms.fixed);
    message->set_minimum(terms.minimum);
    message->set_maximum(terms.maximum);
}

Result<std::vector<domain::FeeTier>> ToTiers(const v1::FeeTiers& message) {
    if (message.tiers().empty()) {
        return Status(Code::kInvalidArgument, domain::reason::kTiersEmpty,
                      "tiers are given, and there is none");
    }
    std::vector<domain::FeeTier> tiers;
    for (const v1::FeeTiers::Tier& tier : message.tiers()) {
        tiers.push_back({tier.volume_from(), ToTerms(tier.terms())});
    }
    return tiers;
}

void FillTiers(const std::vector<domain::FeeTier>& tiers, v1::FeeTiers* message) {
    for (const domain::FeeTier& tier : tiers) {
        v1::FeeTiers::Tier* added = message->add_tiers();
        added->set_volume_from(tier.volume_from);
        FillTerms(tier.terms, added->mutable_terms());
    }
}

Result<domain::FeeRule> ToRule(const v1::FeeRule& message) {
    domain::FeeRule rule;
    rule.store = message.store_id();
    if (message.method() != 0) {
        if (!domain::IsMethod(message.method())) {
            return Status(Code::kInvalidArgument, domain::reason::kMethodUnknown,
                          "no method " + std::to_string(message.method()));
        }
        rule.method = static_cast<domain::Method>(message.method());
    }
    KESSAI_ASSIGN_OR_RETURN(rule.from, ParseOptionalDate("from_date", message.from_date()));
    KESSAI_ASSIGN_OR_RETURN(rule.to, ParseOptionalDate("to_date", message.to_date()));
    rule.first_days = message.first_days();
    if (!message.has_terms()) return Invalid("a rule has no terms");
    rule.terms = ToTerms(message.terms());
    if (message.has_tiers()) {
        KESSAI_ASSIGN_OR_RETURN(rule.tiers, ToTiers(message.tiers()));
    }
    return rule;
}

void FillRule(const domain::FeeRule& rule, v1::FeeRule* message) {
    message->set_store_id(rule.store);
    if (rule.method) {
        message->set_method(
            static_cast<kessai::payment::v1::MethodAmount::Method>(static_cast<int>(*rule.method)));
    }
    if (rule.from) message->set_from_date(rule.from->ToNumber());
    if (rule.to) message->set_to_date(rule.to->ToNumber());
    message->set_first_days(rule.first_days);
    FillTerms(rule.terms, message->mutable_terms());
    if (!rule.tiers.empty()) FillTiers(rule.tiers, message->mutable_tiers());
}

}  // namespace

Result<BusinessDate> ParseDate(const char* field, std::int32_t number) {
    const Result<BusinessDate> date = BusinessDate::FromNumber(number);
    if (!date.ok()) return Invalid(std::string(field) + " is no date (yyyymmdd)");
    return date;
}

Result<std::optional<BusinessDate>> ParseOptionalDate(const char* field, std::int32_t number) {
    if (number == 0) return std::optional<BusinessDate>();
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date, ParseDate(field, number));
    return std::optional<BusinessDate>(date);
}

Result<domain::FeePlan> ToPlanWithoutDays(const v1::FeePlan& message) {
    domain::FeePlan plan;
    if (message.plan_id() < 0) return Invalid("plan_id is negative");
    if (message.merchant_id() < 0) return Invalid("merchant_id is negative");
    if (message.shared() && message.merchant_id() != 0) {
        return Invalid("a shared plan is of no merchant");
    }
    plan.id = domain::PlanId(message.plan_id());
    plan.merchant =
        message.shared() ? domain::kSharedPlan : domain::MerchantId(message.merchant_id());
    KESSAI_ASSIGN_OR_RETURN(plan.currency, Currency::Parse(message.currency()));
    plan.terms = {.rate_basis_points = message.rate_basis_points(),
                  .fixed = message.fixed(),
                  .minimum = message.minimum(),
                  .maximum = message.maximum()};
    if (message.has_tiers()) {
        KESSAI_ASSIGN_OR_RETURN(plan.tiers, ToTiers(message.tiers()));
    }
    for (const v1::FeeRule& rule : message.rules()) {
        KESSAI_ASSIGN_OR_RETURN(domain::FeeRule added, ToRule(rule));
        plan.rules.push_back(std::move(added));
    }
    return plan;
}

Result<domain::FeePlan> ToPlan(const v1::FeePlan& message) {
    KESSAI_ASSIGN_OR_RETURN(domain::FeePlan plan, ToPlanWithoutDays(message));
    KESSAI_ASSIGN_OR_RETURN(plan.effective_from,
                            ParseDate("effective_from", message.effective_from()));
    KESSAI_ASSIGN_OR_RETURN(plan.effective_to,
                            ParseOptionalDate("effective_to", message.effective_to()));
    return plan;
}

void FillPlan(const domain::FeePlan& plan, v1::FeePlan* message) {
    message->set_plan_id(plan.id.value());
    message->set_version(plan.version);
    message->set_shared(plan.merchant == domain::kSharedPlan);
    if (!message->shared()) message->set_merchant_id(plan.merchant.value());
    message->set_currency(std::string(plan.currency.code()));
    message->set_rate_basis_points(plan.terms.rate_basis_points);
    message->set_fixed(plan.terms.fixed);
    message->set_minimum(plan.terms.minimum);
    message->set_maximum(plan.terms.maximum);
    message->set_effective_from(plan.effective_from.ToNumber());
    if (plan.effective_to) message->set_effective_to(plan.effective_to->ToNumber());
    if (!plan.tiers.empty()) FillTiers(plan.tiers, message->mutable_tiers());
    for (const domain::FeeRule& rule : plan.rules) FillRule(rule, message->add_rules());
}

void FillAssignment(const domain::PlanAssignment& assignment, v1::PlanAssignment* message) {
    message->set_merchant_id(assignment.merchant.value());
    message->set_plan_id(assignment.plan.value());
    message->set_effective_from(assignment.effective_from.ToNumber());
    if (assignment.effective_to) message->set_effective_to(assignment.effective_to->ToNumber());
}

void FillPlans(const app::MerchantPlans& plans, v1::ListFeePlansResponse* message) {
    for (const auto& [plan, put] : plans.plans) {
        v1::FeePlan* added = message->add_plans();
        FillPlan(plan, added);
        added->set_put_at_us(ToMicros(put.at));
        added->set_put_by(put.by);
    }
    for (const auto& [assignment, put] : plans.assignments) {
        v1::PlanAssignment* added = message->add_assignments();
        FillAssignment(assignment, added);
        added->set_put_at_us(ToMicros(put.at));
        added->set_put_by(put.by);
    }
    for (const domain::MonthVolume& volume : plans.volumes) {
        v1::ListFeePlansResponse::Volume* added = message->add_volumes();
        added->set_month_date(volume.month.ToNumber());
        added->set_volume(volume.volume);
        added->set_effective_from(volume.effective_from.ToNumber());
    }
    if (plans.last) message->set_next_page_token(std::to_string(*plans.last));
}

void FillPreview(const app::FeePlanPreview& preview, v1::FeePlanPreview* message) {
    message->set_from_date(preview.from.ToNumber());
    message->set_to_date(preview.to.ToNumber());
    message->set_currency(std::string(domain::kBookCurrency.code()));
    message->set_merchant_count(preview.merchant_count);
    message->set_accrual_count(preview.total.accrual_count);
    message->set_gross(preview.total.gross);
    message->set_fee_then(preview.total.fee_then);
    message->set_fee_now(preview.total.fee_now);
    message->set_difference(preview.total.fee_now - preview.total.fee_then);
    message->set_without_store_count(preview.without_store_count);
    for (const auto& [merchant, sums] : preview.merchants) {
        v1::FeePlanPreview::Merchant* added = message->add_merchants();
        added->set_merchant_id(merchant.value());
        added->set_accrual_count(sums.accrual_count);
        added->set_gross(sums.gross);
        added->set_fee_then(sums.fee_then);
        added->set_fee_now(sums.fee_now);
        added->set_difference(sums.fee_now - sums.fee_then);
    }
}

}  // namespace kessai::payout::transport
