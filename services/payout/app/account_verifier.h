#pragma once

#include "domain/bank_account.h"
#include "kessai/result/result.h"

namespace kessai::payout::app {

/// A bank's account inquiry: whether an account exists, and is of the holder that we were told,
/// without a transfer to it. Thread safe.
class AccountVerifier {
 public:
    virtual ~AccountVerifier() = default;

    /// Asks, and waits for the answer a bounded time. Verified, or refused with a reason. Who does
    /// not answer, or not so that it can be understood, is a refusal of this call: what the account
    /// is is then not known. Precondition: no transaction is open.
    virtual Result<domain::Verification> Ask(const domain::BankAccount& account) = 0;
};

}  // namespace kessai::payout::app
