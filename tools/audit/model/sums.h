#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>

#include "model/values.h"
#include "model/wide.h"
#include "report.h"

namespace kessai::audit {

/// Gross, fee and number of accruals.
struct Sums {
    Wide gross = 0;
    Wide fee = 0;
    Wide count = 0;

    void Add(const Sums& other) {
        gross += other.gross;
        fee += other.fee;
        count += other.count;
    }
    bool operator==(const Sums&) const = default;
};
/// "gross 100, fee 2, 1 accruals".
inline std::string ToText(const Sums& sums) {
    return "gross " + ToText(sums.gross) + ", fee " + ToText(sums.fee) + ", " + ToText(sums.count) +
           " accruals";
}

/// What accruals sum to, as merchant_day_total holds it.
struct AccrualSum {
    DayNumber business_date = 0;
    std::int32_t slot = 0;
    std::int64_t merchant_id = 0;
    std::int32_t tax_class = 0;
    CurrencyCode currency;
    Sums sums;

    auto place() const { return std::tuple(business_date, merchant_id, slot, tax_class, currency); }
    bool operator<(const AccrualSum& other) const { return place() < other.place(); }
    void Merge(const AccrualSum& other) { sums.Add(other.sums); }
};

/// What accruals of one part of a merchant's day sum to, over all slots, and the days of their
/// payments.
struct PartSum {
    DayNumber business_date = 0;
    std::int64_t merchant_id = 0;
    std::int32_t tax_class = 0;
    std::int32_t part = 0;
    Sums sums;
    DayNumber payment_first = 0;
    DayNumber payment_last = 0;

    auto place() const { return std::tuple(business_date, merchant_id, tax_class, part); }
    bool operator<(const PartSum& other) const { return place() < other.place(); }
    void Merge(const PartSum& other) {
        sums.Add(other.sums);
        payment_first = std::min(payment_first, other.payment_first);
        payment_last = std::max(payment_last, other.payment_last);
    }
};
/// "gross -100, fee -2, 1 accruals, of payments of 2026-11-20 to 2026-11-21".
inline std::string ToText(const PartSum& sum) {
    return ToText(sum.sums) + ", of payments of " + DayText(sum.payment_first) + " to " +
           DayText(sum.payment_last);
}

/// What a merchant's releases of an invoice cycle sum to.
struct CycleSum {
    DayNumber cycle_start = 0;
    std::int32_t tax_class = 0;
    std::int64_t merchant_id = 0;
    Wide fee = 0;
    Wide tax = 0;
    Wide net = 0;

    auto place() const { return std::tuple(merchant_id, tax_class, cycle_start); }
    bool operator<(const CycleSum& other) const { return place() < other.place(); }
    void Merge(const CycleSum& other) {
        fee += other.fee;
        tax += other.tax;
        net += other.net;
    }
};

}  // namespace kessai::audit
