#pragma once

#include <span>

#include "app/books.h"
#include "app/payout_books.h"
#include "domain/transfer_check.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// Use case: payout tells what becomes of transfers, and that a day was released. What cannot
/// follow what it told before is a discrepancy at once; a release asks for the day to be checked
/// again. Thread safe; works in the caller's transaction.
class NoteTransfers {
 public:
    /// It must outlive this.
    explicit NoteTransfers(const Clock& clock) : clock_(clock) {}

    /// In the order in which payout told them, none that was noted before.
    Status Apply(Books& books, std::span<const domain::TransferNotice> notices) const;
    Status Apply(Books& books, std::span<const ReleaseNotice> notices) const;

 private:
    const Clock& clock_;
};

/// Use case: transfers whose result has not come in time. Bank business days are counted, so it
/// needs the calendar (OUT_OF_RANGE DATE_OUTSIDE_CALENDAR beyond it). Thread safe.
class FindOverdueResults {
 public:
    /// `bank_days`: a result is due so many bank business days after the transfer date; at least 1.
    FindOverdueResults(Transactions& transactions, const Clock& clock, int bank_days)
        : transactions_(transactions), clock_(clock), bank_days_(bank_days) {}

    /// Records all that are overdue now; again changes nothing.
    Status Run();

 private:
    Transactions& transactions_;
    const Clock& clock_;
    const int bank_days_;
};

}  // namespace kessai::reconciliation::app
