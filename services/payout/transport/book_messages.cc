#include "transport/book_messages.h"

#include <string>

#include "domain/day_total.h"

namespace kessai::payout::transport {
namespace {

void Fill(const domain::FeeSums& sums, v1::FeeReport::Sums* message) {
    message->set_accrual_count(sums.accrual_count);
    message->set_gross(sums.gross);
    message->set_charged(sums.charged);
    message->set_return_count(sums.return_count);
    message->set_given_back(sums.given_back);
    message->set_fee(sums.charged + sums.given_back);
}

/// Null for what a damaged row says.
const domain::TaxRate* RateOf(domain::TaxClass tax_class, const domain::TaxTable& taxes) {
    const auto known = taxes.FromNumber(static_cast<std::int64_t>(tax_class));
    return known.ok() ? &taxes.RateOf(*known) : nullptr;
}

std::string NameOf(domain::TaxClass tax_class, const domain::TaxTable& taxes) {
    const domain::TaxRate* rate = RateOf(tax_class, taxes);
    return rate == nullptr ? "UNKNOWN" : std::string(rate->name);
}

}  // namespace

v1::TrialBalance ToMessage(const app::DayBalance& balance) {
    v1::TrialBalance message;
    message.set_business_date(balance.day.ToNumber());
    message.set_journals_final(balance.journals_final());
    message.set_final(balance.is_final());
    message.set_openings_closed(balance.openings_closed);
    const app::DayStanding& standing = balance.standing;
    if (standing.state) message.set_state(static_cast<v1::PayoutDay::State>(*standing.state));
    message.set_has_holds(standing.has_holds);
    message.set_released_count(standing.released_count);
    message.set_released_gross(standing.released_gross);
    for (int number = 0; number < domain::kAccounts; ++number) {
        const auto account = static_cast<domain::Account>(number);
        v1::TrialBalance::Line* line = message.add_lines();
        line->set_account(std::string(domain::AccountName(account)));
        line->set_amount(balance.moved.Of(account));
        line->set_opening(balance.opening.Of(account));
        line->set_closing(balance.closing.Of(account));
    }
    return message;
}

v1::FeeReport ToMessage(const app::FeeReport& report, const domain::TaxTable& taxes) {
    v1::FeeReport message;
    message.set_business_date(report.day.ToNumber());
    message.set_currency(std::string(domain::kBookCurrency.code()));
    if (report.state) message.set_state(static_cast<v1::PayoutDay::State>(*report.state));
    message.set_final(report.is_final);
    for (const domain::FeeLine& line : report.lines) {
        v1::FeeReport::Line* added = message.add_lines();
        added->set_owner(static_cast<v1::FeeReport::PlanOwner>(line.owner));
        added->set_merchant_id(line.merchant.value());
        added->set_plan_id(line.plan.value());
        added->set_plan_version(line.plan_version);
        added->set_plan_count(line.plan_count);
        added->set_tax_class(NameOf(line.tax_class, taxes));
        Fill(line.sums, added->mutable_sums());
    }
    for (const app::FeeReport::Rate& rate : report.rates) {
        v1::FeeReport::Rate* added = message.add_rates();
        added->set_tax_class(NameOf(rate.tax_class, taxes));
        if (const domain::TaxRate* of_class = RateOf(rate.tax_class, taxes)) {
            added->set_percent(
                static_cast<std::uint32_t>(of_class->numerator * 100 / of_class->denominator));
        }
        Fill(rate.sums, added->mutable_sums());
        added->set_booked_fee(rate.booked_fee);
        added->set_released_fee(rate.released_fee);
        added->set_tax(rate.tax);
    }
    message.mutable_payout_prices()->set_count(report.prices.count);
    message.mutable_payout_prices()->set_fee(report.prices.fee);
    message.mutable_payout_prices()->set_tax(report.prices.tax);
    message.set_fee_revenue(report.fee_revenue);
    message.set_consumption_tax(report.consumption_tax);
    return message;
}

}  // namespace kessai::payout::transport
