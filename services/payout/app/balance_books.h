#pragma once

#include <functional>

#include "app/book_reader.h"
#include "app/ledger_store.h"
#include "domain/trial_balance.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payout::app {

/// The merchant ledger's accounts on a day.
struct DayBalance {
    BusinessDate day;
    DayStanding standing;
    /// All days before.
    domain::TrialBalance opening;
    domain::TrialBalance moved;
    domain::TrialBalance closing;
    /// All days before are closed: of accruals, only those of merchants held back may come.
    bool openings_closed = true;

    /// No journal is added to the day any more.
    bool journals_final() const { return standing.ledger_date > day; }
    /// Nothing at all of the day changes any more.
    bool is_final() const { return standing.IsFinal(day); }
};

/// How a day stands. The ledger's gate moves to a new day with its first journal; until then
/// whoever has it since before midnight may still post to the day that is over, and nobody can tell
/// without waiting: so when the calendar is past the day and the gate is not, this takes the gate
/// once and moves it on.
Result<DayStanding> StandingOf(BusinessDate day, BookReader& books, LedgerStore& ledger,
                               const Clock& clock);

/// Makes a day's trial balance from the ledger's rows. What days moved that cannot change any more
/// is kept, so each such day is summed once, by whoever asks first for it or a later day. Holds the
/// ledger's gate for no longer than it takes to move its day on, and only on the first time after
/// midnight. Thread safe.
class BalanceBooks {
 public:
    /// All must outlive it.
    BalanceBooks(BookReader& books, LedgerStore& ledger, const Clock& clock)
        : books_(books), ledger_(ledger), clock_(clock) {}

    /// Asked between the days that are summed: what this refuses with ends it; what was kept by
    /// then stays.
    using GoOn = std::function<Status()>;
    /// Refusals: those of `go_on`; OUT_OF_RANGE AMOUNT_OVERFLOW; the database's.
    Result<DayBalance> Run(BusinessDate day, const GoOn& go_on = OkStatus);

 private:
    Result<domain::TrialBalance> Sum(BusinessDate day, bool is_final);

    BookReader& books_;
    LedgerStore& ledger_;
    const Clock& clock_;
};

}  // namespace kessai::payout::app
