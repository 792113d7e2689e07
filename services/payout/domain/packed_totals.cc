#include "domain/packed_totals.h"

#include <utility>

#include "domain/varint.h"

namespace kessai::payout::domain {

void TotalsPacker::Add(const SlotTotal& total) {
    if (too_large_) return;
    const MerchantSums& part = total.part;
    AppendSignedVarint(GrowthOf(part.merchant.value(), last_merchant_), packed_);
    AppendVarint(total.slot, packed_);
    AppendVarint(static_cast<std::uint64_t>(part.tax_class), packed_);
    AppendSignedVarint(part.sums.gross, packed_);
    AppendSignedVarint(part.sums.fee, packed_);
    AppendSignedVarint(part.sums.item_count, packed_);
    last_merchant_ = part.merchant.value();
    too_large_ = packed_.size() > kPackedTotalsMax;
}

std::optional<std::string> TotalsPacker::Take() {
    last_merchant_ = 0;
    std::string packed = std::exchange(packed_, {});
    if (std::exchange(too_large_, false)) return std::nullopt;
    return packed;
}

std::optional<std::vector<SlotTotal>> UnpackTotals(std::string_view packed) {
    std::vector<SlotTotal> totals;
    VarintReader reader(packed);
    std::int64_t merchant = 0;
    while (!reader.at_end()) {
        SlotTotal total;
        merchant = GrownBy(merchant, reader.Signed());
        total.part.merchant = MerchantId(merchant);
        const std::uint64_t slot = reader.Number();
        const std::uint64_t tax_class = reader.Number();
        total.part.sums.gross = reader.Signed();
        total.part.sums.fee = reader.Signed();
        total.part.sums.item_count = reader.Signed();
        if (!reader.good() || slot > UINT32_MAX || tax_class > UINT8_MAX) return std::nullopt;
        total.slot = static_cast<std::uint32_t>(slot);
        total.part.tax_class = static_cast<TaxClass>(tax_class);
        totals.push_back(total);
    }
    return totals;
}

}  // namespace kessai::payout::domain
