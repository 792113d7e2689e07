#pragma once

#include <cstdint>
#include <string_view>

#include "kessai/time/business_date.h"

namespace kessai::reconciliation::domain {

/// The consumption-tax rate that a fee is under, as payout names it. Numbers are stored, and are
/// those of payout's rows, so that both digest the same.
enum class TaxClass : std::uint8_t {
    kNone = 0,
    kStandard8 = 1,
    kStandard10 = 2,
    /// Payout named a class that we do not know.
    kUnknown = 254,
    /// Nothing was noted: payout has not told of it, or an older version heard it.
    kNotNoted = 255,
};

/// From "standard_10" and so on.
TaxClass TaxClassNamed(std::string_view name);
std::string_view TaxClassName(TaxClass tax_class);

/// The standard rate on a day: 8 % until 2019-09-30, 10 % from 2019-10-01 (National Tax Agency, No.
/// 6303). Written a second time here, because what checks payout must not be payout's.
TaxClass TaxClassOn(BusinessDate day);

/// The tax in a fee alone, toward zero; none of a class that is no rate.
std::int64_t TaxOf(TaxClass tax_class, std::int64_t fee);

/// What payout says of a change's fee.
struct ToldFee {
    /// Signed minor units, tax-exclusive.
    std::int64_t fee = 0;
    TaxClass tax_class = TaxClass::kNotNoted;

    bool noted() const { return tax_class != TaxClass::kNotNoted; }
    bool operator==(const ToldFee&) const = default;
};

}  // namespace kessai::reconciliation::domain
