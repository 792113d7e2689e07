#pragma once

#include "kessai/mysql/query.h"

namespace kessai::reconciliation::storage {

/// Adds to the sums of a merchant's day, which may be negative.
inline constexpr mysql::Query kAddMatchedTotals{"matched_day_total.add", R"sql(
    INSERT INTO matched_day_total (business_date, merchant_id, currency, slot, tax_class, gross, fee,
                                   item_count)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE gross = gross + VALUES(gross),
                            fee = fee + VALUES(fee),
                            item_count = item_count + VALUES(item_count))sql"};

}  // namespace kessai::reconciliation::storage
