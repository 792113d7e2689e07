#include "domain/release_events.h"

#include <algorithm>
#include <string>
#include <utility>

namespace kessai::reconciliation::domain {

ReleaseEvents HoldRounds(std::span<const ToldRound> rounds, const HeardRounds& heard,
                         const std::set<BusinessDate>& ended, bool listened) {
    ReleaseEvents events;
    for (const auto& [version, totals] : heard) events.told = Sum(events.told, totals);
    for (const ToldRound& round : rounds) {
        if (heard.contains(round.version)) continue;
        const bool lost = round.told_date && ended.contains(*round.told_date);
        const bool coming = round.told_date ? !lost : listened;
        events.on_the_way |= coming;
        if (coming) continue;
        events.told = Sum(events.told, round.totals);
        if (lost) events.missing.push_back(round);
    }
    return events;
}

std::vector<Finding> MissingReleaseEvents(BusinessDate day, std::span<const ToldRound> missing) {
    if (missing.empty()) return {};
    ReleaseTotals sum;
    std::string evidence = "payout released the day and told of it";
    for (const ToldRound& round : missing) {
        sum = Sum(sum, round.totals);
        evidence += (&round == &missing.front() ? " in event " : "; in event ") +
                    std::to_string(day.ToNumber()) + "/" + std::to_string(round.version);
        if (round.told_date) evidence += " of " + round.told_date->ToString();
        evidence += ": " + Describe(round.totals);
    }
    return {{.subject = {.business_date = day, .kind = DiscrepancyKind::kReleaseEventMissing},
             .currency = Currency::Jpy(),
             .payment_gross = sum.gross,
             .payout_gross = 0,
             .evidence = std::move(evidence) +
                         ". Payout's mark of that date is here, the event never came"}};
}

}  // namespace kessai::reconciliation::domain
