#include "domain/code_id.h"

#include <algorithm>

#include "domain/refusal.h"

namespace kessai::payment::domain {
namespace {

__extension__ using Uint128 = unsigned __int128;

constexpr std::string_view kPrefix = "04-";
constexpr std::string_view kAlphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
// 62^16 > 2^95: 63 bits of id and 32 of salt.
constexpr int kDigits = 16;
constexpr int kValueBits = 95;

int DigitOf(char letter) {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'A' && letter <= 'Z') return letter - 'A' + 10;
    if (letter >= 'a' && letter <= 'z') return letter - 'a' + 36;
    return -1;
}

Status Unknown() {
    return Refuse(Refusal::kCodeUnknown, "there is no such code");
}

}  // namespace

std::string FormatCodeId(CodeId code) {
    Uint128 value =
        static_cast<Uint128>(static_cast<std::uint64_t>(code.payment.value())) << 32 | code.salt;
    std::string text(kPrefix.size() + kDigits, '0');
    std::copy(kPrefix.begin(), kPrefix.end(), text.begin());
    for (auto position = text.size(); value > 0;) {
        text[--position] = kAlphabet[static_cast<std::size_t>(value % kAlphabet.size())];
        value /= kAlphabet.size();
    }
    return text;
}

Result<CodeId> ParseCodeId(std::string_view text) {
    if (text.size() != kPrefix.size() + kDigits || !text.starts_with(kPrefix)) return Unknown();
    Uint128 value = 0;
    for (const char letter : text.substr(kPrefix.size())) {
        const int digit = DigitOf(letter);
        if (digit < 0) return Unknown();
        value = value * kAlphabet.size() + static_cast<unsigned>(digit);
    }
    if (value >> kValueBits != 0) return Unknown();
    const CodeId code{PaymentId(static_cast<std::int64_t>(value >> 32)),
                      static_cast<std::uint32_t>(value)};
    if (code.payment.is_none()) return Unknown();
    return code;
}

}  // namespace kessai::payment::domain
