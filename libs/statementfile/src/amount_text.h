#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kessai/money/money.h"
#include "kessai/result/result.h"

namespace kessai::statementfile::internal {

/// How a number is written.
struct NumberStyle {
    std::string_view thousands;
    std::string_view decimal = ".";
    /// May stand before or behind it.
    const std::vector<std::string>* units = nullptr;
};

/// Signed: +, -, −, △ or ▲ before the digits, or parentheses around a negative number. Refuses with
/// AMOUNT_MALFORMED: groups that are not of three digits, a fraction of the minor unit, more than
/// 64 bits hold.
Result<Money> ReadAmount(std::string_view text, const NumberStyle& style, Currency currency);

std::string_view Trim(std::string_view text);

}  // namespace kessai::statementfile::internal
