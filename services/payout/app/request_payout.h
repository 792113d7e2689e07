#pragma once

#include <string_view>
#include <vector>

#include "app/ledger_store.h"
#include "domain/tax.h"
#include "domain/transfer.h"

namespace kessai::payout::app {

/// A payout with its attempts, the first one first.
struct PayoutHistory {
    domain::Payout payout;
    std::vector<domain::Transfer> transfers;
};

/// Makes payouts that somebody asked for, and further attempts of those whose money came back.
/// Thread safe.
class RequestPayout {
 public:
    RequestPayout(LedgerStore& store, const domain::TaxTable& taxes)
        : store_(store), taxes_(taxes) {}

    /// Pays all that is available, on the next bank business day (today, if it is one), by the
    /// merchant's terms. The same key again gives the first outcome. FIELD_INVALID,
    /// FAILED_PRECONDITION BANK_ACCOUNT_MISSING, PAYOUT_HELD, NOTHING_TO_PAY.
    Result<PayoutHistory> OnDemand(domain::MerchantId merchant, std::string_view request_key,
                                   std::string_view requested_by);

    /// Makes attempt `attempt` (from 2) of a payout whose last transfer failed, was returned, or
    /// was cancelled after such a one, to the bank account in force now, and lifts what that one's
    /// failure held. The same attempt again gives the first outcome. NOT_FOUND PAYOUT_UNKNOWN,
    /// FAILED_PRECONDITION ATTEMPT_OUT_OF_TURN, TRANSFER_UNDER_WAY (the last one did not come
    /// back), PAYOUT_CANCELLED (its first attempt was, so it is over), BANK_ACCOUNT_MISSING,
    /// PAYOUT_HELD (by something else), NOTHING_TO_PAY (less is available than the payout's
    /// amount).
    Result<PayoutHistory> Reissue(domain::PayoutId payout, int attempt,
                                  std::string_view requested_by);

 private:
    LedgerStore& store_;
    const domain::TaxTable& taxes_;
};

}  // namespace kessai::payout::app
