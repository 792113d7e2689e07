#include "domain/bank_account.h"

#include "domain/transfer_reason.h"

namespace kessai::payout::domain {

std::string_view VerificationStateName(VerificationState state) {
    switch (state) {
        case VerificationState::kUnverified:
            return "UNVERIFIED";
        case VerificationState::kVerified:
            return "VERIFIED";
        case VerificationState::kRefused:
            return "REFUSED";
        case VerificationState::kUnavailable:
            return "UNAVAILABLE";
    }
    return "UNKNOWN";
}

bool TakeVerification(const Verification& said, BankAccount& account) {
    const VerificationState known = account.verification.state;
    if (known == VerificationState::kVerified) return false;
    const bool silent = said.state == VerificationState::kUnavailable;
    if (silent && known == VerificationState::kRefused) return false;
    account.verification = said;
    return true;
}

Result<bool> Confirm(BankAccount& account, int latest, std::string_view confirmed_by,
                     bool must_be_verified) {
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
    if (must_be_verified && account.verification.state != VerificationState::kVerified) {
        std::string state(VerificationStateName(account.verification.state));
        if (!account.verification.reason.empty()) state += " " + account.verification.reason;
        return Status(Code::kFailedPrecondition, reason::kBankAccountUnverified,
                      "version " + std::to_string(account.version) + " is " + state);
    }
    account.confirmed_by = std::string(confirmed_by);
    return true;
}

}  // namespace kessai::payout::domain
