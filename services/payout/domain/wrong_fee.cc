#include "domain/wrong_fee.h"

#include <utility>

namespace kessai::payout::domain {

std::optional<WrongFee> FindWrongFee(const Accrual& accrual, const PlanBook& plans,
                                     const TaxTable& taxes) {
    auto fault = FindFault(accrual, plans, taxes);
    if (!fault) return std::nullopt;
    WrongFee wrong{.accrual = accrual,
                   .expected_class = taxes.ClassOn(accrual.payment_date),
                   .note = *std::move(fault)};
    const bool readable = IsChangeKind(static_cast<std::int64_t>(accrual.kind)) &&
                          accrual.gross >= -kMaxAmount && accrual.gross <= kMaxAmount;
    if (!readable) return wrong;
    if (const auto again = Accrue(ChangeOf(accrual), plans, taxes); again.ok()) {
        wrong.expected_fee = again->fee;
        wrong.expected_class = again->tax_class;
    }
    return wrong;
}

}  // namespace kessai::payout::domain
