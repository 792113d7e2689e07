#pragma once

#include "checks/kept_days.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "model/change_record.h"
#include "model/day_digests.h"
#include "report.h"
#include "rules/implied_postings.h"
#include "rules/order_rules.h"
#include "source/payment_tables.h"
#include "spill/sorter.h"

namespace kessai::audit {

/// What the pass over the objects finds out for those that follow.
struct ObjectPassOutput {
    Sorter<ImpliedPosting>& postings;
    Sorter<PaymentOfOrder>& orders;
    Sorter<ChangeRecord>& changes;
    DayDigests& digests;
};

/// Joins journals, payments, refunds, top-ups and cleared releases by object and applies the rules
/// of one object to each: M4, M5, and M9 of each change.
Status PassOverObjects(mysql::Session& session, const SpillSpace& space, const PaymentDays& days,
                       const ObjectPassOutput& output, Report& report);

/// Joins orders with their payments: M4.
Status PassOverOrders(mysql::Session& session, Sorted<PaymentOfOrder> payments, Report& report);

/// Joins accounts, postings and the postings that journals imply: M1, M2, M3. Gives what is
/// payable, and what moved.
Status PassOverAccounts(mysql::Session& session, Sorted<ImpliedPosting> implied,
                        Sorter<MerchantDaySum>& payable, MovedByDay& moved, Report& report);

}  // namespace kessai::audit
