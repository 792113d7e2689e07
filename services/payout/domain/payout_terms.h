#pragma once

#include <cstdint>
#include <optional>

#include "domain/ids.h"
#include "domain/tax.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::payout::domain {

/// When a merchant is paid. The numbers are stored, and are those of
/// `kessai.payout.v1.PayoutTerms.Cycle`.
enum class PayoutCycle : std::uint8_t {
    kDaily = 1,
    kWeekly = 2,
    /// On the 15th and on the last day of the month.
    kTwiceAMonth = 3,
    kMonthEnd = 4,
    /// Only when somebody asks.
    kOnDemand = 5,
};

/// How a merchant is paid. Versions are never changed; the latest is in force.
struct PayoutTerms {
    /// None: every merchant without terms of its own.
    MerchantId merchant;
    int version = 0;
    PayoutCycle cycle = PayoutCycle::kMonthEnd;
    /// 1 Monday to 7 Sunday, of a weekly cycle; else 0.
    int weekday = 0;
    /// With less than this to transfer nothing is made.
    std::int64_t minimum_amount = 1;
    /// Prices, tax included: of every payout, and on top of it of one that was asked for.
    std::int64_t transfer_fee = 0;
    std::int64_t on_demand_fee = 0;

    bool operator==(const PayoutTerms&) const = default;
    /// Whether both say the same, whatever their versions.
    bool SameAs(const PayoutTerms& other) const;
};

/// What no fee, and no minimum, goes beyond.
inline constexpr std::int64_t kTransferFeeMax = 1'000'000;
/// The Zengin format's data record has ten digits for an amount.
inline constexpr std::int64_t kTransferAmountMax = 9'999'999'999;

/// INVALID_ARGUMENT TERMS_INVALID.
Status CheckTerms(const PayoutTerms& terms);

/// Whether a bank business day is a due date of the cycle. A cycle's day that is none moves to the
/// next one, so `date` is due when a day of the cycle is after `previous` (the bank business day
/// before it) and not after `date`. Several such days make one due date.
bool IsDue(const PayoutTerms& terms, BusinessDate previous, BusinessDate date);

/// What a payout moves.
struct PayoutAmounts {
    std::int64_t amount = 0;
    /// The price without its tax, and the tax in it.
    std::int64_t fee = 0;
    std::int64_t tax = 0;

    bool operator==(const PayoutAmounts&) const = default;
};

/// All of what is available less the price, at most kTransferAmountMax; nothing when that is below
/// the minimum, or nothing. The tax in a price is price × rate ÷ (1 + rate), rounded toward zero:
/// each transfer is a supply of its own with its own rounding (see tax.h).
std::optional<PayoutAmounts> AmountsToPay(std::int64_t available, const PayoutTerms& terms,
                                          bool on_demand, const TaxRate& rate);

}  // namespace kessai::payout::domain
