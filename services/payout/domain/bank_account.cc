#include "domain/bank_account.h"

#include "domain/transfer_reason.h"

namespace kessai::payout::domain {

Result<bool> Confirm(BankAccount& account, int latest, std::string_view confirmed_by) {
    if (account.confirmed_by) {
        if (*account.confirmed_by == confirmed_by) return false;
        return Status(Code::kFailedPrecondition, reason::kBankAccountSuperseded,
                      "version " + std::to_string(account.version) + " was confirmed before");
    }
    if (account.version != latest) {
        return Status(Code::kFailedPrecondition, reason::kBankAccountSuperseded,
                      "version " + std::to_string(latest) + " was proposed since");
    }
    if (account.put_by == confirmed_by) {
        return Status(Code::kPermissionDenied, reason::kSameOperator,
                      "who proposed the account cannot confirm it");
    }
    account.confirmed_by = std::string(confirmed_by);
    return true;
}

}  // namespace kessai::payout::domain
