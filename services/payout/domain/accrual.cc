#include "domain/accrual.h"

#include <string>

#include "domain/reason.h"

namespace kessai::payout::domain {

std::int64_t SignedFee(const FeeTerms& terms, ChangeKind kind, std::int64_t amount,
                       std::int64_t captured_total, std::int64_t refunded_before) {
    const int sign = GrossSign(kind);
    if (sign == 0) return 0;
    const std::int64_t fee = FeeOf(terms, captured_total);
    if (sign > 0) return fee - FeeOf(terms, captured_total - amount);
    return -FeeReturned(fee, captured_total, refunded_before, amount);
}

Result<Accrual> Accrue(const PaymentChange& change, const PlanBook& plans, const TaxTable& taxes) {
    KESSAI_RETURN_IF_ERROR(Validate(change));
    Accrual accrual;
    accrual.key = change.key;
    accrual.event = change.event;
    accrual.business_date = change.business_date;
    accrual.merchant = change.merchant;
    accrual.kind = change.kind;
    accrual.tax_class = taxes.ClassOn(change.payment_date);
    accrual.currency = change.currency;
    accrual.captured_total = change.captured_total;
    accrual.refunded_before = change.refunded_before;
    accrual.payment_date = change.payment_date;
    accrual.content_hash = change.content_hash;

    const int sign = GrossSign(change.kind);
    if (sign == 0) return accrual;
    const FeePlan* plan = plans.InForce(change.merchant, change.payment_date);
    if (plan == nullptr || plan->currency != change.currency) {
        return Status(Code::kFailedPrecondition, reason::kPlanMissing,
                      "no fee plan of merchant " + change.merchant.ToString() + " for " +
                          std::string(change.currency.code()) + " on " +
                          change.payment_date.ToString());
    }
    accrual.gross = sign * change.amount;
    accrual.fee = SignedFee(plan->terms, change.kind, change.amount, change.captured_total,
                            change.refunded_before);
    accrual.plan = plan->id;
    accrual.plan_version = plan->version;
    return accrual;
}

std::optional<std::string> FindFault(const Accrual& accrual, const PlanBook& plans,
                                     const TaxTable& taxes) {
    if (!IsChangeKind(static_cast<std::int64_t>(accrual.kind))) return "the kind is unknown";
    if (accrual.gross < -kMaxAmount || accrual.gross > kMaxAmount) {
        return "gross is out of range";
    }
    const int sign = GrossSign(accrual.kind);
    PaymentChange change;
    change.event = accrual.event;
    change.key = accrual.key;
    change.business_date = accrual.business_date;
    change.kind = accrual.kind;
    change.merchant = accrual.merchant;
    change.currency = accrual.currency;
    change.amount = accrual.gross < 0 ? -accrual.gross : accrual.gross;
    change.captured_total = accrual.captured_total;
    change.refunded_before = accrual.refunded_before;
    change.payment_date = accrual.payment_date;
    change.content_hash = accrual.content_hash;
    if (accrual.gross != sign * change.amount) return "the sign of gross does not fit the kind";

    const Result<Accrual> again = Accrue(change, plans, taxes);
    if (!again.ok()) return again.status().ToString();
    if (again->plan != accrual.plan || again->plan_version != accrual.plan_version) {
        return "plan " + again->plan.ToString() + " version " +
               std::to_string(again->plan_version) + " was in force";
    }
    if (again->fee != accrual.fee) return "the fee is " + std::to_string(again->fee);
    if (again->tax_class != accrual.tax_class) return "the tax class is another";
    return std::nullopt;
}

}  // namespace kessai::payout::domain
