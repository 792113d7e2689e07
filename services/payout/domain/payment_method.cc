#include "domain/payment_method.h"

#include <array>
#include <utility>

#include "domain/reason.h"
#include "kessai/money/money.h"

namespace kessai::payout::domain {
namespace {

constexpr std::size_t kMethods = static_cast<std::size_t>(Method::kCashback) + 1;
/// By method.
using Amounts = std::array<std::int64_t, kMethods>;

Status Invalid(const char* message) {
    return Status(Code::kInvalidArgument, reason::kFieldInvalid, message);
}

Amounts AmountsOf(const MethodSplit& split, std::int64_t amount) {
    Amounts amounts{};
    if (split.empty()) amounts[static_cast<std::size_t>(Method::kWallet)] = amount;
    for (const MethodAmount& part : split) {
        amounts[static_cast<std::size_t>(part.method)] += part.amount;
    }
    return amounts;
}

MethodSplit SplitOf(const Amounts& amounts) {
    MethodSplit split;
    bool all_money = true;
    for (std::size_t number = 1; number < kMethods; ++number) {
        if (amounts[number] == 0) continue;
        const auto method = static_cast<Method>(number);
        all_money = all_money && method == Method::kWallet;
        split.push_back({method, amounts[number]});
    }
    if (all_money) split.clear();
    return split;
}

}  // namespace

bool IsMethod(std::int64_t number) {
    return number >= static_cast<int>(Method::kWallet) &&
           number <= static_cast<int>(Method::kCashback);
}

Result<MethodSplit> MakeSplit(std::vector<MethodAmount> parts, std::int64_t amount) {
    if (parts.empty()) return parts;
    if (parts.size() == 1 && parts.front() == MethodAmount{Method::kWallet, amount}) {
        parts.clear();
        return parts;
    }
    std::int64_t sum = 0;
    for (const MethodAmount& part : parts) {
        if (!IsMethod(static_cast<int>(part.method))) return Invalid("the method is unknown");
        if (part.amount < 0) return Invalid("a method's amount is negative");
        KESSAI_ASSIGN_OR_RETURN(sum, CheckedAdd(sum, part.amount));
    }
    if (sum != amount) return Invalid("the methods do not sum to the amount");
    return SplitOf(AmountsOf(parts, amount));
}

Result<MethodSplit> SplitWithout(const MethodSplit& whole, std::int64_t whole_amount,
                                 const MethodSplit& part, std::int64_t part_amount) {
    Amounts left = AmountsOf(whole, whole_amount);
    const Amounts without = AmountsOf(part, part_amount);
    for (std::size_t number = 0; number < kMethods; ++number) {
        left[number] -= without[number];
        if (left[number] < 0) return Invalid("more of a method than was captured with it");
    }
    return SplitOf(left);
}

}  // namespace kessai::payout::domain
