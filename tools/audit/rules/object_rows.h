#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/payment_rows.h"
#include "report.h"

namespace kessai::audit {

/// All that the payment schema says of one object: a payment, a top-up, or a day whose release was
/// cleared.
struct ObjectRows {
    std::int64_t object = 0;
    /// By version.
    std::vector<Change> changes;
    std::optional<PaymentRow> payment;
    std::vector<RefundRow> refunds;
    std::vector<TopUpRow> top_ups;
    std::vector<ClearingRow> clearings;
};

/// What the journals of a payment make of it.
struct PaymentState {
    int status = kStatusCreated;
    std::int64_t user_id = 0;
    std::int64_t accepted_at_us = 0;
    DayNumber business_date = kNoDay;
    std::int64_t canceled_at_us = 0;
    std::int64_t captured = 0;
    std::int64_t refunded = 0;
    std::int64_t refund_count = 0;
    std::uint32_t version = 0;
    std::int64_t last_event_id = 0;
};

/// The rules of M4 and M5 within one object:
/// - a payment's changes are numbered 1, 2, …, their event ids rise and their days do not fall;
/// - it is paid once, in full; then cancelled once, or refunded in parts that never exceed what was
///   captured, each saying what was returned before;
/// - the payment row is what its changes make of it, a refund row and a REFUNDED change name each
///   other, a top-up has one change and one row, and so has a cleared release;
/// - a refund's key is the hash of what it stands for.
void CheckObject(const ObjectRows& rows, Report& report);

/// M4: a top-up's key is the hash of what it stands for.
void CheckTopUpKey(const TopUpRow& row, Report& report);

}  // namespace kessai::audit
