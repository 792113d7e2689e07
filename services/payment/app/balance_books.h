#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "app/book_reader.h"
#include "app/day_store.h"
#include "domain/trial_balance.h"
#include "kessai/result/result.h"

namespace kessai::payment::app {

/// The customers' ledger on a day, by account.
struct DayBalance {
    Day day;
    /// All days before.
    domain::TrialBalance opening;
    domain::TrialBalance moved;
    domain::TrialBalance closing;
    /// Payout's releases of this day that were cleared by now. Their journals are of the days on
    /// which payment heard of them.
    ClearedReleases cleared;

    /// Nothing moves on the day any more: it has left the gates. What was cleared of it may grow.
    bool is_final() const { return day.state != DayState::kOpen; }
};

/// Makes a day's trial balance from the journals. What days moved that have ended is kept, so each
/// is summed once, by whoever asks first for it or a later day; the open day is summed whenever it
/// is asked for. Nothing that payments wait for is locked. One at a time; others wait. Thread safe.
class BalanceBooks {
 public:
    /// Both must outlive it.
    BalanceBooks(BookReader& books, DayStore& days) : books_(books), days_(days) {}

    /// Asked between the parts of days that are summed: what this refuses with ends it. What was
    /// summed of ended days by then is not lost: the next one goes on there.
    using GoOn = std::function<Status()>;
    /// Refusals: those of `go_on`; FAILED_PRECONDITION DAY_NOT_CURRENT (the day never was open
    /// here, or is not yet); OUT_OF_RANGE AMOUNT_OVERFLOW; those of BookReader.
    Result<DayBalance> Run(BusinessDate day, const GoOn& go_on = OkStatus);

 private:
    /// A day's sums, of which the parts before `next_part` are in `moved`.
    struct Sums {
        BusinessDate day;
        int next_part = 0;
        domain::TrialBalance moved;
    };

    Status Finish(Sums& sums, const GoOn& go_on);
    Result<domain::TrialBalance> SumEnded(BusinessDate day, const GoOn& go_on);

    BookReader& books_;
    DayStore& days_;
    std::mutex mutex_;
    /// An ended day that somebody began and did not finish: its rows are there for good, so what is
    /// summed of them stays true.
    std::optional<Sums> begun_;
};

}  // namespace kessai::payment::app
