#include "app/balance_books.h"

#include <map>

namespace kessai::payout::app {

Result<DayStanding> StandingOf(BusinessDate day, BookReader& books, LedgerStore& ledger,
                               const Clock& clock) {
    KESSAI_ASSIGN_OR_RETURN(const DayStanding standing, books.StandingOf(day));
    if (standing.ledger_date > day || BusinessDate::OfJst(clock.Now()) <= day) return standing;
    KESSAI_RETURN_IF_ERROR(
        ledger.InTransaction([](LedgerTransaction&) -> Status { return OkStatus(); }));
    return books.StandingOf(day);
}

Result<DayBalance> BalanceBooks::Run(BusinessDate day, const GoOn& go_on) {
    DayBalance balance;
    balance.day = day;
    KESSAI_ASSIGN_OR_RETURN(balance.standing, StandingOf(day, books_, ledger_, clock_));

    // The days first: one that is kept meanwhile is in both lists then, and never in none.
    KESSAI_ASSIGN_OR_RETURN(const auto days, books_.DaysBefore(day));
    KESSAI_ASSIGN_OR_RETURN(const auto kept, books_.KeptThrough(day));
    for (const auto& [kept_day, moved] : kept) {
        if (kept_day < day) KESSAI_RETURN_IF_ERROR(balance.opening.Add(moved));
    }
    for (const BusinessDate before : days) {
        if (kept.contains(before)) continue;
        KESSAI_RETURN_IF_ERROR(go_on());
        KESSAI_ASSIGN_OR_RETURN(const DayStanding of_it, books_.StandingOf(before));
        balance.openings_closed = balance.openings_closed && of_it.IsClosed();
        KESSAI_ASSIGN_OR_RETURN(const auto moved, Sum(before, of_it.IsFinal(before)));
        KESSAI_RETURN_IF_ERROR(balance.opening.Add(moved));
    }
    KESSAI_RETURN_IF_ERROR(go_on());
    if (const auto found = kept.find(day); found != kept.end()) {
        balance.moved = found->second;
    } else {
        KESSAI_ASSIGN_OR_RETURN(balance.moved, Sum(day, balance.is_final()));
    }
    balance.closing = balance.opening;
    KESSAI_RETURN_IF_ERROR(balance.closing.Add(balance.moved));
    return balance;
}

// Final before it is summed: nothing comes between.
Result<domain::TrialBalance> BalanceBooks::Sum(BusinessDate day, bool is_final) {
    KESSAI_ASSIGN_OR_RETURN(const DaySums sums, books_.SumDay(day));
    KESSAI_ASSIGN_OR_RETURN(domain::TrialBalance moved, MovedBy(sums));
    if (is_final) KESSAI_RETURN_IF_ERROR(books_.Keep(day, moved, clock_.Now()));
    return moved;
}

}  // namespace kessai::payout::app
