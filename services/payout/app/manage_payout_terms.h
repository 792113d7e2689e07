#pragma once

#include <string_view>

#include "app/ledger_store.h"
#include "domain/payout_terms.h"

namespace kessai::payout::app {

/// Decides when and whether merchants are paid. Thread safe.
class ManagePayoutTerms {
 public:
    explicit ManagePayoutTerms(LedgerStore& store) : store_(store) {}

    /// Puts a new version, in force at once: of a merchant, or (none) of all without their own. The
    /// same again gives the first outcome. TERMS_INVALID.
    Result<domain::PayoutTerms> Put(const domain::PayoutTerms& terms, std::string_view put_by);

    /// Nothing is paid to the merchant until the hold is lifted.
    Result<PayoutHold> Hold(domain::MerchantId merchant, std::string_view note,
                            std::string_view put_by);
    /// NOT_FOUND HOLD_UNKNOWN. Lifting again gives the first outcome.
    Result<PayoutHold> Lift(domain::PayoutHoldId hold, std::string_view lifted_by);

 private:
    LedgerStore& store_;
};

/// The terms in force for a merchant whose account is locked.
Result<domain::PayoutTerms> TermsInForce(LedgerTransaction& transaction,
                                         domain::MerchantId merchant);

}  // namespace kessai::payout::app
