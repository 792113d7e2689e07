#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "domain/payment_change.h"
#include "domain/plan_book.h"
#include "domain/tax.h"

namespace kessai::payout::domain {

/// What one change of a payment means to its merchant: an immutable row, and the journal
/// clearing → pending and fee revenue (see ledger.h).
struct Accrual {
    EffectKey key;
    EventId event;
    BusinessDate business_date;
    MerchantId merchant;
    ChangeKind kind = ChangeKind::kCompleted;
    TaxClass tax_class = TaxClass::kNone;
    Currency currency;
    /// Signed, minor units; zero where no money of the merchant moved.
    std::int64_t gross = 0;
    /// Signed, tax-exclusive.
    std::int64_t fee = 0;
    /// Of the payment, as its event told: with the plan version they give the fee again.
    std::int64_t captured_total = 0;
    std::int64_t refunded_before = 0;
    BusinessDate payment_date;
    /// The same, but kept only where the fee follows them: splits that are not all money, and the
    /// store where the plan has terms of stores.
    MethodSplit captured_methods;
    MethodSplit methods;
    std::string store;
    /// None (0) of what has no fee.
    PlanId plan;
    std::uint32_t plan_version = 0;
    ContentHash content_hash{};

    bool operator==(const Accrual&) const = default;
};

/// The signed fee of a change under `plan`: of a sale what the captured amount's fee grows by, of a
/// return what FeeReturned says (the fee of all that was captured, whatever it was paid with, in
/// proportion to what is returned), of anything else zero (see HasFee). Precondition: a valid
/// change.
std::int64_t SignedFee(const FeePlan& plan, const FeeCase& fee_case, const PaymentChange& change);

/// Applies the plan, the tier and the tax class in force on the payment's own day.
/// Refuses with what Validate(change) refuses, and FAILED_PRECONDITION PLAN_MISSING when no plan of
/// the change's currency is in force.
Result<Accrual> Accrue(const PaymentChange& change, const PlanBook& plans, const TaxTable& taxes);

/// The change that an accrual was made of, as far as it is kept. Precondition: a gross whose
/// magnitude there is, and a known kind.
PaymentChange ChangeOf(const Accrual& accrual);

/// Whether an accrual, computed again from what it says of its payment, is what it says it is: the
/// plan version that was in force, its fee, the tax class, the sign. Nothing when it is; what
/// differs, in words, when it is not.
std::optional<std::string> FindFault(const Accrual& accrual, const PlanBook& plans,
                                     const TaxTable& taxes);

}  // namespace kessai::payout::domain
