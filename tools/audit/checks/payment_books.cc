#include "checks/payment_books.h"

#include <utility>

#include "checks/payment_passes.h"
#include "rules/day_rules.h"
#include "rules/digest_rules.h"
#include "source/digest_table.h"

namespace kessai::audit {

Result<PaymentBooks> CheckPaymentBooks(mysql::Session& session, const SpillSpace& space,
                                       const digest::RowHasher& hasher, Report& report) {
    KESSAI_ASSIGN_OR_RETURN(PaymentDays days, ReadPaymentDays(session));
    CheckGates(days, report);
    DayDigests digests(hasher);
    Sorter<ImpliedPosting> postings(space);
    Sorter<PaymentOfOrder> orders(space);
    Sorter<ChangeRecord> changes(space);
    KESSAI_RETURN_IF_ERROR(
        PassOverObjects(session, space, days, {postings, orders, changes, digests}, report));
    KESSAI_ASSIGN_OR_RETURN(auto payments_of_orders, orders.Finish());
    KESSAI_RETURN_IF_ERROR(PassOverOrders(session, std::move(payments_of_orders), report));
    KESSAI_ASSIGN_OR_RETURN(auto implied, postings.Finish());
    Sorter<MerchantDaySum> payable(space);
    MovedByDay moved;
    KESSAI_RETURN_IF_ERROR(PassOverAccounts(session, std::move(implied), payable, moved, report));
    KESSAI_RETURN_IF_ERROR(CheckKeptDays(session, moved, days, report));

    KESSAI_ASSIGN_OR_RETURN(const KeptDigests kept, ReadKeptDigests(session));
    CheckKeptDigests(
        "payment's kept digest", kept, digests,
        [&](DayNumber day) {
            const auto ended = days.ended.find(day);
            return ended != days.ended.end() && ended->second.state >= kDayMarked;
        },
        report);

    KESSAI_ASSIGN_OR_RETURN(auto sorted_changes, changes.Finish());
    KESSAI_ASSIGN_OR_RETURN(auto sorted_payable, payable.Finish());
    return PaymentBooks{std::move(sorted_changes), std::move(sorted_payable), std::move(digests),
                        std::move(days)};
}

}  // namespace kessai::audit
