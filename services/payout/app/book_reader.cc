#include "app/book_reader.h"

#include "domain/accrual.h"

namespace kessai::payout::app {

Result<domain::TrialBalance> MovedBy(const DaySums& sums) {
    domain::TrialBalance moved;
    for (const auto& [tax_class, accrued] : sums.accrued) {
        domain::Accrual sum;
        sum.gross = accrued.gross;
        sum.fee = accrued.fee;
        KESSAI_RETURN_IF_ERROR(moved.Add(domain::PostingsOf(sum)));
    }
    for (const auto& [tax_class, released] : sums.released) {
        domain::ReleaseLine sum;
        sum.sums = {released.gross, released.fee, 0};
        sum.tax = released.tax;
        sum.net = released.net;
        KESSAI_RETURN_IF_ERROR(moved.Add(domain::PostingsOf(sum)));
    }
    for (const DaySums::Journals& journals : sums.journals) {
        KESSAI_RETURN_IF_ERROR(moved.Add(domain::PostingsOf(journals.sum)));
    }
    return moved;
}

}  // namespace kessai::payout::app
