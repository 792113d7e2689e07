#include "checks/payout_books.h"

#include <tuple>
#include <utility>

#include "kessai/event/bucket.h"
#include "rules/accrual_rules.h"
#include "rules/merchant_day.h"
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

void AddPart(const AccrualRow& accrual, Aggregator<PartSum>& parts) {
    const auto part = PartOf(accrual.kind, accrual.gross);
    if (!part) return;
    parts.Add({accrual.business_date,
               accrual.merchant_id,
               accrual.tax_class,
               *part,
               {accrual.gross, accrual.fee, 1},
               accrual.payment_date,
               accrual.payment_date});
}

/// Completes accruals, in their order, by what is kept apart of them.
class DetailFollower {
 public:
    DetailFollower(mysql::Session& session, Report& report) : details_(session), report_(report) {}

    void AddTo(AccrualRow& accrual) {
        const auto place = std::tuple(accrual.business_date, accrual.bucket, accrual.key);
        while (details_.Peek() != nullptr && details_.Peek()->place() < place) TellOfNone();
        if (details_.Peek() == nullptr || details_.Peek()->place() != place) return;
        accrual.store_hash = HashOfText(details_.Peek()->store_id);
        accrual.has_split =
            !details_.Peek()->captured_methods.empty() || !details_.Peek()->methods.empty();
        details_.Pop();
    }
    Status End() {
        while (details_.Peek() != nullptr) TellOfNone();
        return details_.status();
    }

 private:
    void TellOfNone() {
        report_.Found(Invariant::kM7, "detail of no accrual", [&] {
            return Finding{SubjectOfChange(details_.Peek()->key), "an accrual", "none"};
        });
        details_.Pop();
    }

    Paged<DetailTable> details_;
    Report& report_;
};

}  // namespace

Result<PayoutBooks> ReadPayoutBooks(mysql::Session& session, const SpillSpace& space,
                                    const digest::RowHasher& hasher, int slots, Report& report) {
    KESSAI_ASSIGN_OR_RETURN(auto plans, ReadFeePlans(session));
    KESSAI_ASSIGN_OR_RETURN(auto assignments, ReadAssignments(session));
    KESSAI_ASSIGN_OR_RETURN(auto volumes, ReadVolumes(session));
    KESSAI_ASSIGN_OR_RETURN(auto days, ReadPayoutDays(session));
    KESSAI_ASSIGN_OR_RETURN(auto rounds, ReadRounds(session));
    DayDigests digests(hasher);
    Sorter<AccrualRow> by_key(space);
    Aggregator<AccrualSum> sums(space);
    Aggregator<PartSum> parts(space);
    DetailFollower details(session, report);
    Paged<AccrualTable> rows(session);
    for (; const AccrualRow* row = rows.Peek(); rows.Pop()) {
        AccrualRow accrual = *row;
        details.AddTo(accrual);
        accrual.event_hash = AccrualEventHash(accrual);
        by_key.Add(accrual);
        sums.Add(SumOf(accrual, slots));
        AddPart(accrual, parts);
        digests.Add({accrual.key, accrual.business_date, accrual.merchant_id, accrual.gross});
    }
    KESSAI_RETURN_IF_ERROR(rows.status());
    KESSAI_RETURN_IF_ERROR(details.End());
    report.LookedAt(Invariant::kM7, "accruals", rows.count());
    report.LookedAt(Invariant::kM7, "fee plan versions", plans.size());

    KESSAI_ASSIGN_OR_RETURN(auto accruals, by_key.Finish());
    KESSAI_ASSIGN_OR_RETURN(auto aggregated, sums.Finish());
    KESSAI_ASSIGN_OR_RETURN(auto aggregated_parts, parts.Finish());
    return PayoutBooks{
        std::move(accruals),         std::move(aggregated),
        std::move(aggregated_parts), std::move(digests),
        FeePlans(std::move(plans), std::move(assignments), std::move(volumes)),
        std::move(days),             std::move(rounds)};
}

}  // namespace kessai::audit
