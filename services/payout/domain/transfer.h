#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/ids.h"
#include "domain/merchant_journal.h"
#include "domain/payout_terms.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payout::domain {

/// The numbers are stored, and are those of `kessai.payout.v1.Transfer.State`.
enum class TransferState : std::uint8_t {
    kInTransit = 1,
    kSettled = 2,
    /// The bank did not make it.
    kFailed = 3,
    /// It was settled, and the money came back.
    kReturned = 4,
    /// Taken back by an operator while it was in no file.
    kCancelled = 5,
};

std::string_view TransferStateName(TransferState state);

/// What is paid to a merchant once, in as many attempts as it takes: what it pays, and for what.
struct Payout {
    PayoutId id = {};
    MerchantId merchant = {};
    /// Makes it unique for the merchant; see DueKey.
    std::string request_key = {};
    bool on_demand = false;
    PayoutAmounts amounts = {};
    std::string requested_by = {};
};

/// One attempt of a payout.
struct Transfer {
    TransferId id;
    PayoutId payout;
    /// From 1.
    int attempt = 1;
    MerchantId merchant;
    /// The version of the merchant's bank account that it goes to.
    int bank_account = 0;
    /// A bank business day.
    BusinessDate transfer_date;
    std::int64_t amount = 0;
    TransferState state = TransferState::kInTransit;
    /// The bank's, of a failure or return; the operator's, of a cancelled one.
    std::string reason;
    /// The file it was sent in, if it was.
    BatchId batch;
    std::string requested_by;
    std::string cancelled_by = {};
};

/// The request key of what is due on a date: one payout for each merchant and date.
std::string DueKey(BusinessDate date);

/// What a bank tells of a transfer. The numbers are those of the rows that tell it: see
/// TransferState.
struct BankResult {
    TransferId transfer = {};
    /// Settled, failed or returned.
    TransferState outcome = TransferState::kSettled;
    std::int64_t amount = 0;
    /// The bank's code, of a failure or return.
    std::string reason = {};
    /// Of a return: whether the bank knows that it had settled it. An account's statement does not:
    /// it shows only that the money is back.
    bool settled_before = true;
};

/// Takes a result. In transit → settled or failed; settled → returned; what is back without a word
/// of what was settled has failed if it was in transit. Gives the journal to post; nothing when the
/// result says again what is known, also in other words (that money is back), or what was so before
/// the money came back.
/// Refusals, which change nothing:
/// FAILED_PRECONDITION TRANSFER_NOT_SENT (it is in no file), RESULT_AMOUNT_DIFFERS,
/// TRANSFER_NOT_SETTLED (returned, but nothing was settled yet), RESULT_CONFLICT (another result is
/// known).
Result<std::optional<MerchantJournal>> Take(const BankResult& result, Transfer& transfer);

/// Takes back a transfer that no bank was told of, as if it had never been made: the journal undoes
/// what made it, with the price that it charged, for nothing was supplied. Nothing when it was
/// cancelled before. FAILED_PRECONDITION TRANSFER_IN_FILE.
Result<std::optional<MerchantJournal>> Cancel(const Payout& payout, std::string_view reason,
                                              std::string_view cancelled_by, Transfer& transfer);

/// Whether the money of the attempt is back in available, so that there may be another.
inline bool CameBack(const Transfer& transfer) {
    return transfer.state == TransferState::kFailed || transfer.state == TransferState::kReturned ||
           transfer.state == TransferState::kCancelled;
}

/// Whether a payout with this last attempt is over, and was for nothing: a later attempt that is
/// cancelled leaves it as the failure before it did.
inline bool IsCancelled(const Transfer& last) {
    return last.state == TransferState::kCancelled && last.attempt == 1;
}

}  // namespace kessai::payout::domain
