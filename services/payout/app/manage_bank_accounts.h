#pragma once

#include <string_view>

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

/// Puts and confirms the accounts that merchants are paid to: four eyes. Thread safe.
class ManageBankAccounts {
 public:
    explicit ManageBankAccounts(LedgerStore& store) : store_(store) {}

    /// Proposes an account; the one in force stays until another operator confirms the new one. The
    /// same again gives the first outcome. Refuses with what zengin::CheckAccount does.
    Result<domain::BankAccount> Put(const BankAccountWish& wish, std::string_view put_by);
    /// NOT_FOUND BANK_ACCOUNT_UNKNOWN, and those of domain::Confirm.
    Result<domain::BankAccount> Confirm(domain::MerchantId merchant, int version,
                                        std::string_view confirmed_by);

 private:
    LedgerStore& store_;
};

}  // namespace kessai::payout::app
