#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payout::domain {

/// Which consumption-tax rate a fee is under. The numbers are stored; a new rate gets a new one.
enum class TaxClass : std::uint8_t {
    kNone = 0,
    kStandard8 = 1,
    kStandard10 = 2,
};

/// One rate of the Japanese consumption tax and its days.
struct TaxRate {
    TaxClass tax_class;
    /// "standard_10", as events carry it.
    std::string_view name;
    /// Of the tax-exclusive price.
    std::int64_t numerator;
    std::int64_t denominator;
    BusinessDate effective_from;
};

/// The dated standard rates. A payment fee is a service at the standard rate of the payment's day;
/// a fee given back keeps the rate of its payment (Consumption Tax Act, article 38; National Tax
/// Agency, invoice system Q&A on returns).
class TaxTable {
 public:
    /// Rates in order of their first day; the first one also covers all days before. The span must
    /// outlive the table.
    explicit TaxTable(std::span<const TaxRate> rates);

    /// 8 % from 2014-04-01, 10 % from 2019-10-01 (National Tax Agency, No. 6303).
    static const TaxTable& Japan();

    TaxClass ClassOn(BusinessDate day) const;
    /// Precondition: a class of this table.
    const TaxRate& RateOf(TaxClass tax_class) const;
    /// Refuses with INVALID_ARGUMENT FIELD_INVALID.
    Result<TaxClass> FromNumber(std::int64_t number) const;

 private:
    std::span<const TaxRate> rates_;
};

/// The tax of an invoice for one rate: `fees` × rate, rounded toward zero, once. The qualified
/// invoice rules allow one rounding per invoice and rate, its direction is the issuer's choice
/// (National Tax Agency, No. 6371); toward zero drops the part of a yen, for charges and for
/// returns alike. `fees` is the cycle's sum, tax-exclusive, negative when returns outweigh.
std::int64_t InvoiceTax(const TaxRate& rate, std::int64_t fees);

/// A day's tax is what the cycle's rounded tax grows by when the day's fees join the `fees_before`
/// of the cycle. So the days of a cycle always sum to the invoice's tax, in whatever order they
/// are released. It can differ by one minor unit from rounding the day alone.
std::int64_t DayTax(const TaxRate& rate, std::int64_t fees_before, std::int64_t fees);

/// The invoice cycle that a day belongs to, by its first day: the calendar month.
BusinessDate CycleStart(BusinessDate day);
/// The last day of the cycle that begins with `cycle_start`.
BusinessDate CycleEnd(BusinessDate cycle_start);

}  // namespace kessai::payout::domain
