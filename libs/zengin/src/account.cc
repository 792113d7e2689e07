#include "kessai/zengin/account.h"

#include "digits.h"
#include "kessai/zengin/bank_directory.h"

namespace kessai::zengin {
namespace {

constexpr std::size_t kNumberDigits = 7;

Status Refuse(std::string_view reason, std::string message) {
    return Status(Code::kInvalidArgument, reason, std::move(message));
}

}  // namespace

Result<Account> CheckAccount(const AccountFields& fields) {
    KESSAI_RETURN_IF_ERROR(FindBranch(fields.bank_code, fields.branch_code));
    if (fields.type != 1 && fields.type != 2 && fields.type != 4) {
        return Refuse(reason::kAccountTypeUnknown,
                      "an account's type is 1 (ordinary), 2 (current) or 4 (savings)");
    }
    if (!internal::AreDigits(fields.number, kNumberDigits) ||
        fields.number.find_first_not_of('0') == std::string_view::npos) {
        return Refuse(reason::kAccountNumberMalformed,
                      "an account's number has seven digits, zeros before a shorter one");
    }
    auto holder = KanaText::FromText(fields.holder);
    if (!holder.ok()) return holder.status().WithContext("account holder");
    if (holder->empty()) {
        return Refuse(reason::kAccountHolderMissing, "the account holder's name is missing");
    }
    if (holder->size() > kHolderSizeMax) {
        return Refuse(reason::kNameTooLong, "the account holder's name has " +
                                                std::to_string(holder->size()) +
                                                " characters, of which a transfer carries " +
                                                std::to_string(kHolderSizeMax));
    }
    return Account{std::string(fields.bank_code), std::string(fields.branch_code),
                   static_cast<AccountType>(fields.type), std::string(fields.number),
                   *std::move(holder)};
}

}  // namespace kessai::zengin
