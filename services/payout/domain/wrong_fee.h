#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "domain/accrual.h"

namespace kessai::payout::domain {

/// An accrual whose fee or tax class is not what it should be.
struct WrongFee {
    Accrual accrual;
    std::int64_t expected_fee = 0;
    TaxClass expected_class = TaxClass::kNone;
    /// What is wrong, in words: as FindFault.
    std::string note;
};

/// FindFault with what the fee and the tax class should be. Where they are right and something else
/// is wrong (the plan that is named, the sign), both are as the row has them; where nothing can be
/// computed from the row, the fee should be zero.
std::optional<WrongFee> FindWrongFee(const Accrual& accrual, const PlanBook& plans,
                                     const TaxTable& taxes);

}  // namespace kessai::payout::domain
