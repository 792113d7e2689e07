#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "model/sums.h"
#include "model/values.h"

namespace kessai::audit {

/// What a merchant's releases of a tax class sum to: the latest cycle and its fees, and the net of
/// all.
struct RunningBalance {
    std::int64_t merchant_id = 0;
    std::int32_t tax_class = 0;
    DayNumber cycle_start = 0;
    Wide cycle_fee = 0;
    Wide released = 0;

    auto place() const { return std::tuple(merchant_id, tax_class); }
    bool operator==(const RunningBalance&) const = default;
};
/// "released 500, fees 12 in 2026-11-01".
std::string ToText(const RunningBalance& balance);

/// The balance when the sum of a cycle joins it. In order of cycles, each once.
void Join(const CycleSum& cycle, RunningBalance& balance);

/// The balances of a row of running_balance, in their order: for each what the merchant's id grew
/// by, tax class, what the number of the cycle's month grew by (year × 12 + month − 1), fee and
/// released, as integers of 7 bits a byte, lowest first, zigzag but for the tax class. Nothing if
/// it can't be read.
std::optional<std::vector<RunningBalance>> ReadBalances(std::string_view bytes);

}  // namespace kessai::audit
