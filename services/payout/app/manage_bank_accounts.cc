#include "app/manage_bank_accounts.h"

#include <algorithm>
#include <array>
#include <vector>

#include "domain/transfer_reason.h"
#include "kessai/zengin/account.h"
#include "kessai/zengin/transfer_file.h"

namespace kessai::payout::app {

Result<domain::BankAccount> ManageBankAccounts::Put(const BankAccountWish& wish,
                                                    std::string_view put_by) {
    KESSAI_ASSIGN_OR_RETURN(const zengin::Account checked,
                            zengin::CheckAccount({.bank_code = wish.bank_code,
                                                  .branch_code = wish.branch_code,
                                                  .type = wish.type,
                                                  .number = wish.number,
                                                  .holder = wish.holder}));
    KESSAI_ASSIGN_OR_RETURN(const zengin::OfficeNames office,
                            zengin::NamesOf(checked.bank_code, checked.branch_code));
    domain::BankAccount account;
    account.merchant = wish.merchant;
    account.bank_code = checked.bank_code;
    account.branch_code = checked.branch_code;
    account.type = static_cast<domain::AccountType>(checked.type);
    account.number = checked.number;
    account.holder_kana = checked.holder.ToUtf8();
    account.bank_kana = office.bank.ToUtf8();
    account.branch_kana = office.branch.ToUtf8();
    account.put_by = std::string(put_by);

    domain::BankAccount stored;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        KESSAI_RETURN_IF_ERROR(transaction.Lock(std::array{wish.merchant}));
        KESSAI_ASSIGN_OR_RETURN(const auto versions,
                                transaction.merchants().BankAccounts(wish.merchant));
        if (!versions.empty() && versions.back().SameAs(account)) {
            stored = versions.back();
            return OkStatus();
        }
        stored = account;
        stored.version = static_cast<int>(versions.size()) + 1;
        return transaction.merchants().Insert(stored);
    }));
    return stored;
}

Result<domain::BankAccount> ManageBankAccounts::Confirm(domain::MerchantId merchant, int version,
                                                        std::string_view confirmed_by) {
    domain::BankAccount stored;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto versions,
                                transaction.merchants().BankAccounts(merchant));
        if (version < 1 || version > static_cast<int>(versions.size())) {
            return Status(Code::kNotFound, domain::reason::kBankAccountUnknown,
                          "merchant " + merchant.ToString() + " has no bank account of version " +
                              std::to_string(version));
        }
        KESSAI_RETURN_IF_ERROR(transaction.Lock(std::array{merchant}));
        stored = versions[static_cast<std::size_t>(version) - 1];
        KESSAI_ASSIGN_OR_RETURN(
            const bool now,
            domain::Confirm(stored, static_cast<int>(versions.size()), confirmed_by));
        if (!now) return OkStatus();
        transaction.AccountOf(merchant).bank_account = version;
        return transaction.merchants().SetConfirmed(stored);
    }));
    return stored;
}

}  // namespace kessai::payout::app
