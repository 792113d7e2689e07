#pragma once

#include <cstddef>
#include <stop_token>
#include <vector>

#include "app/plan_cache.h"
#include "app/recount_day.h"
#include "app/release_store.h"
#include "domain/wrong_fee.h"
#include "kessai/result/result.h"

namespace kessai::payout::app {

/// Computes every fee of a closed day again, by the plans that were in force, and names each
/// accrual that is another: the deep recount's check, by change instead of by merchant. Changes
/// nothing. Thread safe.
class CheckFees {
 public:
    /// So many are named: more are a fault of all, which the first ones show.
    static constexpr std::size_t kNamedMax = 10'000;

    /// All must outlive it.
    CheckFees(RecountOptions options, ReleaseStore& store, PlanCache& plans,
              const domain::TaxTable& taxes)
        : options_(options), store_(store), plans_(plans), taxes_(taxes) {}

    /// Rising by payment and version. Refusals: the database's; FAILED_PRECONDITION DAY_OPEN;
    /// UNAVAILABLE STOPPING soon after `stop` was requested.
    Result<std::vector<domain::WrongFee>> Run(BusinessDate day, const std::stop_token& stop = {});

 private:
    const RecountOptions options_;
    ReleaseStore& store_;
    PlanCache& plans_;
    const domain::TaxTable& taxes_;
};

}  // namespace kessai::payout::app
