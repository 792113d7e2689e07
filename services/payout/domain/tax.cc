#include "domain/tax.h"

#include <array>
#include <string>

#include "domain/reason.h"
#include "kessai/money/money.h"

namespace kessai::payout::domain {
namespace {

using std::chrono::year;

constexpr std::array kJapan{
    TaxRate{TaxClass::kStandard8, "standard_8", 8, 100,
            BusinessDate(std::chrono::sys_days(year(2014) / 4 / 1))},
    TaxRate{TaxClass::kStandard10, "standard_10", 10, 100,
            BusinessDate(std::chrono::sys_days(year(2019) / 10 / 1))},
};

}  // namespace

TaxTable::TaxTable(std::span<const TaxRate> rates) : rates_(rates) {
    KESSAI_CHECK(!rates_.empty(), "there is a tax rate");
    for (std::size_t i = 1; i < rates_.size(); ++i) {
        KESSAI_CHECK(rates_[i - 1].effective_from < rates_[i].effective_from,
                     "tax rates are in order of their days");
    }
}

const TaxTable& TaxTable::Japan() {
    static const TaxTable table(kJapan);
    return table;
}

TaxClass TaxTable::ClassOn(BusinessDate day) const {
    TaxClass found = rates_.front().tax_class;
    for (const TaxRate& rate : rates_) {
        if (rate.effective_from <= day) found = rate.tax_class;
    }
    return found;
}

const TaxRate& TaxTable::RateOf(TaxClass tax_class) const {
    for (const TaxRate& rate : rates_) {
        if (rate.tax_class == tax_class) return rate;
    }
    KESSAI_CHECK(false, "a tax class without a rate");
}

Result<TaxClass> TaxTable::FromNumber(std::int64_t number) const {
    for (const TaxRate& rate : rates_) {
        if (static_cast<std::int64_t>(rate.tax_class) == number) return rate.tax_class;
    }
    return Status(Code::kInvalidArgument, reason::kFieldInvalid,
                  "no tax class " + std::to_string(number));
}

std::int64_t InvoiceTax(const TaxRate& rate, std::int64_t fees) {
    KESSAI_CHECK(fees > INT64_MIN, "fees are within range");
    const std::int64_t magnitude =
        FloorMulDiv(fees < 0 ? -fees : fees, rate.numerator, rate.denominator).value();
    return fees < 0 ? -magnitude : magnitude;
}

std::int64_t DayTax(const TaxRate& rate, std::int64_t fees_before, std::int64_t fees) {
    const std::int64_t after = CheckedAdd(fees_before, fees).value();
    return InvoiceTax(rate, after) - InvoiceTax(rate, fees_before);
}

BusinessDate CycleStart(BusinessDate day) {
    const std::chrono::year_month_day ymd(day.day());
    return BusinessDate(std::chrono::sys_days(ymd.year() / ymd.month() / 1));
}

BusinessDate CycleEnd(BusinessDate cycle_start) {
    return CycleStart(cycle_start.PlusDays(31)).Previous();
}

}  // namespace kessai::payout::domain
