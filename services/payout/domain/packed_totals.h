#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/day_total.h"

namespace kessai::payout::domain {

/// One stored total: the part of a merchant's day that came through one slot (Kafka partition).
struct SlotTotal {
    std::uint32_t slot = 0;
    MerchantSums part;

    bool operator==(const SlotTotal&) const = default;
};

/// Larger packs are not kept: they would come near to what one statement can carry.
inline constexpr std::size_t kPackedTotalsMax = std::size_t{4} << 20;

/// Packs totals into one text of some ten bytes each. For every total: what the merchant's id grew
/// by since the total before (at first since 0), slot, tax class, gross, fee and item count, as
/// variable-length integers of 7 bits a byte, lowest first; the growth, gross, fee and item count
/// are zigzag encoded. Not thread safe.
class TotalsPacker {
 public:
    /// In order of merchant.
    void Add(const SlotTotal& total);
    /// What was added since the last call, unless it takes more than kPackedTotalsMax.
    std::optional<std::string> Take();

 private:
    std::string packed_;
    std::int64_t last_merchant_ = 0;
    bool too_large_ = false;
};

/// The totals that were packed. Nothing if it is no pack of totals.
std::optional<std::vector<SlotTotal>> UnpackTotals(std::string_view packed);

}  // namespace kessai::payout::domain
