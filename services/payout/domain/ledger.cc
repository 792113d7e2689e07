#include "domain/ledger.h"

namespace kessai::payout::domain {

std::array<Posting, 3> PostingsOf(const Accrual& accrual) {
    return {Posting{Account::kClearing, -accrual.gross},
            Posting{Account::kPending, accrual.gross - accrual.fee},
            Posting{Account::kFeeRevenue, accrual.fee}};
}

std::array<Posting, 3> PostingsOf(const ReleaseLine& line) {
    return {Posting{Account::kPending, -(line.sums.gross - line.sums.fee)},
            Posting{Account::kAvailable, line.net}, Posting{Account::kConsumptionTax, line.tax}};
}

}  // namespace kessai::payout::domain
