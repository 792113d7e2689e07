#include "app/balance_books.h"

namespace kessai::payment::app {

// The open day is read first: what ended before it has ended for good.
Result<DayBalance> BalanceBooks::Run(BusinessDate day, const GoOn& go_on) {
    KESSAI_ASSIGN_OR_RETURN(const DayStore::Now now, days_.Read());
    DayBalance balance;
    balance.day = day;
    balance.is_final = day < now.open_date;
    KESSAI_ASSIGN_OR_RETURN(const auto days, books_.DaysBefore(day));
    KESSAI_ASSIGN_OR_RETURN(const auto kept, books_.KeptThrough(day));
    const auto sum = [&](BusinessDate of) {
        const auto found = kept.find(of);
        return Sum(of, found == kept.end() ? BookReader::Parts() : found->second,
                   of < now.open_date, go_on);
    };
    for (const BusinessDate before : days) {
        KESSAI_ASSIGN_OR_RETURN(const auto moved, sum(before));
        KESSAI_RETURN_IF_ERROR(balance.opening.Add(moved));
    }
    KESSAI_ASSIGN_OR_RETURN(balance.moved, sum(day));
    balance.closing = balance.opening;
    KESSAI_RETURN_IF_ERROR(balance.closing.Add(balance.moved));
    return balance;
}

Result<domain::TrialBalance> BalanceBooks::Sum(BusinessDate day, const BookReader::Parts& kept,
                                               bool is_final, const GoOn& go_on) {
    domain::TrialBalance sum;
    for (int part = 0; part < kDayParts; ++part) {
        domain::TrialBalance moved;
        if (const auto found = kept.find(part); found != kept.end()) {
            moved = found->second;
        } else {
            KESSAI_RETURN_IF_ERROR(go_on());
            KESSAI_ASSIGN_OR_RETURN(moved, books_.SumPart(day, part));
            if (is_final) KESSAI_RETURN_IF_ERROR(books_.Keep(day, part, moved));
        }
        KESSAI_RETURN_IF_ERROR(sum.Add(moved));
    }
    return sum;
}

}  // namespace kessai::payment::app
