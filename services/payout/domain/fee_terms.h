#pragma once

#include <cstdint>

#include "kessai/result/result.h"

namespace kessai::payout::domain {

/// How a fee is computed, tax-exclusive, minor units of the plan's currency:
///
///     fee = min(max(floor(amount × rate) + fixed, minimum), maximum)
struct FeeTerms {
    /// Hundredths of a percent, 0 to 10,000.
    std::uint32_t rate_basis_points = 0;
    std::int64_t fixed = 0;
    std::int64_t minimum = 0;
    /// 0: none.
    std::int64_t maximum = 0;

    bool operator==(const FeeTerms&) const = default;
};

/// Refuses with INVALID_ARGUMENT PLAN_INVALID a rate above 100 %, negative or huge amounts, and a
/// maximum below the minimum.
Status Validate(const FeeTerms& terms);

/// The fee of a captured amount; of nothing it is zero, whatever the minimum.
/// Preconditions: valid terms, 0 ≤ amount ≤ kMaxAmount (so nothing overflows).
std::int64_t FeeOf(const FeeTerms& terms, std::int64_t amount);

/// What a refund gives back of the payment's fee, when `refunded_before` of `captured` was refunded
/// earlier and `amount` is now: the growth of floor(fee × refunded ÷ captured). So the fees given
/// back never exceed the fee, do not depend on how a total is split over refunds, and refunds of
/// the whole give back exactly the whole fee.
/// Preconditions: 0 ≤ fee, 0 < captured, 0 ≤ refunded_before, 0 ≤ amount,
/// refunded_before + amount ≤ captured.
std::int64_t FeeReturned(std::int64_t fee, std::int64_t captured, std::int64_t refunded_before,
                         std::int64_t amount);

}  // namespace kessai::payout::domain
