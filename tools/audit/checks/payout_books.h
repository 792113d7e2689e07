#pragma once

#include <map>
#include <vector>

#include "kessai/digest/row_hash.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "model/day_digests.h"
#include "model/payout_rows.h"
#include "model/sums.h"
#include "report.h"
#include "rules/fees.h"
#include "spill/aggregator.h"
#include "spill/sorter.h"

namespace kessai::audit {

/// What the payout schema says, for the checks that join it with others.
struct PayoutBooks {
    /// Every accrual, by key.
    Sorted<AccrualRow> accruals;
    /// What they sum to, as merchant_day_total should.
    Aggregated<AccrualSum> sums;
    /// What those that are no sales sum to, as merchant_day_part should.
    Aggregated<PartSum> parts;
    DayDigests digests;
    FeePlans plans;
    std::map<DayNumber, PayoutDayRow> days;
    /// By day, then round.
    std::vector<RoundRow> rounds;
};

/// Reads every accrual once, in the order of its table. All that the session reads must be of one
/// moment. `slots`: partitions of payment.events.v1.
Result<PayoutBooks> ReadPayoutBooks(mysql::Session& session, const SpillSpace& space,
                                    const digest::RowHasher& hasher, int slots, Report& report);

}  // namespace kessai::audit
