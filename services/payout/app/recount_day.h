#pragma once

#include <map>
#include <stop_token>
#include <string>

#include "app/plan_cache.h"
#include "app/release_store.h"
#include "domain/recount.h"

namespace kessai::payout::app {

struct RecountOptions {
    /// Each with a session of its own.
    int threads = 2;
    /// The day is cut into so many even ranges of buckets.
    int segments = 64;
};

/// What the accrual rows of a day say, whatever the totals say.
struct DayRecount {
    domain::Recount sums;
    /// Deep only: of each merchant with a wrong accrual, the first one found, in words.
    std::map<domain::MerchantId, std::string> faults;
    std::int64_t rows = 0;
};

/// Aggregates a day's accruals anew: threads take segments, sum what they see by merchant in memory
/// of their own, and the sums are reduced over the threads later, one merchant range at a time. No
/// thread has a merchant to itself, so the largest one does not matter. Thread safe.
class RecountDay {
 public:
    RecountDay(RecountOptions options, ReleaseStore& store, PlanCache& plans,
               const domain::TaxTable& taxes)
        : options_(options), store_(store), plans_(plans), taxes_(taxes) {}

    /// `deep` computes every fee again. Refusals: the database's, and UNAVAILABLE STOPPING soon
    /// after `stop` was requested.
    Result<DayRecount> Run(BusinessDate day, bool deep, const std::stop_token& stop = {});

 private:
    struct Part;
    Status ScanSegment(BusinessDate day, int segment, bool deep, Part& part);

    const RecountOptions options_;
    ReleaseStore& store_;
    PlanCache& plans_;
    const domain::TaxTable& taxes_;
};

}  // namespace kessai::payout::app
