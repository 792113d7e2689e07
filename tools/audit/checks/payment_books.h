#pragma once

#include "kessai/digest/row_hash.h"
#include "kessai/result/result.h"
#include "model/change_record.h"
#include "model/day_digests.h"
#include "report.h"
#include "source/payment_tables.h"
#include "spill/sorter.h"

namespace kessai::audit {

/// What the payment schema says, for the checks beyond it.
struct PaymentBooks {
    /// Every change.
    Sorted<ChangeRecord> changes;
    /// What postings make payable to each merchant, by day.
    Sorted<MerchantDaySum> payable;
    /// Of the changes of payments.
    DayDigests digests;
    PaymentDays days;
};

/// Reads the whole payment schema once, each table in the order of a key, and checks in it
/// M1, M2, M3, M4, M5; of M8 that the digests it keeps of days whose events are all published are
/// those of its journals; and of M9 that every change is of a day that was open. All that the
/// session reads must be of one moment (see Snapshot).
Result<PaymentBooks> CheckPaymentBooks(mysql::Session& session, const SpillSpace& space,
                                       const digest::RowHasher& hasher, Report& report);

}  // namespace kessai::audit
