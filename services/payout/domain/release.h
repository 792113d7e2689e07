#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "domain/recount.h"
#include "domain/tax.h"
#include "kessai/result/result.h"

namespace kessai::payout::domain {

/// The numbers are stored, and are those of `kessai.payout.v1.PayoutDay.State`.
enum class DayState : std::uint8_t {
    kOpen = 1,
    kClosed = 2,
    kReleasing = 3,
    kReleased = 4,
};

/// Why a merchant's day is not released. The numbers are stored.
enum class HoldReason : std::uint8_t {
    /// An event of the day could not be applied, and waits to be replayed or settled.
    kEventParked = 1,
    /// The accrual rows don't sum to the day's totals.
    kRecountDiffers = 2,
    /// An accrual, computed again, is another.
    kFeeDiffers = 3,
    /// The totals are not those that were sealed at close.
    kSealBroken = 4,
};

/// "EVENT_PARKED" and so on, as callers see it.
std::string_view HoldReasonName(HoldReason reason);

/// What a merchant gets of one day and tax class: a row and a journal (see ledger.h).
struct ReleaseLine {
    MerchantId merchant;
    TaxClass tax_class = TaxClass::kNone;
    /// As recounted from the accrual rows.
    Sums sums;
    std::int64_t tax = 0;
    /// gross − fee − tax
    std::int64_t net = 0;

    bool operator==(const ReleaseLine&) const = default;
};

/// `fees_before`: of this merchant and tax class, what the cycle released before.
/// Refuses with INVALID_ARGUMENT FIELD_INVALID a tax class that `taxes` has not, and with
/// OUT_OF_RANGE AMOUNT_OVERFLOW: both mean damaged rows.
Result<ReleaseLine> MakeReleaseLine(const MerchantSums& recounted, std::int64_t fees_before,
                                    const TaxTable& taxes);

/// What releases sum to, over any number of merchants.
struct ReleaseSums {
    std::int64_t merchant_count = 0;
    std::int64_t held_back_count = 0;
    std::int64_t gross = 0;
    std::int64_t fee = 0;
    std::int64_t tax = 0;
    std::int64_t net = 0;

    bool operator==(const ReleaseSums&) const = default;
};

/// Refuse with OUT_OF_RANGE AMOUNT_OVERFLOW.
Result<ReleaseSums> Add(const ReleaseSums& a, const ReleaseSums& b);
Result<ReleaseSums> AddLine(const ReleaseSums& sums, const ReleaseLine& line);

/// A merchant whose day is held back.
struct HeldBack {
    MerchantId merchant;
    HoldReason reason = HoldReason::kRecountDiffers;
    /// What the totals say, and what the accrual rows sum to.
    Sums totals;
    Sums recounted;
    /// The first thing found, in words.
    std::string note;
};

}  // namespace kessai::payout::domain
