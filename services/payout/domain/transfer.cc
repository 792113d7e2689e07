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

/// "SETTLED", "FAILED NO_ACCOUNT"
std::string InWords(TransferState state, const std::string& reason) {
    return Name(state) + (reason.empty() ? "" : " " + reason);
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
        case TransferState::kCancelled:
            return "CANCELLED";
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
    // A bank's list of what it settled goes on naming what came back later.
    if (result.outcome == TransferState::kSettled && transfer.state == TransferState::kReturned) {
        return std::optional<MerchantJournal>();
    }
    if (!result.settled_before && CameBack(transfer)) return std::optional<MerchantJournal>();
    const bool fails = !result.settled_before && transfer.state == TransferState::kInTransit;
    const TransferState outcome = fails ? TransferState::kFailed : result.outcome;
    const bool returns = outcome == TransferState::kReturned;
    if (returns && transfer.state == TransferState::kInTransit) {
        return Refused(reason::kTransferNotSettled, transfer,
                       "cannot come back: no result says that it was settled");
    }
    const TransferState from = returns ? TransferState::kSettled : TransferState::kInTransit;
    if (transfer.state != from) {
        return Refused(reason::kResultConflict, transfer,
                       "is " + InWords(transfer.state, transfer.reason) + ", its result says " +
                           InWords(result.outcome, result.reason));
    }
    transfer.state = outcome;
    transfer.reason = result.reason;
    return std::optional<MerchantJournal>(MerchantJournal{.kind = KindOf(outcome),
                                                          .merchant = transfer.merchant,
                                                          .object = transfer.id.value(),
                                                          .amount = transfer.amount});
}

Result<std::optional<MerchantJournal>> Cancel(const Payout& payout, std::string_view reason,
                                              std::string_view cancelled_by, Transfer& transfer) {
    if (transfer.state == TransferState::kCancelled) return std::optional<MerchantJournal>();
    if (!transfer.batch.is_none()) {
        return Refused(reason::kTransferInFile, transfer,
                       "is in file " + transfer.batch.ToString() + " and " + Name(transfer.state));
    }
    transfer.state = TransferState::kCancelled;
    transfer.reason = std::string(reason);
    transfer.cancelled_by = std::string(cancelled_by);
    const bool charged = transfer.attempt == 1;
    return std::optional<MerchantJournal>(MerchantJournal{.kind = JournalKind::kTransferCancelled,
                                                          .merchant = transfer.merchant,
                                                          .object = transfer.id.value(),
                                                          .amount = transfer.amount,
                                                          .fee = charged ? payout.amounts.fee : 0,
                                                          .tax = charged ? payout.amounts.tax : 0});
}

}  // namespace kessai::payout::domain
