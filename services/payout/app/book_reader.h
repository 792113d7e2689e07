#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "domain/fee_report.h"
#include "domain/merchant_journal.h"
#include "domain/release.h"
#include "domain/trial_balance.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::payout::app {

/// What can still be added to a day.
struct DayStanding {
    /// Nothing: no change of the day was seen.
    std::optional<domain::DayState> state;
    /// Somebody is held back still, so accruals and a release may come.
    bool has_holds = false;
    /// The ledger's gate: no journal is added to a day before it.
    BusinessDate ledger_date;
    /// Rounds of its release that are finished, and their gross: what payment was told.
    std::int64_t released_count = 0;
    std::int64_t released_gross = 0;

    bool IsClosed() const { return state.has_value() && *state != domain::DayState::kOpen; }
    bool IsFinal(BusinessDate day) const {
        return state == domain::DayState::kReleased && !has_holds && ledger_date > day;
    }
};

/// What a day's rows sum to, over all merchants.
struct DaySums {
    /// By the totals that batches keep.
    std::map<domain::TaxClass, domain::Sums> accrued;
    struct Released {
        std::int64_t gross = 0;
        std::int64_t fee = 0;
        std::int64_t tax = 0;
        std::int64_t net = 0;
    };
    std::map<domain::TaxClass, Released> released;
    /// Journals of each kind as one, and their number.
    struct Journals {
        domain::MerchantJournal sum;
        std::int64_t count = 0;
        /// Of these, how many have a price.
        std::int64_t priced_count = 0;
    };
    std::vector<Journals> journals;
};

/// Sums over days for accounting, each query answered from committed rows. It takes no lock, and
/// nothing waits for it. Thread safe.
class BookReader {
 public:
    virtual ~BookReader() = default;

    virtual Result<DayStanding> StandingOf(BusinessDate day) = 0;
    /// The day's accruals with a bucket from `first` to `last`, grouped. Reads each row once.
    virtual Result<std::vector<domain::FeeGroup>> GroupFees(BusinessDate day, int first_bucket,
                                                            int last_bucket) = 0;
    virtual Result<DaySums> SumDay(BusinessDate day) = 0;

    /// Days before `day` that have accruals, releases or journals, rising.
    virtual Result<std::vector<BusinessDate>> DaysBefore(BusinessDate day) = 0;
    /// What was kept of days up to `day`.
    virtual Result<std::map<BusinessDate, domain::TrialBalance>> KeptThrough(BusinessDate day) = 0;
    /// Keeps what a day moved, unless it is kept. Precondition: the day is final.
    virtual Status Keep(BusinessDate day, const domain::TrialBalance& moved, Instant at) = 0;
};

/// The movement that a day's sums are: a sum has the postings of what it sums. OUT_OF_RANGE
/// AMOUNT_OVERFLOW.
Result<domain::TrialBalance> MovedBy(const DaySums& sums);

}  // namespace kessai::payout::app
