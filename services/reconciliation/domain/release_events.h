#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "domain/discrepancy.h"
#include "domain/merchant_day.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::domain {

/// A round of a day's release that payout says it told of.
struct ToldRound {
    /// The day that it released, and the version of its event.
    BusinessDate day{};
    std::uint32_t version = 0;
    /// The business date of its event. Absent: a payout of an older version told it, and does not
    /// know.
    std::optional<BusinessDate> told_date{};
    ReleaseTotals totals{};
};

/// What we heard of a day's releases: by the version of the event.
using HeardRounds = std::map<std::uint32_t, ReleaseTotals>;

/// What became of the events of a day's release.
struct ReleaseEvents {
    /// What was told, over the rounds; of what never came, what it should have said.
    ReleaseTotals told{};
    /// Rounds whose event can come no more: payout's mark stands behind it, and is here.
    std::vector<ToldRound> missing{};
    /// An event may be on its way.
    bool on_the_way = false;
};

/// Pure. `ended`: those of the rounds' told dates whose marks were here before `heard` was read.
/// `listened`: this service heard of releases of the day or of an earlier one, so what an older
/// payout told of it should come too.
ReleaseEvents HoldRounds(std::span<const ToldRound> rounds, const HeardRounds& heard,
                         const std::set<BusinessDate>& ended, bool listened);

/// RELEASE_EVENT_MISSING of a day, unless none is missing.
std::vector<Finding> MissingReleaseEvents(BusinessDate day, std::span<const ToldRound> missing);

}  // namespace kessai::reconciliation::domain
