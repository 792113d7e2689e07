#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kessai/result/result.h"
#include "kessai/zengin/kana_text.h"

namespace kessai::zengin {

namespace reason {
// All INVALID_ARGUMENT.
/// Not 1, 2, 4 (or 9, in a file only).
inline constexpr std::string_view kAccountTypeUnknown = "ACCOUNT_TYPE_UNKNOWN";
/// Not seven digits, or only zeros. Shorter numbers are given with zeros before them.
inline constexpr std::string_view kAccountNumberMalformed = "ACCOUNT_NUMBER_MALFORMED";
inline constexpr std::string_view kAccountHolderMissing = "ACCOUNT_HOLDER_MISSING";
/// Longer than its field.
inline constexpr std::string_view kNameTooLong = "NAME_TOO_LONG";
}  // namespace reason

/// 預金種目, with the numbers that files carry.
enum class AccountType : std::uint8_t {
    kOrdinary = 1,  // 普通
    kCurrent = 2,   // 当座
    kSavings = 4,   // 貯蓄
    /// その他. Banks' files know it; no account that CheckAccount() lets through has it.
    kOther = 9,
};

/// An account in a bank in Japan.
struct Account {
    std::string bank_code = {};    // four digits
    std::string branch_code = {};  // three digits
    AccountType type = AccountType::kOrdinary;
    std::string number = {};  // seven digits
    KanaText holder = {};

    bool operator==(const Account&) const = default;
};

/// An account as somebody typed it.
struct AccountFields {
    std::string_view bank_code = {};
    std::string_view branch_code = {};
    int type = 0;
    std::string_view number = {};
    /// UTF-8, see KanaText::FromText.
    std::string_view holder = {};
};

/// The longest holder that a transfer carries. Of a longer name the first so many characters are
/// given (KanaText::First), says the banks' guidance; that is for the caller to decide.
inline constexpr std::size_t kHolderSizeMax = 30;

/// What can be known of an account without asking its bank: the branch is in the directory, the
/// type is one that takes transfers, the number has its form, and the holder is in permitted
/// characters. Refuses with what FindBranch and KanaText::FromText refuse with,
/// ACCOUNT_TYPE_UNKNOWN, ACCOUNT_NUMBER_MALFORMED, ACCOUNT_HOLDER_MISSING, NAME_TOO_LONG.
Result<Account> CheckAccount(const AccountFields& fields);

}  // namespace kessai::zengin
