#pragma once

#include <string_view>

#include "app/account_verifier.h"
#include "app/ledger_store.h"
#include "domain/bank_account.h"

namespace kessai::payout::app {

/// A bank account as an operator typed it.
struct BankAccountWish {
    domain::MerchantId merchant = {};
    std::string bank_code = {};
    std::string branch_code = {};
    int type = 0;
    std::string number = {};
    /// UTF-8, any width of kana.
    std::string holder = {};
};

struct BankAccountOptions {
    /// An account comes into force only when its bank has verified it. Those in force stay.
    bool verification_required = false;
};

/// Puts and confirms the accounts that merchants are paid to: four eyes, and the bank's word.
/// Thread safe.
class ManageBankAccounts {
 public:
    /// `verifier` may be null: then none can be asked.
    explicit ManageBankAccounts(LedgerStore& store, BankAccountOptions options = {},
                                AccountVerifier* verifier = nullptr)
        : options_(options), store_(store), verifier_(verifier) {}

    /// Proposes an account; the one in force stays until another operator confirms the new one. The
    /// same again gives the first outcome. Refuses with what zengin::CheckAccount does.
    Result<domain::BankAccount> Put(const BankAccountWish& wish, std::string_view put_by);
    /// Has the bank asked, and keeps what it says; one that does not answer makes the account
    /// "unavailable", to be asked again. What is verified is not asked again. NOT_FOUND
    /// BANK_ACCOUNT_UNKNOWN, FAILED_PRECONDITION VERIFIER_MISSING.
    Result<domain::BankAccount> Verify(domain::MerchantId merchant, int version,
                                       std::string_view asked_by);
    /// NOT_FOUND BANK_ACCOUNT_UNKNOWN, and those of domain::Confirm.
    Result<domain::BankAccount> Confirm(domain::MerchantId merchant, int version,
                                        std::string_view confirmed_by);

 private:
    const BankAccountOptions options_;
    LedgerStore& store_;
    AccountVerifier* const verifier_;
};

}  // namespace kessai::payout::app
