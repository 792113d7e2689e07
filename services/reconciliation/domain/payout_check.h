#pragma once

#include <cstdint>
#include <string>

#include "domain/day_run.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::domain {

/// One check of a closed day against payout: its merchants' totals and releases, and the transfers
/// of the day before.
struct PayoutCheck {
    BusinessDate business_date{};
    /// 1, 2, 3, … per day.
    std::uint32_t number = 0;
    /// Balances and the parts of transfers too.
    bool deep = false;
    DayRunState state = DayRunState::kRunning;
    /// Payout had released the day, so releases were compared.
    bool released = false;
    /// The transfers of the day before could not change any more, so they were compared.
    bool transfers_compared = false;
    /// Buckets of merchants that differ, and merchants that were listed for them.
    std::uint32_t buckets_different = 0;
    std::uint64_t merchants_listed = 0;
    std::uint32_t discrepancies_found = 0;
    Instant started_at{};
    /// The epoch while it runs.
    Instant finished_at{};
    std::string failure{};

    bool operator==(const PayoutCheck&) const = default;
};

}  // namespace kessai::reconciliation::domain
