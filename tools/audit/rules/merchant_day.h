#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "model/change_record.h"
#include "model/payout_rows.h"
#include "model/reconciliation_rows.h"
#include "model/sums.h"
#include "report.h"

namespace kessai::audit {

/// All that the schemas say of one merchant's day.
struct MerchantDay {
    DayNumber business_date = 0;
    std::int64_t merchant_id = 0;
    /// What its accruals sum to, and what payout keeps as that.
    std::vector<AccrualSum> accrued;
    std::vector<TotalRow> totals;
    /// The same of what is no sale.
    std::vector<PartSum> accrued_parts;
    std::vector<PartRow> parts;
    std::optional<HoldRow> hold;
    std::vector<ReleaseRow> releases;
    /// By currency: what postings make payable, what was matched, and what reconciliation keeps as
    /// that. Null maps were not read.
    using ByCurrency = std::map<CurrencyCode, Wide>;
    ByCurrency payable;
    ByCurrency matched;
    ByCurrency matched_kept;
};

/// The DayPart that an accrual of this kind is of; nothing of a sale.
std::optional<int> PartOf(int kind, std::int64_t gross);

/// How far the books have got with a day.
struct DayProgress {
    bool closed_in_payment = false;
    /// A PayoutDayState; 0 when payout does not know the day.
    int payout_state = 0;
    /// Whether these were read.
    bool has_payment = false;
    bool has_reconciliation = false;
    /// Reconciliation has read all of the closed days.
    bool reconciliation_is_up = false;
};

/// - M7: payout's totals are the sums of its accruals, and its parts the sums, over all slots, of
///   those that are no sales, with the first and last day of their payments.
/// - M8: what reconciliation keeps as matched is what it matched; and once the day is closed, for a
///   merchant that was not held open then, what is payable, payout's gross and what was matched are
///   the same. What was released is what was accrued; every merchant of a released day was
///   released, or is held back.
/// - M1: a release's net is what its gross leaves after fee and tax.
/// - M9: the seal that a merchant which was open at close got when it was released.
void CheckMerchantDay(const MerchantDay& day, const DayProgress& progress, Report& report);

/// Whether M8's three sums can be compared.
bool IsClosedForMerchant(const MerchantDay& day, const DayProgress& progress);

}  // namespace kessai::audit
