#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "app/books.h"
#include "app/payout_day_book.h"
#include "app/peer_book.h"
#include "domain/day_comparison.h"
#include "domain/day_run.h"
#include "kessai/digest/row_hash.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// Everything it works with; all must outlive it.
struct CompareDayPorts {
    Transactions& transactions;
    RunLeases& leases;
    PeerBook& payment;
    PeerBook& payout;
    const digest::RowHasher& hasher;
    const Clock& clock;
    /// Of whom a deep run asks for the fees; null: nobody.
    PayoutDayBook* payout_day = nullptr;
};

/// Use case: compare a closed day of payment, payout and what was matched, and record every
/// difference.
///
/// Equal digests end it. Unequal buckets are listed from all three books and joined in order of the
/// keys, some of them side by side, so the cost follows the differences, and its memory is that of
/// a bucket a thread. Running it again finds the same and records nothing new; what it no longer
/// finds is recorded as repaired. A run that was killed leaves its row RUNNING until the next one
/// of that day marks it as failed; what it found stays. Thread safe; one replica at a time compares
/// a day.
class CompareDay {
 public:
    /// `threads` compare buckets side by side; each asks one peer at a time, and takes a
    /// transaction of ours.
    explicit CompareDay(CompareDayPorts ports, int threads = 1)
        : ports_(ports), threads_(threads) {}

    /// `deep`: the books compute their digests from their rows, and those that they keep are
    /// checked against them; payout computes its fees again, and those of its rows are compared
    /// with what it told. Refusals: FAILED_PRECONDITION DAY_OPEN; ABORTED RUN_RUNNING, BOOKS_MOVED
    /// (a bucket kept changing); CANCELLED when `stop` ended it; those of the books.
    Result<domain::DayRun> Run(BusinessDate business_date, bool deep, std::stop_token stop = {});

 private:
    class Pass;
    Status CheckClosed(BusinessDate business_date);
    Result<domain::DayRun> Begin(BusinessDate business_date, bool deep, const RunLease& lease);
    Status Finish(const domain::DayRun& run, const RunLease& lease);

    const CompareDayPorts ports_;
    const int threads_;
};

}  // namespace kessai::reconciliation::app
