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

std::array<Posting, 4> PostingsOf(const MerchantJournal& journal) {
    const auto moves = [amount = journal.amount](Account from, Account to) {
        return std::array<Posting, 4>{Posting{from, -amount}, Posting{to, amount},
                                      Posting{Account::kFeeRevenue, 0},
                                      Posting{Account::kConsumptionTax, 0}};
    };
    const auto creates = [&journal](std::int64_t sign) {
        return std::array<Posting, 4>{
            Posting{Account::kAvailable, -sign * (journal.amount + journal.fee + journal.tax)},
            Posting{Account::kInTransit, sign * journal.amount},
            Posting{Account::kFeeRevenue, sign * journal.fee},
            Posting{Account::kConsumptionTax, sign * journal.tax}};
    };
    switch (journal.kind) {
        case JournalKind::kTransferCreated:
            return creates(1);
        case JournalKind::kTransferCancelled:
            return creates(-1);
        case JournalKind::kTransferSettled:
            return moves(Account::kInTransit, Account::kBankSettlement);
        case JournalKind::kTransferFailed:
            return moves(Account::kInTransit, Account::kAvailable);
        case JournalKind::kTransferReturned:
            return moves(Account::kBankSettlement, Account::kAvailable);
        case JournalKind::kAdjustment:
            return moves(Account::kAdjustments, Account::kAvailable);
    }
    return moves(Account::kAvailable, Account::kAvailable);
}

std::string_view AccountName(Account account) {
    switch (account) {
        case Account::kClearing:
            return "CLEARING";
        case Account::kPending:
            return "PENDING";
        case Account::kAvailable:
            return "AVAILABLE";
        case Account::kInTransit:
            return "IN_TRANSIT";
        case Account::kFeeRevenue:
            return "FEE_REVENUE";
        case Account::kConsumptionTax:
            return "CONSUMPTION_TAX";
        case Account::kBankSettlement:
            return "BANK_SETTLEMENT";
        case Account::kAdjustments:
            return "ADJUSTMENTS";
    }
    return "UNKNOWN";
}

}  // namespace kessai::payout::domain
