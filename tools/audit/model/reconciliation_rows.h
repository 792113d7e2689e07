#pragma once

#include <cstdint>

#include "model/values.h"

// Rows of the reconciliation service's schema, as they are stored.
namespace kessai::audit {

enum MatchState : int {
    kWaitingForPayout = 1,
    kWaitingForPayment = 2,
    kMatched = 3,
    kDiffers = 4,
};

/// One row of `change_match`.
struct MatchRow {
    ChangeKey key;
    int state = 0;
    int bucket = 0;
    DayNumber business_date = 0;
    CurrencyCode currency;
    std::int64_t merchant_id = 0;
    std::int64_t gross = 0;
    std::int64_t payment_event_id = 0;
    Hash16 payment_content{};
    std::int64_t payout_event_id = 0;
    Hash16 payout_content{};
};

/// One row of `matched_day_total`.
struct MatchedTotalRow {
    DayNumber business_date = 0;
    std::int64_t merchant_id = 0;
    CurrencyCode currency;
    std::int32_t slot = 0;
    std::int64_t gross = 0;
    std::int64_t item_count = 0;
};

/// A row of `discrepancy` that nobody has settled.
struct OpenDiscrepancyRow {
    std::int64_t discrepancy_id = 0;
    DayNumber business_date = 0;
    int kind = 0;
    std::int64_t payment_id = 0;
    std::int64_t version = 0;
    int state = 0;
};

}  // namespace kessai::audit
