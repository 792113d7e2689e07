#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "app/balance_books.h"
#include "app/book_reader.h"
#include "app/plan_cache.h"
#include "app/release_store.h"
#include "domain/fee_report.h"
#include "domain/tax.h"

namespace kessai::payout::app {

/// A day's fees and tax as accounting books them. Fees are tax-exclusive.
struct FeeReport {
    /// What is under one tax rate.
    struct Rate {
        domain::TaxClass tax_class = domain::TaxClass::kNone;
        /// Of the accrual rows, like the lines by plan.
        domain::FeeSums sums;
        /// What the day's totals say, which the ledger and its trial balance follow. As `sums`, or
        /// rows were damaged: the release holds those merchants back.
        std::int64_t booked_fee = 0;
        /// Of merchants whose day is released, and the tax that it was released with.
        std::int64_t released_fee = 0;
        std::int64_t tax = 0;
    };
    /// The prices of the payouts that the day's journals charge, and give back.
    struct Prices {
        std::int64_t count = 0;
        std::int64_t fee = 0;
        std::int64_t tax = 0;
    };

    BusinessDate day;
    std::optional<domain::DayState> state;
    /// Nothing of the day changes any more.
    bool is_final = false;
    std::vector<domain::FeeLine> lines;
    std::vector<Rate> rates;
    Prices prices;
    /// What the day moved in FEE_REVENUE and CONSUMPTION_TAX: booked fees, taxes and prices.
    std::int64_t fee_revenue = 0;
    std::int64_t consumption_tax = 0;
};

/// Sums a day's accruals by plan version and tax rate, from the rows, each read once, by several
/// threads. Tax is not of plans: it is rounded once a merchant, rate and cycle, over all of its
/// plans (domain/tax.h), so it is shown by rate, as released. Changes nothing. Thread safe.
class ReportFees {
 public:
    struct Options {
        int threads = 2;
        /// Lines by plan; see FeeTally::Lines.
        std::size_t lines_max = 5'000;
    };
    /// All must outlive it.
    ReportFees(Options options, BookReader& books, LedgerStore& ledger, ReleaseStore& plan_source,
               PlanCache& plans, const Clock& clock)
        : options_(options),
          books_(books),
          ledger_(ledger),
          plan_source_(plan_source),
          plans_(plans),
          clock_(clock) {}

    /// Asked again and again while it works, by several threads at once: what this refuses with
    /// ends the report.
    using GoOn = std::function<Status()>;
    /// Refusals: those of `go_on`; OUT_OF_RANGE AMOUNT_OVERFLOW; the database's. A day without
    /// rows is empty. Of a day that is not final it says what is there by now.
    Result<FeeReport> Run(BusinessDate day, const GoOn& go_on = OkStatus);

 private:
    Result<domain::FeeTally> Tally(BusinessDate day, const GoOn& go_on);

    const Options options_;
    BookReader& books_;
    LedgerStore& ledger_;
    ReleaseStore& plan_source_;
    PlanCache& plans_;
    const Clock& clock_;
};

}  // namespace kessai::payout::app
