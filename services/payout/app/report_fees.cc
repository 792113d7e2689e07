#include "app/report_fees.h"

#include <map>
#include <mutex>
#include <utility>

#include "app/parallel.h"
#include "domain/ledger.h"
#include "kessai/digest/accumulator.h"
#include "kessai/money/money.h"

namespace kessai::payout::app {
namespace {

// A day is read in so many parts, and between them it is asked whether to go on.
constexpr int kSegments = 64;

Result<FeeReport::Prices> PricesOf(const DaySums& sums) {
    domain::TrialBalance moved;
    FeeReport::Prices prices;
    for (const DaySums::Journals& journals : sums.journals) {
        KESSAI_RETURN_IF_ERROR(moved.Add(domain::PostingsOf(journals.sum)));
        prices.count += journals.priced_count;
    }
    prices.fee = moved.Of(domain::Account::kFeeRevenue);
    prices.tax = moved.Of(domain::Account::kConsumptionTax);
    return prices;
}

std::vector<FeeReport::Rate> RatesOf(const std::map<domain::TaxClass, domain::FeeSums>& by_rows,
                                     const DaySums& sums) {
    std::map<domain::TaxClass, FeeReport::Rate> rates;
    for (const auto& [tax_class, of_rows] : by_rows) rates[tax_class].sums = of_rows;
    for (const auto& [tax_class, accrued] : sums.accrued) {
        rates[tax_class].booked_fee = accrued.fee;
    }
    for (const auto& [tax_class, released] : sums.released) {
        rates[tax_class].released_fee = released.fee;
        rates[tax_class].tax = released.tax;
    }
    std::vector<FeeReport::Rate> found;
    for (auto& [tax_class, rate] : rates) {
        rate.tax_class = tax_class;
        found.push_back(rate);
    }
    return found;
}

}  // namespace

Result<FeeReport> ReportFees::Run(BusinessDate day, const GoOn& go_on) {
    FeeReport report;
    report.day = day;
    KESSAI_ASSIGN_OR_RETURN(const DayStanding standing, StandingOf(day, books_, ledger_, clock_));
    report.state = standing.state;
    report.is_final = standing.IsFinal(day);
    KESSAI_ASSIGN_OR_RETURN(const domain::FeeTally tally, Tally(day, go_on));
    KESSAI_RETURN_IF_ERROR(go_on());
    KESSAI_ASSIGN_OR_RETURN(const DaySums sums, books_.SumDay(day));

    // Behind the rows, so that all of their plans are known.
    KESSAI_ASSIGN_OR_RETURN(const auto updates, plan_source_.PlansAfter(plans_.revision()));
    plans_.Add(updates);
    Result<std::vector<domain::FeeLine>> lines = plans_.Read(
        [&](const domain::PlanBook& book) { return tally.Lines(book, options_.lines_max); });
    KESSAI_RETURN_IF_ERROR(lines.status());
    report.lines = *std::move(lines);
    KESSAI_ASSIGN_OR_RETURN(const auto by_rows, tally.ByTaxClass());
    report.rates = RatesOf(by_rows, sums);
    KESSAI_ASSIGN_OR_RETURN(report.prices, PricesOf(sums));
    KESSAI_ASSIGN_OR_RETURN(const domain::TrialBalance moved, MovedBy(sums));
    report.fee_revenue = moved.Of(domain::Account::kFeeRevenue);
    report.consumption_tax = moved.Of(domain::Account::kConsumptionTax);
    return report;
}

Result<domain::FeeTally> ReportFees::Tally(BusinessDate day, const GoOn& go_on) {
    domain::FeeTally tally;
    std::mutex mutex;
    KESSAI_RETURN_IF_ERROR(
        RunInParallel(kSegments, options_.threads, [&](int segment, int) -> Status {
            KESSAI_RETURN_IF_ERROR(go_on());
            const int first = digest::kBuckets * segment / kSegments;
            const int last = digest::kBuckets * (segment + 1) / kSegments - 1;
            KESSAI_ASSIGN_OR_RETURN(const auto groups, books_.GroupFees(day, first, last));
            const std::lock_guard lock(mutex);
            for (const domain::FeeGroup& group : groups) {
                KESSAI_RETURN_IF_ERROR(tally.Add(group));
            }
            return OkStatus();
        }));
    return tally;
}

}  // namespace kessai::payout::app
