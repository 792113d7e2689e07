#include "domain/accrual.h"

#include <string>

#include "domain/day_total.h"
#include "domain/reason.h"

namespace kessai::payout::domain {
namespace {

FeeCase CaseOf(const PaymentChange& change, const FeePlan& plan, BusinessDate since,
               const PlanBook& plans) {
    FeeCase fee_case{change.store, change.payment_date, since, 0};
    if (HasTiers(plan)) fee_case.volume = plans.VolumeOn(change.merchant, change.payment_date);
    return fee_case;
}

}  // namespace

std::int64_t SignedFee(const FeePlan& plan, const FeeCase& fee_case, const PaymentChange& change) {
    if (!HasFee(change.kind)) return 0;
    const std::int64_t fee = FeeOf(plan, fee_case, change.captured_total, change.captured_methods);
    if (GrossSign(change.kind) < 0) {
        return -FeeReturned(fee, change.captured_total, change.refunded_before, change.amount);
    }
    if (change.captured_total == change.amount) return fee;
    const auto before =
        SplitWithout(change.captured_methods, change.captured_total, change.methods, change.amount);
    KESSAI_CHECK(before.ok(), "changes are validated before fees");
    return fee - FeeOf(plan, fee_case, change.captured_total - change.amount, *before);
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

    accrual.gross = GrossSign(change.kind) * change.amount;
    if (!HasFee(change.kind)) return accrual;
    const auto [plan, since] = plans.Find(change.merchant, change.payment_date);
    if (plan == nullptr || plan->currency != change.currency) {
        return Status(Code::kFailedPrecondition, reason::kPlanMissing,
                      "no fee plan of merchant " + change.merchant.ToString() + " for " +
                          std::string(change.currency.code()) + " on " +
                          change.payment_date.ToString());
    }
    accrual.fee = SignedFee(*plan, CaseOf(change, *plan, since, plans), change);
    accrual.captured_methods = change.captured_methods;
    if (change.kind == ChangeKind::kCaptured) accrual.methods = change.methods;
    if (HasStores(*plan)) accrual.store = change.store;
    accrual.plan = plan->id;
    accrual.plan_version = plan->version;
    return accrual;
}

PaymentChange ChangeOf(const Accrual& accrual) {
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
    change.captured_methods = accrual.captured_methods;
    change.methods = accrual.methods;
    change.store = accrual.store;
    change.content_hash = accrual.content_hash;
    return change;
}

std::optional<std::string> FindFault(const Accrual& accrual, const PlanBook& plans,
                                     const TaxTable& taxes) {
    if (!IsChangeKind(static_cast<std::int64_t>(accrual.kind))) return "the kind is unknown";
    if (accrual.gross < -kMaxAmount || accrual.gross > kMaxAmount) {
        return "gross is out of range";
    }
    if (accrual.currency != kBookCurrency) {
        return "the currency is " + std::string(accrual.currency.code());
    }
    const PaymentChange change = ChangeOf(accrual);
    if (accrual.gross != GrossSign(accrual.kind) * change.amount) {
        return "the sign of gross does not fit the kind";
    }
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
