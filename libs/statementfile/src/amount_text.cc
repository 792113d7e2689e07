#include "amount_text.h"

#include <cstdint>

#include "kessai/statementfile/statement_item.h"

namespace kessai::statementfile::internal {
namespace {

bool IsDigit(char c) {
    return c >= '0' && c <= '9';
}

Status Malformed(std::string_view text, std::string_view what) {
    return Status(Code::kInvalidArgument, reason::kAmountMalformed,
                  '"' + std::string(text) + "\" " + std::string(what));
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
    if (prefix.empty() || !text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

void TakeUnits(std::string_view& text, const std::vector<std::string>* units) {
    text = Trim(text);
    if (units == nullptr) return;
    for (const std::string& unit : *units) {
        if (unit.empty()) continue;
        if (text.starts_with(unit)) text.remove_prefix(unit.size());
        if (text.ends_with(unit)) text.remove_suffix(unit.size());
        text = Trim(text);
    }
}

bool TakeSign(std::string_view& text) {
    for (const std::string_view minus : {"-", "−", "－", "△", "▲"}) {
        if (TakePrefix(text, minus)) return true;
    }
    TakePrefix(text, "+");
    return false;
}

/// The digits, without what stands between groups of three; empty if they are not well grouped.
std::string TakeDigits(std::string_view& text, std::string_view thousands) {
    constexpr std::size_t kGroup = 3;
    std::string digits;
    const auto take_run = [&] {
        std::size_t size = 0;
        while (size < text.size() && IsDigit(text[size])) ++size;
        digits += text.substr(0, size);
        text.remove_prefix(size);
        return size;
    };
    std::size_t run = take_run();
    if (run == 0 || run > kGroup) return digits;
    while (TakePrefix(text, thousands)) {
        run = take_run();
        if (run != kGroup) return {};
    }
    return digits;
}

}  // namespace

std::string_view Trim(std::string_view text) {
    constexpr std::string_view kSpaces = " \t";
    const std::size_t first = text.find_first_not_of(kSpaces);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

Result<Money> ReadAmount(std::string_view written, const NumberStyle& style, Currency currency) {
    std::string_view text = written;
    TakeUnits(text, style.units);
    const bool parentheses = text.size() >= 2 && text.front() == '(' && text.back() == ')';
    if (parentheses) text = text.substr(1, text.size() - 2);
    bool negative = TakeSign(text);
    if (negative && parentheses) return Malformed(written, "has two signs");
    negative = negative || parentheses;
    TakeUnits(text, style.units);
    const std::string digits = TakeDigits(text, style.thousands);
    if (digits.empty()) return Malformed(written, "is no amount");
    std::string fraction;
    if (TakePrefix(text, style.decimal)) {
        while (!text.empty() && IsDigit(text.front())) {
            fraction += text.front();
            text.remove_prefix(1);
        }
        if (fraction.empty()) return Malformed(written, "ends in a decimal point");
    }
    if (!text.empty()) return Malformed(written, "is no amount");
    const auto decimals = static_cast<std::size_t>(currency.exponent());
    if (fraction.find_first_not_of('0', decimals) != std::string::npos) {
        return Malformed(written, "has a fraction of the minor unit");
    }
    fraction.resize(decimals, '0');
    std::int64_t minor = 0;
    for (const char digit : digits + fraction) {
        if (__builtin_mul_overflow(minor, 10, &minor) ||
            __builtin_add_overflow(minor, digit - '0', &minor)) {
            return Malformed(written, "is beyond 64 bits");
        }
    }
    return Money(negative ? -minor : minor, currency);
}

}  // namespace kessai::statementfile::internal
