#pragma once

#include <cstdint>
#include <tuple>

#include "model/payment_rows.h"
#include "model/values.h"
#include "model/wide.h"

namespace kessai::audit {

/// What the checks beyond the payment schema need of a change. Ordered by key.
struct ChangeRecord {
    ChangeKey key;
    std::int64_t event_id = 0;
    std::int64_t occurred_at_us = 0;
    std::int64_t merchant_id = 0;
    std::int64_t amount = 0;
    std::int64_t captured_total = 0;
    std::int64_t refunded_before = 0;
    /// Of the payment's store; 0: none.
    std::uint64_t store_hash = 0;
    /// Of the event that it is published as; zeros where none can tell of it.
    Hash16 event_hash{};
    DayNumber business_date = 0;
    DayNumber payment_date = 0;
    CurrencyCode currency;
    std::int8_t kind = 0;

    bool operator<(const ChangeRecord& other) const { return key < other.key; }
    bool is_of_payment() const { return IsOfPayment(kind); }
    std::int64_t merchant_gross() const {
        // Damaged amounts wrap instead of being undefined.
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(amount) *
                                         static_cast<std::uint64_t>(GrossSign(kind)));
    }
};

/// A sum of one merchant's amounts of one day. Ordered by day, then merchant.
struct MerchantDaySum {
    DayNumber business_date = 0;
    CurrencyCode currency;
    std::int64_t merchant_id = 0;
    Wide amount = 0;

    auto place() const { return std::tuple(business_date, merchant_id, currency); }
    bool operator<(const MerchantDaySum& other) const { return place() < other.place(); }
    void Merge(const MerchantDaySum& other) { amount += other.amount; }
};

}  // namespace kessai::audit
