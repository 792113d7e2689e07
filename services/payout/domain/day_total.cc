#include "domain/day_total.h"

#include <algorithm>
#include <tuple>

namespace kessai::payout::domain {

namespace {

std::int64_t AddSaturating(std::int64_t a, std::int64_t b) {
    std::int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return a < 0 ? INT64_MIN : INT64_MAX;
}

}  // namespace

Sums operator+(const Sums& a, const Sums& b) {
    return {AddSaturating(a.gross, b.gross), AddSaturating(a.fee, b.fee),
            AddSaturating(a.item_count, b.item_count)};
}

std::vector<DayTotal> SumByMerchant(std::span<const Accrual> accruals) {
    std::vector<DayTotal> totals;
    totals.reserve(accruals.size());
    for (const Accrual& accrual : accruals) {
        totals.push_back({accrual.business_date,
                          {accrual.merchant, accrual.tax_class, {accrual.gross, accrual.fee, 1}}});
    }
    const auto key = [](const DayTotal& total) {
        return std::tuple(total.business_date, total.part.merchant, total.part.tax_class);
    };
    std::sort(totals.begin(), totals.end(),
              [&](const DayTotal& a, const DayTotal& b) { return key(a) < key(b); });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < totals.size(); ++i) {
        if (kept > 0 && key(totals[kept - 1]) == key(totals[i])) {
            totals[kept - 1].part.sums = totals[kept - 1].part.sums + totals[i].part.sums;
        } else {
            totals[kept++] = totals[i];
        }
    }
    totals.resize(kept);
    return totals;
}

}  // namespace kessai::payout::domain
