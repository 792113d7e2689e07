#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/result/result.h"

namespace kessai {

/// An ISO 4217 alphabetic code. Only the currencies that the platform handles can be made from
/// text.
class Currency {
 public:
    constexpr Currency() = default;

    /// Refuses with INVALID_ARGUMENT CURRENCY_UNKNOWN what is not a supported ISO 4217 code.
    static Result<Currency> Parse(std::string_view code);

    static constexpr Currency Jpy() { return Currency({'J', 'P', 'Y'}); }
    /// "XXX", no currency (ISO 4217): what a stored code that is none is read as, so that it equals
    /// no currency that money is in. Parse refuses it.
    static constexpr Currency None() { return Currency({'X', 'X', 'X'}); }

    std::string_view code() const { return {letters_.data(), letters_.size()}; }
    /// Digits of the minor unit (ISO 4217 exponent): 0 for the yen.
    int exponent() const { return 0; }

    constexpr bool operator==(const Currency&) const = default;

 private:
    explicit constexpr Currency(std::array<char, 3> letters) : letters_(letters) {}
    std::array<char, 3> letters_{'J', 'P', 'Y'};
};

/// An amount in minor units (yen for JPY) with its currency. Value type, no floating point
/// anywhere. Arithmetic is checked: overflow and mixed currencies are refused, never wrapped.
class Money {
 public:
    constexpr Money() = default;
    constexpr Money(std::int64_t minor, Currency currency) : minor_(minor), currency_(currency) {}

    constexpr std::int64_t minor() const { return minor_; }
    constexpr Currency currency() const { return currency_; }

    constexpr bool is_zero() const { return minor_ == 0; }
    constexpr bool is_positive() const { return minor_ > 0; }
    constexpr bool is_negative() const { return minor_ < 0; }

    /// Refuse with OUT_OF_RANGE AMOUNT_OVERFLOW or INVALID_ARGUMENT CURRENCY_MISMATCH.
    Result<Money> Add(Money other) const;
    Result<Money> Subtract(Money other) const;
    Result<Money> Negate() const;

    /// "1234 JPY", for logs and messages.
    std::string ToString() const;

    constexpr bool operator==(const Money&) const = default;

 private:
    std::int64_t minor_ = 0;
    Currency currency_ = Currency::Jpy();
};

constexpr Money Yen(std::int64_t amount) {
    return {amount, Currency::Jpy()};
}

/// Checked 64-bit arithmetic for totals: OUT_OF_RANGE AMOUNT_OVERFLOW instead of wrapping.
Result<std::int64_t> CheckedAdd(std::int64_t a, std::int64_t b);
Result<std::int64_t> CheckedSubtract(std::int64_t a, std::int64_t b);
Result<std::int64_t> CheckedMultiply(std::int64_t a, std::int64_t b);

/// floor(amount × numerator / denominator) without overflow in between (128 bit).
/// Precondition: denominator > 0. Refuses with OUT_OF_RANGE AMOUNT_OVERFLOW a result beyond 64 bit.
/// Floors toward negative infinity, so that FloorOf(-x) = -ceil(x).
Result<std::int64_t> FloorMulDiv(std::int64_t amount, std::int64_t numerator,
                                 std::int64_t denominator);

/// Splits `total` in proportion to `weights`, to the minor unit: the parts sum to `total` exactly.
/// Every part is the floor of its share; what remains goes one by one to the largest remainders,
/// the earlier first among equals. Preconditions: total ≥ 0, weights ≥ 0 and not all zero.
std::vector<std::int64_t> Allocate(std::int64_t total, std::span<const std::int64_t> weights);

namespace literals {
constexpr Money operator""_jpy(unsigned long long amount) {
    return Yen(static_cast<std::int64_t>(amount));
}
}  // namespace literals

}  // namespace kessai
