#pragma once

#include "domain/hold_event.h"
#include "kessai/mysql/rows.h"

/// How rows of merchant_hold_step become values.
namespace kessai::payout::storage {

#define KESSAI_HOLD_STEP_COLUMNS                                                         \
    "business_date, merchant_id, version, hold_number, reason, total_gross, total_fee, " \
    "total_count, recount_gross, recount_fee, recount_count, note, released_round, at_us"
domain::HoldStep ReadHoldStep(const mysql::Rows& row);

}  // namespace kessai::payout::storage
