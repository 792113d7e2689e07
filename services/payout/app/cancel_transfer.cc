#include "app/cancel_transfer.h"

#include <array>
#include <span>
#include <string>

#include "domain/reason.h"
#include "domain/transfer_reason.h"
#include "kessai/faults/fault_point.h"

namespace kessai::payout::app {
namespace {

constexpr std::size_t kReasonMax = 255;

Status Unknown(domain::TransferId transfer) {
    return Status(Code::kNotFound, domain::reason::kTransferUnknown,
                  "there is no transfer " + transfer.ToString());
}

/// As the failure of the attempt before did: making this one lifted that.
Status HoldAgain(LedgerTransaction& transaction, const domain::Transfer& transfer) {
    ++transaction.AccountOf(transfer.merchant).open_holds;
    const PayoutHold hold{.id = domain::PayoutHoldId(transaction.NextObject()),
                          .merchant = transfer.merchant,
                          .cause = HoldCause::kNotArrived,
                          .payout = transfer.payout,
                          .note = "transfer " + transfer.id.ToString() + " CANCELLED",
                          .put_by = transfer.cancelled_by,
                          .lifted_by = std::nullopt};
    return transaction.merchants().Insert(std::span(&hold, 1));
}

}  // namespace

Result<PayoutHistory> CancelTransfer::Run(domain::TransferId id, std::string_view reason,
                                          std::string_view cancelled_by) {
    if (reason.empty() || reason.size() > kReasonMax) {
        return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid,
                      "a reason has 1 to 255 bytes");
    }
    PayoutHistory history;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        history = {};
        TransferRecords& records = transaction.transfers();
        KESSAI_ASSIGN_OR_RETURN(auto found, records.FindTransfers(std::array{id}));
        if (found.empty()) return Unknown(id);
        domain::Transfer& transfer = found.at(id);
        KESSAI_ASSIGN_OR_RETURN(const auto payout, records.FindPayout(transfer.payout));
        if (!payout) return Unknown(id);
        history.payout = *payout;
        KESSAI_ASSIGN_OR_RETURN(const auto journal,
                                domain::Cancel(*payout, reason, cancelled_by, transfer));
        if (journal) {
            KESSAI_RETURN_IF_ERROR(transaction.Lock(std::array{transfer.merchant}));
            KESSAI_RETURN_IF_ERROR(transaction.Post(*journal, transfer));
            KESSAI_RETURN_IF_ERROR(records.SetCancelled(transfer));
            if (transfer.attempt > 1) {
                KESSAI_RETURN_IF_ERROR(HoldAgain(transaction, transfer));
            }
        }
        KESSAI_ASSIGN_OR_RETURN(history.transfers, records.TransfersOf(payout->id));
        KESSAI_FAULT_POINT("payout.cancel.before_commit");
        return OkStatus();
    }));
    return history;
}

}  // namespace kessai::payout::app
