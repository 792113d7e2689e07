#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "domain/recount.h"
#include "domain/release.h"
#include "kessai/time/business_date.h"

namespace kessai::payout::domain {

/// What a merchant's releases of one tax class sum to, so far: what the next release's tax grows
/// from, and what was ever made available. It follows from the release rows (Fold), and is kept
/// because a release and a day's transfers need it of every merchant at once.
struct RunningBalance {
    MerchantId merchant;
    TaxClass tax_class = TaxClass::kNone;
    /// The latest invoice cycle (its first day) of which something was released, and the fees that
    /// were released of it, tax-exclusive.
    BusinessDate cycle_start;
    std::int64_t cycle_fee = 0;
    /// The net of all releases.
    std::int64_t released = 0;

    bool operator==(const RunningBalance&) const = default;
};

/// The balance when `line` of `day` joins it. A day of an earlier cycle, released late, leaves the
/// cycle as it is. Refuses with OUT_OF_RANGE AMOUNT_OVERFLOW.
Result<RunningBalance> AddToBalance(const RunningBalance& before, BusinessDate day,
                                    const ReleaseLine& line);

/// What a merchant's releases of a cycle sum to.
struct CycleSums {
    MerchantId merchant;
    TaxClass tax_class = TaxClass::kNone;
    BusinessDate cycle_start;
    std::int64_t fee = 0;
    std::int64_t net = 0;

    bool operator==(const CycleSums&) const = default;
};

/// Running balances, from the sums of all cycles in order of merchant, tax class and cycle. Refuses
/// with OUT_OF_RANGE AMOUNT_OVERFLOW.
Result<std::vector<RunningBalance>> Fold(std::span<const CycleSums> cycles);

/// `balances` with those of `changed` in their place, or added. All in order of merchant and tax
/// class.
std::vector<RunningBalance> WithChanges(std::span<const RunningBalance> balances,
                                        std::span<const RunningBalance> changed);

/// A run of merchants whose balances are kept together.
struct BalancePiece {
    MerchantRange range;
    /// See Pack.
    std::string packed;
};

/// Few enough that a piece fits a database page beside others, and that a look-up of one merchant
/// reads little.
inline constexpr std::size_t kBalancesPerPiece = 500;

/// Cuts the balances of a range's merchants, in order, into pieces that cover the range without a
/// gap. A merchant is in one piece.
std::vector<BalancePiece> CutIntoPieces(const MerchantRange& range,
                                        std::span<const RunningBalance> balances);

/// Some ten bytes each: what the merchant's id grew by since the balance before (at first since 0),
/// tax class, what the cycle's month (since the year 0) grew by likewise, fee of the cycle, and
/// released, as variable-length integers (varint.h); all but the tax class are signed.
std::string Pack(std::span<const RunningBalance> balances);
/// Nothing if it is no pack of balances.
std::optional<std::vector<RunningBalance>> UnpackBalances(std::string_view packed);

}  // namespace kessai::payout::domain
