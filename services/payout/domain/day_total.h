#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include "domain/accrual.h"

namespace kessai::payout::domain {

/// The currency of all totals and releases: that of every plan, for money knows no other yet. A
/// second one takes a column of it in their keys.
inline constexpr Currency kBookCurrency = Currency::Jpy();

/// What accruals sum to. Minor units of the merchant's currency.
struct Sums {
    std::int64_t gross = 0;
    /// Tax-exclusive.
    std::int64_t fee = 0;
    std::int64_t item_count = 0;

    bool operator==(const Sums&) const = default;
};

/// Adds; what does not fit 64 bits stays at the end of the range. Valid accruals never get there
/// (kMaxAmount leaves room for nine million of the largest in one total), damaged rows may, and
/// must then differ from every total instead of stopping the process.
Sums operator+(const Sums& a, const Sums& b);

/// The sums of one merchant and tax class; their day is known from where they are.
struct MerchantSums {
    MerchantId merchant;
    TaxClass tax_class = TaxClass::kNone;
    Sums sums;

    bool operator==(const MerchantSums&) const = default;
};

/// One merchant's part of a batch.
struct DayTotal {
    BusinessDate business_date;
    MerchantSums part;

    bool operator==(const DayTotal&) const = default;
};

/// Sums a batch before it reaches the database: one entry for each day, merchant and tax class in
/// it, in that order, so that a merchant with a million payments costs one row a batch.
std::vector<DayTotal> SumByMerchant(std::span<const Accrual> accruals);

}  // namespace kessai::payout::domain
