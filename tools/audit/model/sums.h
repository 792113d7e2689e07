#pragma once

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
