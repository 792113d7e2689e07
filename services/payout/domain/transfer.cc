#include "domain/transfer.h"

#include "domain/transfer_reason.h"

namespace kessai::payout::domain {
namespace {

Status Refused(std::string_view reason, const Transfer& transfer, const std::string& why) {
    return Status(Code::kFailedPrecondition, reason,
                  "transfer " + transfer.id.ToString() + " " + why);
}

std::string Name(TransferState state) {
    return std::string(TransferStateName(state));
}

JournalKind KindOf(TransferState outcome) {
    switch (outcome) {
        case TransferState::kFailed:
            return JournalKind::kTransferFailed;
        case TransferState::kReturned:
            return JournalKind::kTransferReturned;
        default:
            return JournalKind::kTransferSettled;
    }
}

}  // namespace

std::string_view TransferStateName(TransferState state) {
    switch (state) {
        case TransferState::kInTransit:
            return "IN_TRANSIT";
        case TransferState::kSettled:
            return "SETTLED";
        case TransferState::kFailed:
            return "FAILED";
        case TransferState::kReturned:
            return "RETURNED";
    }
    return "UNKNOWN";
}

std::string DueKey(BusinessDate date) {
    return "due:" + date.ToString();
}

Result<std::optional<MerchantJournal>> Take(const BankResult& result, Transfer& transfer) {
    if (transfer.batch.is_none()) {
        return Refused(reason::kTransferNotSent, transfer, "was not sent in a file");
    }
    if (result.amount != transfer.amount) {
        return Refused(reason::kResultAmountDiffers, transfer,
                       "is of " + std::to_string(transfer.amount) + ", its result of " +
                           std::to_string(result.amount));
    }
    if (result.outcome == transfer.state && result.reason == transfer.reason) {
        return std::optional<MerchantJournal>();
    }
    const bool returns = result.outcome == TransferState::kReturned;
    if (returns && transfer.state == TransferState::kInTransit) {
        return Refused(reason::kTransferNotSettled, transfer,
                       "cannot come back: no result says that it was settled");
    }
    const TransferState from = returns ? TransferState::kSettled : TransferState::kInTransit;
    if (transfer.state != from) {
        return Refused(reason::kResultConflict, transfer,
                       "is " + Name(transfer.state) + " " + transfer.reason + ", its result says " +
                           Name(result.outcome) + " " + result.reason);
    }
    transfer.state = result.outcome;
    transfer.reason = result.reason;
    return std::optional<MerchantJournal>(MerchantJournal{.kind = KindOf(result.outcome),
                                                          .merchant = transfer.merchant,
                                                          .object = transfer.id.value(),
                                                          .amount = transfer.amount});
}

}  // namespace kessai::payout::domain
