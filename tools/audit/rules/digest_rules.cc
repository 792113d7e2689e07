#include "rules/digest_rules.h"

#include <set>
#include <string>

#include "kessai/event/bucket.h"

namespace kessai::audit {

using enum Invariant;

void CompareDigests(std::string_view what, DayNumber day, const DigestDay& expected,
                    const DigestDay& found, Report& report) {
    for (std::size_t bucket = 0; bucket < expected.size(); ++bucket) {
        report.Expect(
            kM8, what,
            [&] {
                return Subject{{"day", DayText(day)},
                               {"bucket", static_cast<std::int64_t>(bucket)}};
            },
            expected[bucket], found[bucket]);
    }
}

void CheckKeptDigests(std::string_view what, const KeptDigests& kept, const DayDigests& of_rows,
                      const std::function<bool(DayNumber)>& is_due, Report& report) {
    static const DigestDay kEmpty(event::kBuckets);
    std::set<DayNumber> days;
    for (const auto& [day, cells] : kept.days) days.insert(day);
    for (const auto& [day, cells] : of_rows.days()) days.insert(day);
    for (const DayNumber day : days) {
        if (!is_due(day)) continue;
        const auto found = kept.days.find(day);
        CompareDigests(what, day, of_rows.Of(day),
                       found == kept.days.end() ? kEmpty : found->second, report);
    }
    if (kept.stray > 0) {
        report.Found(kM8, what, [&] {
            return Finding{{{"table", std::string("day_digest")}},
                           "buckets from 0 to " + std::to_string(event::kBuckets - 1),
                           std::to_string(kept.stray) + " rows of others"};
        });
    }
    report.LookedAt(kM8, "rows of kept digests", kept.rows);
}

}  // namespace kessai::audit
