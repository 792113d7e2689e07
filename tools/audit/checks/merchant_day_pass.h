#pragma once

#include "checks/payout_books.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "model/change_record.h"
#include "model/statement_rows.h"
#include "report.h"
#include "source/payment_tables.h"
#include "spill/aggregator.h"

namespace kessai::audit {

/// What is joined, by day and merchant. What could not be read is null, and not checked.
struct MerchantDaySources {
    mysql::Session& payout;
    PayoutBooks& payout_books;
    /// What the payment schema says is payable, and of which days it says that they are closed.
    Sorted<MerchantDaySum>* payable = nullptr;
    const PaymentDays* payment_days = nullptr;
    mysql::Session* reconciliation = nullptr;
    /// What reconciliation's matches sum to.
    Aggregated<MerchantDaySum>* matched = nullptr;
    /// Reconciliation has read all of the days that are closed.
    bool reconciliation_is_up = false;
    /// Gets the net of each release; null: nobody asks.
    Aggregator<MerchantMonth>* months = nullptr;
};

/// Joins accruals' sums, totals, holds, releases, what is payable and what was matched by day and
/// merchant, and checks M7, M8 and M9 of each; the seals of days (M9); rounds of release (M8); and
/// the taxes of invoice cycles (M7) and running balances (M2).
Status PassOverMerchantDays(const MerchantDaySources& sources, const SpillSpace& space,
                            Report& report);

}  // namespace kessai::audit
