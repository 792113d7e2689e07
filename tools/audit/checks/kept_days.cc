#include "checks/kept_days.h"

#include <set>
#include <string>

#include "kessai/mysql/query.h"
#include "model/payment_rows.h"
#include "source/columns.h"

namespace kessai::audit {
namespace {

using enum Invariant;

constexpr mysql::Query kKept{"ledger_day.all", R"sql(
    SELECT business_date + 0, account, amount FROM ledger_day ORDER BY business_date, account)sql"};

Subject SubjectOf(DayNumber day, int account) {
    return {{"day", DayText(day)}, {"account", AccountKindText(account)}};
}

}  // namespace

Status CheckKeptDays(mysql::Session& session, const MovedByDay& moved, const PaymentDays& days,
                     Report& report) {
    MovedByDay kept;
    std::set<DayNumber> kept_days;
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kKept));
    while (rows.Next()) {
        const DayNumber day = Day(rows, 0);
        kept[{day, SmallInt(rows, 1)}] = rows.Int(2);
        kept_days.insert(day);
    }
    // There are some only where a balance was asked for.
    if (kept_days.empty()) return OkStatus();
    report.LookedAt(kM2, "kept days of the customer ledger", kept_days.size());
    for (const DayNumber day : kept_days) {
        if (days.ended.contains(day)) continue;
        report.Found(kM2, "kept day that has not ended", [&] {
            return Finding{{{"day", DayText(day)}}, "a day that has ended", "open"};
        });
    }
    // Accounts of one side only are zero on the other.
    for (const auto& [place, amount] : moved) {
        if (kept_days.contains(place.first)) kept.try_emplace(place, 0);
    }
    for (const auto& [place, amount] : kept) {
        const auto found = moved.find(place);
        report.Expect(
            kM2, "kept day of the customer ledger",
            [&, place = place] { return SubjectOf(place.first, place.second); },
            found == moved.end() ? Wide{0} : found->second, amount);
    }
    return OkStatus();
}

}  // namespace kessai::audit
