#pragma once

#include <cstdint>

#include "kessai/digest/accumulator.h"
#include "kessai/digest/row_hash.h"
#include "kessai/time/business_date.h"

/// Digests of what is no row of a day: payout and reconciliation sum these up alike, so both make
/// them here.
namespace kessai::digest {

/// What changes of a merchant, day and tax class sum to.
struct MerchantLine {
    std::int64_t merchant_id = 0;
    /// As payout stores it.
    std::uint8_t tax_class = 0;
    /// Signed, minor units.
    std::int64_t gross = 0;
    std::int64_t fee = 0;
    std::int64_t item_count = 0;
};

/// Adds a line as three rows of the merchant's bucket, one for each number: two sets of lines with
/// equal digests have the same lines.
inline void AddLine(BusinessDate business_date, const MerchantLine& line, Accumulator& sums) {
    const std::int64_t numbers[] = {line.gross, line.fee, line.item_count};
    std::uint32_t number = 0;
    for (const std::int64_t value : numbers) {
        sums.Add({.object_id = line.merchant_id,
                  .version = line.tax_class * 4u + number++,
                  .business_date = business_date,
                  .merchant_id = line.merchant_id,
                  .signed_gross = value});
    }
}

/// The fee of a change as a row: its amount is the fee, and the tax class stands for the merchant.
inline Row FeeRow(std::int64_t payment_id, std::uint32_t version, BusinessDate business_date,
                  std::uint8_t tax_class, std::int64_t fee) {
    return {.object_id = payment_id,
            .version = version,
            .business_date = business_date,
            .merchant_id = tax_class,
            .signed_gross = fee};
}

}  // namespace kessai::digest
