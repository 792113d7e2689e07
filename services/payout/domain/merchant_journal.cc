#include "domain/merchant_journal.h"

#include "domain/ledger.h"
#include "domain/transfer_reason.h"
#include "kessai/money/money.h"

namespace kessai::payout::domain {
namespace {

bool IsAmount(std::int64_t amount) {
    return amount >= 0 && amount <= kJournalAmountMax;
}

}  // namespace

std::string_view JournalKindName(JournalKind kind) {
    switch (kind) {
        case JournalKind::kTransferCreated:
            return "TRANSFER_CREATED";
        case JournalKind::kTransferSettled:
            return "TRANSFER_SETTLED";
        case JournalKind::kTransferFailed:
            return "TRANSFER_FAILED";
        case JournalKind::kTransferReturned:
            return "TRANSFER_RETURNED";
        case JournalKind::kAdjustment:
            return "ADJUSTMENT";
        case JournalKind::kTransferCancelled:
            return "TRANSFER_CANCELLED";
    }
    return "UNKNOWN";
}

Status CheckJournal(const MerchantJournal& journal) {
    const bool adjusts = journal.kind == JournalKind::kAdjustment;
    const bool charges = journal.kind == JournalKind::kTransferCreated ||
                         journal.kind == JournalKind::kTransferCancelled;
    const bool amount_fits = adjusts
                                 ? journal.amount != 0 && journal.amount >= -kJournalAmountMax &&
                                       journal.amount <= kJournalAmountMax
                                 : journal.amount > 0 && journal.amount <= kJournalAmountMax;
    const bool fee_fits = charges ? IsAmount(journal.fee) && IsAmount(journal.tax)
                                  : journal.fee == 0 && journal.tax == 0;
    if (!journal.merchant.is_none() && journal.object != 0 && amount_fits && fee_fits) {
        return OkStatus();
    }
    return Status(Code::kInternal, reason::kJournalInvalid,
                  std::string(JournalKindName(journal.kind)) + " of merchant " +
                      journal.merchant.ToString() + " over " + std::to_string(journal.amount));
}

Result<std::int64_t> AvailableOf(const MerchantFunds& funds) {
    return CheckedAdd(funds.released, funds.moved);
}

Status Post(const MerchantJournal& journal, MerchantFunds& funds) {
    KESSAI_RETURN_IF_ERROR(CheckJournal(journal));
    std::int64_t moved = funds.moved;
    std::int64_t in_transit = funds.in_transit;
    for (const Posting& posting : PostingsOf(journal)) {
        if (posting.account == Account::kAvailable) {
            KESSAI_ASSIGN_OR_RETURN(moved, CheckedAdd(moved, posting.amount));
        } else if (posting.account == Account::kInTransit) {
            KESSAI_ASSIGN_OR_RETURN(in_transit, CheckedAdd(in_transit, posting.amount));
        }
    }
    if (in_transit < 0) {
        return Status(Code::kInternal, reason::kInTransitNegative,
                      "merchant " + funds.merchant.ToString() + " has " +
                          std::to_string(funds.in_transit) + " in transit");
    }
    funds.moved = moved;
    funds.in_transit = in_transit;
    return OkStatus();
}

}  // namespace kessai::payout::domain
