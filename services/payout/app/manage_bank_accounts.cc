#include "app/manage_bank_accounts.h"

#include <algorithm>
#include <array>
#include <vector>

#include "domain/transfer_reason.h"
#include "kessai/zengin/account.h"
#include "kessai/zengin/transfer_file.h"

namespace kessai::payout::app {
namespace {

/// One of a merchant's versions. NOT_FOUND BANK_ACCOUNT_UNKNOWN.
Result<domain::BankAccount> Find(const std::vector<domain::BankAccount>& versions,
                                 domain::MerchantId merchant, int version) {
    if (version >= 1 && version <= static_cast<int>(versions.size())) {
        return versions[static_cast<std::size_t>(version) - 1];
    }
    return Status(Code::kNotFound, domain::reason::kBankAccountUnknown,
                  "merchant " + merchant.ToString() + " has no bank account of version " +
                      std::to_string(version));
}

}  // namespace

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

Result<domain::BankAccount> ManageBankAccounts::Verify(domain::MerchantId merchant, int version,
                                                       std::string_view asked_by) {
    if (verifier_ == nullptr) {
        return Status(Code::kFailedPrecondition, domain::reason::kVerifierMissing,
                      "no bank is configured that could be asked");
    }
    domain::BankAccount stored;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto versions,
                                transaction.merchants().BankAccounts(merchant));
        KESSAI_ASSIGN_OR_RETURN(stored, Find(versions, merchant, version));
        return OkStatus();
    }));
    if (stored.verification.state == domain::VerificationState::kVerified) return stored;

    domain::Verification said;
    if (auto answer = verifier_->Ask(stored); answer.ok()) {
        said = *std::move(answer);
    } else {
        said = {.state = domain::VerificationState::kUnavailable,
                .reason = std::string(answer.status().reason())};
    }
    said.asked_by = std::string(asked_by);
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        // Another may have asked meanwhile.
        KESSAI_ASSIGN_OR_RETURN(const auto versions,
                                transaction.merchants().BankAccounts(merchant));
        KESSAI_ASSIGN_OR_RETURN(stored, Find(versions, merchant, version));
        if (!domain::TakeVerification(said, stored)) return OkStatus();
        return transaction.merchants().SetVerification(stored);
    }));
    return stored;
}

Result<domain::BankAccount> ManageBankAccounts::Confirm(domain::MerchantId merchant, int version,
                                                        std::string_view confirmed_by) {
    domain::BankAccount stored;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto versions,
                                transaction.merchants().BankAccounts(merchant));
        KESSAI_ASSIGN_OR_RETURN(stored, Find(versions, merchant, version));
        KESSAI_RETURN_IF_ERROR(transaction.Lock(std::array{merchant}));
        KESSAI_ASSIGN_OR_RETURN(
            const bool now, domain::Confirm(stored, static_cast<int>(versions.size()), confirmed_by,
                                            options_.verification_required));
        if (!now) return OkStatus();
        transaction.AccountOf(merchant).bank_account = version;
        return transaction.merchants().SetConfirmed(stored);
    }));
    return stored;
}

}  // namespace kessai::payout::app
