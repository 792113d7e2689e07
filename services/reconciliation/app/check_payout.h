#pragma once

#include <functional>
#include <map>
#include <stop_token>

#include "app/books.h"
#include "app/payout_books.h"
#include "app/payout_day_book.h"
#include "domain/payout_check.h"
#include "kessai/digest/row_hash.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// Everything it works with; all must outlive it.
struct CheckPayoutPorts {
    Transactions& transactions;
    RunLeases& leases;
    PayoutDayBook& payout;
    const digest::RowHasher& hasher;
    const Clock& clock;
};

/// Use case: hold payout's totals and releases of a closed day against what was matched of its
/// merchants, and its transfers of the day before against the events that told of them.
///
/// Payout's digests over merchants are compared with ours; merchants are listed from both sides, by
/// pages, only in buckets that differ. Releases can only be compared once payout has released the
/// day, and transfers of a day once nothing is added to it; so a day is checked when it was
/// compared, and again when payout tells of its release (NoteTransfers asks for that). A deep check
/// also looks at net and tax of every release, at the balances of the merchants that moved on the
/// day before, and at the parts of the transfers that were made on it; any check does so of the
/// merchants in whom that found something before, and settles it.
///
/// An event of a release that was lost is missed when it can come no more: the check of the day
/// that it is of, behind which payout's mark stands, asks payout whom it told then, and asks for
/// checks of the days of which nothing was heard.
///
/// The transfers are those of the day before, because payout's mark of a day stands behind all
/// events of earlier days: with both sides' marks here, none of them can still be on its way.
///
/// Running it again finds the same and records nothing new; what it no longer finds is recorded as
/// repaired. One replica at a time checks or compares a day. Thread safe.
class CheckPayout {
 public:
    explicit CheckPayout(CheckPayoutPorts ports) : ports_(ports) {}

    /// Refusals: FAILED_PRECONDITION DAY_OPEN; ABORTED RUN_RUNNING; CANCELLED RUN_STOPPED when
    /// `stop` ended it; those of payout.
    Result<domain::PayoutCheck> Run(BusinessDate business_date, bool deep,
                                    std::stop_token stop = {});

 private:
    class Pass;
    Result<domain::PayoutCheck> Begin(BusinessDate business_date, bool deep, const RunLease& lease,
                                      DueCheck& answered);

    CheckPayoutPorts ports_;
};

/// Use case: check every day whose check was asked for. One that fails is tried again after a while
/// that doubles; others do not wait for it. One thread at a time.
class RunDueChecks {
 public:
    struct Options {
        Duration retry_first = std::chrono::seconds(5);
        Duration retry_max = std::chrono::minutes(5);
    };
    using OnCheck = std::function<void(BusinessDate, const Result<domain::PayoutCheck>&)>;

    /// All must outlive it.
    RunDueChecks(Transactions& transactions, CheckPayout& check, const Clock& clock,
                 Options options, OnCheck on_check)
        : transactions_(transactions),
          check_(check),
          clock_(clock),
          options_(options),
          on_check_(std::move(on_check)) {}

    /// Refuses when the due checks cannot be read.
    Status Run(const std::stop_token& stop);

 private:
    struct Retry {
        SteadyInstant at{};
        Duration wait{};
    };
    void Check(BusinessDate business_date, const std::stop_token& stop);

    Transactions& transactions_;
    CheckPayout& check_;
    const Clock& clock_;
    const Options options_;
    const OnCheck on_check_;
    std::map<BusinessDate, Retry> retries_;
};

}  // namespace kessai::reconciliation::app
