#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "domain/day_total.h"

namespace kessai::payout::domain {

/// What of a merchant's day is not a sale. The numbers are stored.
enum class DayPartKind : std::uint8_t {
    /// Cancellations and refunds: sales given back, with their fees.
    kReturns = 1,
    /// Cashback and coupons that the merchant bears, less what came back of them.
    kBenefits = 2,
    /// Changes that move none of the merchant's money.
    kNeutral = 3,
};

/// Nothing of a sale.
std::optional<DayPartKind> PartOf(const Accrual& accrual);

/// A part of a merchant's day: what the day's total holds of that kind. The rest of the total is
/// sales.
struct DayPart {
    BusinessDate business_date;
    DayPartKind kind = DayPartKind::kReturns;
    MerchantSums part;
    /// The days of the payments that it is of.
    BusinessDate payment_first;
    BusinessDate payment_last;

    bool operator==(const DayPart&) const = default;
};

/// The parts of a batch, one for each day, merchant, tax class and kind in it, in that order. Of
/// the usual batch, which is sales, none.
std::vector<DayPart> SumParts(std::span<const Accrual> accruals);

}  // namespace kessai::payout::domain
