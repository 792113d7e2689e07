#include "domain/payout_terms.h"

#include <algorithm>
#include <chrono>

#include "domain/transfer_reason.h"

namespace kessai::payout::domain {
namespace {

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, reason::kTermsInvalid, std::move(message));
}

bool IsDayOf(const PayoutTerms& terms, BusinessDate date) {
    const std::chrono::year_month_day day(date.day());
    const bool last = std::chrono::year_month_day(date.Next().day()).month() != day.month();
    switch (terms.cycle) {
        case PayoutCycle::kDaily:
            return true;
        case PayoutCycle::kWeekly:
            return static_cast<int>(std::chrono::weekday(date.day()).iso_encoding()) ==
                   terms.weekday;
        case PayoutCycle::kTwiceAMonth:
            return last || day.day() == std::chrono::day(15);
        case PayoutCycle::kMonthEnd:
            return last;
        case PayoutCycle::kOnDemand:
            return false;
    }
    return false;
}

}  // namespace

bool PayoutTerms::SameAs(const PayoutTerms& other) const {
    PayoutTerms same = other;
    same.version = version;
    return same == *this;
}

Status CheckTerms(const PayoutTerms& terms) {
    const auto number = static_cast<int>(terms.cycle);
    if (number < static_cast<int>(PayoutCycle::kDaily) ||
        number > static_cast<int>(PayoutCycle::kOnDemand)) {
        return Invalid("there is no such cycle");
    }
    const bool weekly = terms.cycle == PayoutCycle::kWeekly;
    if (weekly && (terms.weekday < 1 || terms.weekday > 7)) {
        return Invalid("a weekly cycle's weekday is 1 (Monday) to 7");
    }
    if (!weekly && terms.weekday != 0) return Invalid("only a weekly cycle has a weekday");
    if (terms.minimum_amount < 1 || terms.minimum_amount > kTransferAmountMax) {
        return Invalid("minimum_amount is at least 1 and has at most ten digits");
    }
    for (const std::int64_t fee : {terms.transfer_fee, terms.on_demand_fee}) {
        if (fee < 0 || fee > kTransferFeeMax) return Invalid("a fee is 0 to 1,000,000");
    }
    return OkStatus();
}

bool IsDue(const PayoutTerms& terms, BusinessDate previous, BusinessDate date) {
    for (BusinessDate day = previous.Next(); day <= date; day = day.Next()) {
        if (IsDayOf(terms, day)) return true;
    }
    return false;
}

std::optional<PayoutAmounts> AmountsToPay(std::int64_t available, const PayoutTerms& terms,
                                          bool on_demand, const TaxRate& rate) {
    const std::int64_t price = terms.transfer_fee + (on_demand ? terms.on_demand_fee : 0);
    if (available <= price) return std::nullopt;
    PayoutAmounts amounts;
    amounts.amount = std::min(available - price, kTransferAmountMax);
    if (amounts.amount < terms.minimum_amount) return std::nullopt;
    amounts.tax = price * rate.numerator / (rate.denominator + rate.numerator);
    amounts.fee = price - amounts.tax;
    return amounts;
}

}  // namespace kessai::payout::domain
