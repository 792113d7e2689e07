#include "domain/invoice_parties.h"

#include <algorithm>
#include <cstddef>

#include "domain/statement_reason.h"

namespace kessai::payout::domain {
namespace {

constexpr std::size_t kNameMax = 120;
constexpr std::size_t kDigits = 13;

Status IssuerInvalid(std::string message) {
    return Status(Code::kInvalidArgument, reason::kIssuerInvalid, std::move(message));
}

bool IsDigit(char letter) {
    return letter >= '0' && letter <= '9';
}

}  // namespace

Status CheckRegistrationNumber(std::string_view number) {
    if (number.size() != kDigits + 1 || number.front() != 'T' ||
        !std::all_of(number.begin() + 1, number.end(), IsDigit)) {
        return IssuerInvalid("a registration number is T and 13 digits");
    }
    const std::string_view digits = number.substr(2);
    int sum = 0;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const bool odd = (digits.size() - i) % 2 == 1;
        sum += (digits[i] - '0') * (odd ? 1 : 2);
    }
    if (number[1] - '0' != 9 - sum % 9) {
        return IssuerInvalid("the check digit of registration number " + std::string(number) +
                             " is wrong");
    }
    return OkStatus();
}

Status CheckIssuer(const InvoiceIssuer& issuer) {
    if (issuer == InvoiceIssuer()) return OkStatus();
    if (issuer.name.empty()) return IssuerInvalid("the issuer has no name");
    if (issuer.registration_number.empty()) {
        return IssuerInvalid("the issuer has no registration number");
    }
    return CheckRegistrationNumber(issuer.registration_number);
}

Status CheckProfile(const MerchantProfile& profile) {
    const std::string& name = profile.invoice_name;
    const auto invalid = [](std::string message) {
        return Status(Code::kInvalidArgument, reason::kProfileInvalid, std::move(message));
    };
    if (name.empty() || name.size() > kNameMax) return invalid("a name has 1 to 120 bytes");
    if (name.front() == ' ' || name.back() == ' ') return invalid("a name ends in no blank");
    for (const char letter : name) {
        if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F) {
            return invalid("a name has no control characters");
        }
    }
    return OkStatus();
}

}  // namespace kessai::payout::domain
