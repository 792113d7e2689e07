#pragma once

#include <functional>
#include <map>
#include <stop_token>

#include "app/books.h"
#include "app/compare_day.h"
#include "domain/day_run.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// Use case: compare every day that both sides have closed and that was not compared yet. A day
/// whose comparison failed is tried again after a while that doubles; other days do not wait for
/// it. One thread at a time.
class RunDueDays {
 public:
    struct Options {
        Duration retry_first = std::chrono::seconds(5);
        Duration retry_max = std::chrono::minutes(5);
    };
    /// Told how each attempt ended; RUN_RUNNING (another replica does it) is not told.
    using OnRun = std::function<void(BusinessDate, const Result<domain::DayRun>&)>;

    /// All must outlive it.
    RunDueDays(Transactions& transactions, CompareDay& compare, const Clock& clock, Options options,
               OnRun on_run)
        : transactions_(transactions),
          compare_(compare),
          clock_(clock),
          options_(options),
          on_run_(std::move(on_run)) {}

    /// Compares those that are due now and not waiting. Refuses when the due days cannot be read.
    Status Run(const std::stop_token& stop);

 private:
    struct Retry {
        SteadyInstant at{};
        Duration wait{};
    };
    void Compare(BusinessDate business_date, const std::stop_token& stop);

    Transactions& transactions_;
    CompareDay& compare_;
    const Clock& clock_;
    const Options options_;
    const OnRun on_run_;
    std::map<BusinessDate, Retry> retries_;
};

}  // namespace kessai::reconciliation::app
