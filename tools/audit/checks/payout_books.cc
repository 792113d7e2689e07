#include "checks/payout_books.h"

#include <utility>

#include "kessai/event/bucket.h"
#include "rules/accrual_rules.h"
#include "source/payout_tables.h"

namespace kessai::audit {
namespace {

AccrualSum SumOf(const AccrualRow& accrual, int slots) {
    AccrualSum sum;
    sum.business_date = accrual.business_date;
    sum.slot = event::PartitionOf(accrual.key.object, slots);
    sum.merchant_id = accrual.merchant_id;
    sum.tax_class = accrual.tax_class;
    sum.currency = accrual.currency;
    sum.sums = {accrual.gross, accrual.fee, 1};
    return sum;
}

}  // namespace

Result<PayoutBooks> ReadPayoutBooks(mysql::Session& session, const SpillSpace& space,
                                    const digest::RowHasher& hasher, int slots, Report& report) {
    KESSAI_ASSIGN_OR_RETURN(auto plans, ReadFeePlans(session));
    KESSAI_ASSIGN_OR_RETURN(auto days, ReadPayoutDays(session));
    KESSAI_ASSIGN_OR_RETURN(auto rounds, ReadRounds(session));
    DayDigests digests(hasher);
    Sorter<AccrualRow> by_key(space);
    Aggregator<AccrualSum> sums(space);
    Paged<AccrualTable> rows(session);
    for (; const AccrualRow* row = rows.Peek(); rows.Pop()) {
        AccrualRow accrual = *row;
        accrual.event_hash = AccrualEventHash(accrual);
        by_key.Add(accrual);
        sums.Add(SumOf(accrual, slots));
        digests.Add({accrual.key, accrual.business_date, accrual.merchant_id, accrual.gross});
    }
    KESSAI_RETURN_IF_ERROR(rows.status());
    report.LookedAt(Invariant::kM7, "accruals", rows.count());
    report.LookedAt(Invariant::kM7, "fee plan versions", plans.size());

    KESSAI_ASSIGN_OR_RETURN(auto accruals, by_key.Finish());
    KESSAI_ASSIGN_OR_RETURN(auto aggregated, sums.Finish());
    return PayoutBooks{std::move(accruals),        std::move(aggregated), std::move(digests),
                       FeePlans(std::move(plans)), std::move(days),       std::move(rounds)};
}

}  // namespace kessai::audit
