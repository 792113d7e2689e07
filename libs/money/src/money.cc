#include "kessai/money/money.h"

#include <algorithm>
#include <numeric>

namespace kessai {
namespace {

__extension__ using Int128 = __int128;

Status Overflow() {
    return Status(Code::kOutOfRange, "AMOUNT_OVERFLOW", "the amount does not fit 64 bits");
}

Status Mismatch(Money a, Money b) {
    return Status(Code::kInvalidArgument, "CURRENCY_MISMATCH",
                  a.ToString() + " and " + b.ToString() + " are of different currencies");
}

}  // namespace

Result<Currency> Currency::Parse(std::string_view code) {
    if (code == "JPY") return Jpy();
    return Status(Code::kInvalidArgument, "CURRENCY_UNKNOWN", "the only currency handled is JPY");
}

Result<std::int64_t> CheckedAdd(std::int64_t a, std::int64_t b) {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) return Overflow();
    return sum;
}

Result<std::int64_t> CheckedSubtract(std::int64_t a, std::int64_t b) {
    std::int64_t difference = 0;
    if (__builtin_sub_overflow(a, b, &difference)) return Overflow();
    return difference;
}

Result<std::int64_t> CheckedMultiply(std::int64_t a, std::int64_t b) {
    std::int64_t product = 0;
    if (__builtin_mul_overflow(a, b, &product)) return Overflow();
    return product;
}

Result<Money> Money::Add(Money other) const {
    if (currency_ != other.currency_) return Mismatch(*this, other);
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t sum, CheckedAdd(minor_, other.minor_));
    return Money(sum, currency_);
}

Result<Money> Money::Subtract(Money other) const {
    if (currency_ != other.currency_) return Mismatch(*this, other);
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t rest, CheckedSubtract(minor_, other.minor_));
    return Money(rest, currency_);
}

Result<Money> Money::Negate() const {
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t negated, CheckedSubtract(0, minor_));
    return Money(negated, currency_);
}

std::string Money::ToString() const {
    return std::to_string(minor_) + " " + std::string(currency_.code());
}

Result<std::int64_t> FloorMulDiv(std::int64_t amount, std::int64_t numerator,
                                 std::int64_t denominator) {
    KESSAI_CHECK(denominator > 0, "the denominator of a rate is positive");
    const Int128 product = static_cast<Int128>(amount) * numerator;
    Int128 quotient = product / denominator;
    if (product % denominator < 0) --quotient;
    if (quotient > INT64_MAX || quotient < INT64_MIN) return Overflow();
    return static_cast<std::int64_t>(quotient);
}

std::vector<std::int64_t> Allocate(std::int64_t total, std::span<const std::int64_t> weights) {
    KESSAI_CHECK(total >= 0, "only a non-negative total is split");
    Int128 weight_sum = 0;
    for (const std::int64_t weight : weights) {
        KESSAI_CHECK(weight >= 0, "weights are not negative");
        weight_sum += weight;
    }
    KESSAI_CHECK(weight_sum > 0, "some weight is positive");

    std::vector<std::int64_t> parts(weights.size());
    std::vector<Int128> remainders(weights.size());
    std::int64_t rest = total;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const Int128 share = static_cast<Int128>(total) * weights[i];
        parts[i] = static_cast<std::int64_t>(share / weight_sum);
        remainders[i] = share % weight_sum;
        rest -= parts[i];
    }
    std::vector<std::size_t> order(weights.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return remainders[a] > remainders[b]; });
    for (std::size_t i = 0; rest > 0; ++i, --rest) ++parts[order[i]];
    return parts;
}

}  // namespace kessai
