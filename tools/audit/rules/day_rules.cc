#include "rules/day_rules.h"

#include <string>

#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"
#include "model/wide.h"

namespace kessai::audit {
namespace {

using enum Invariant;

/// A database that took over from another may have another clock: so far apart they may be.
constexpr Wide kClocksApartUs = 5'000'000;

std::string TimeText(std::int64_t micros) {
    return std::to_string(micros) + " (" + FormatUtc(FromMicros(micros)) + ")";
}

}  // namespace

void CheckDayOfChange(const Change& change, const PaymentDays& days, Report& report) {
    const auto subject = [&] {
        return Subject{{"object", change.key.object},
                       {"version", std::int64_t{change.key.version}},
                       {"day", DayText(change.business_date)}};
    };
    const auto ended = days.ended.find(change.business_date);
    if (ended != days.ended.end()) {
        const std::int64_t closing = ended->second.closing_at_us;
        if (change.occurred_at_us > closing + kClocksApartUs) {
            report.Found(kM9, "change after its day had ended", [&] {
                return Finding{subject(), "by " + TimeText(closing),
                               TimeText(change.occurred_at_us)};
            });
        }
    } else if (!days.gates.contains(change.business_date)) {
        report.Found(kM9, "change of a day that was never open", [&] {
            return Finding{subject(), "a day of the books", DayText(change.business_date)};
        });
        return;
    }
    const auto next = days.ended.lower_bound(change.business_date);
    if (next == days.ended.begin()) return;
    const std::int64_t opening = std::prev(next)->second.closing_at_us;
    if (change.occurred_at_us < opening - kClocksApartUs) {
        report.Found(kM9, "change before its day had begun", [&] {
            return Finding{subject(), "from " + TimeText(opening) + " on",
                           TimeText(change.occurred_at_us)};
        });
    }
}

void CheckGates(const PaymentDays& days, Report& report) {
    report.LookedAt(kM9, "ended days", days.ended.size());
    if (days.gates.size() != 1) {
        report.Found(kM9, "gates have several days", [&] {
            std::string found;
            for (const auto& [day, rows] : days.gates) {
                found += (found.empty() ? "" : ", ") + std::to_string(rows) + " on " + DayText(day);
            }
            return Finding{{{"table", std::string("gate")}}, "one day", found};
        });
    }
    if (days.gates.empty() || days.ended.empty()) return;
    const DayNumber open = days.gates.begin()->first;
    const DayNumber last = days.ended.rbegin()->first;
    if (open <= last) {
        report.Found(kM9, "an ended day is open again", [&] {
            return Finding{
                {{"table", std::string("gate")}}, "a day after " + DayText(last), DayText(open)};
        });
    }
}

}  // namespace kessai::audit
