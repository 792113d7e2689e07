#pragma once

#include <string_view>

#include "domain/accrual.h"
#include "domain/seal.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/rows.h"
#include "kessai/mysql/session.h"
#include "kessai/time/clock.h"

/// How rows become values and values rows, where more than one store reads or writes them.
namespace kessai::payout::storage {

/// What `captured_total` is where it is not stored.
std::int64_t Magnitude(std::int64_t gross);

Currency ReadCurrency(const mysql::Rows& row, int column);

/// In the order of the table; see ReadAccrual.
#define KESSAI_ACCRUAL_COLUMNS                                                                    \
    "business_date, bucket, payment_id, version, merchant_id, kind, tax_class, currency, gross, " \
    "fee, captured_total, refunded_before, payment_date, plan_id, plan_version, event_id, "       \
    "recorded_at_us, content_hash"

/// Without what is kept apart (accrual_details.h).
domain::Accrual ReadAccrual(const mysql::Rows& row);
Instant ReadRecordedAt(const mysql::Rows& row);

/// merchant_id, slot, tax_class, gross, fee, item_count
#define KESSAI_SLOT_TOTAL_COLUMNS "merchant_id, slot, tax_class, gross, fee, item_count"

/// Precondition: six cells.
domain::SlotTotal SlotTotalOf(std::span<const std::int64_t> cells);

inline domain::TaxClass ReadTaxClass(const mysql::Rows& row, int column) {
    return static_cast<domain::TaxClass>(row.Int(column));
}

/// A BINARY(32). Precondition: not NULL.
domain::Seal ReadSeal(const mysql::Rows& row, int column);

template <std::size_t N>
mysql::Bytes AsBytes(const std::array<std::uint8_t, N>& bytes) {
    return {{reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
}

/// At most `length` bytes of a text, whole UTF-8 characters.
std::string_view CutText(std::string_view text, std::size_t length);

}  // namespace kessai::payout::storage
