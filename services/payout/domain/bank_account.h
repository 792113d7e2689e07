#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/ids.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::payout::domain {

/// The Zengin format's deposit items (預金種目). The numbers are stored, and the format's.
enum class AccountType : std::uint8_t {
    kOrdinary = 1,
    kCurrent = 2,
    kSavings = 4,
};

/// What the bank says of an account. The numbers are stored, and are those of
/// `kessai.payout.v1.BankAccount.Verification`.
enum class VerificationState : std::uint8_t {
    /// It was not asked.
    kUnverified = 1,
    /// There is such an account, of that holder.
    kVerified = 2,
    /// There is none, or it is of another holder.
    kRefused = 3,
    /// It did not say: it may be asked again.
    kUnavailable = 4,
};

std::string_view VerificationStateName(VerificationState state);

struct Verification {
    VerificationState state = VerificationState::kUnverified;
    /// Why it is not verified, as a word.
    std::string reason = {};
    /// The operator who had the bank asked.
    std::string asked_by = {};

    bool operator==(const Verification&) const = default;
};

/// Where a merchant is paid. A version is proposed by one operator and confirmed by another; the
/// latest confirmed one is in force.
struct BankAccount {
    MerchantId merchant;
    int version = 0;
    /// Four, three and seven digits.
    std::string bank_code;
    std::string branch_code;
    AccountType type = AccountType::kOrdinary;
    std::string number;
    /// Half-width kana of the Zengin format.
    std::string holder_kana;
    /// What the bank and branch master calls them.
    std::string bank_kana;
    std::string branch_kana;
    std::string put_by;
    std::optional<std::string> confirmed_by;
    Verification verification = {};

    /// Whether both are the same account, whoever put it.
    bool SameAs(const BankAccount& other) const {
        return bank_code == other.bank_code && branch_code == other.branch_code &&
               type == other.type && number == other.number && holder_kana == other.holder_kana;
    }
};

/// Whether `confirmed_by` may confirm the account, of whose merchant `latest` is the last version.
/// True: it is confirmed now. False: the same operator confirmed it before.
/// FAILED_PRECONDITION BANK_ACCOUNT_SUPERSEDED (another was proposed since, or another operator
/// confirmed it), PERMISSION_DENIED SAME_OPERATOR; where `must_be_verified`, FAILED_PRECONDITION
/// BANK_ACCOUNT_UNVERIFIED.
Result<bool> Confirm(BankAccount& account, int latest, std::string_view confirmed_by,
                     bool must_be_verified);

/// Takes what the bank says, whatever it said before. False, and nothing is changed, if the account
/// is verified, which it stays, or the bank is silent and has refused it before.
bool TakeVerification(const Verification& said, BankAccount& account);

}  // namespace kessai::payout::domain
