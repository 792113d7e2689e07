#include "rules/running_balances.h"

namespace kessai::audit {
namespace {

/// Takes one integer off the front; nothing if there is none, or none of 64 bits.
std::optional<std::uint64_t> TakeNumber(std::string_view& bytes) {
    std::uint64_t number = 0;
    for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
        const auto byte = static_cast<std::uint8_t>(bytes.front());
        bytes.remove_prefix(1);
        const std::uint64_t bits = byte & 0x7fU;
        if (shift == 63 && bits > 1) return std::nullopt;
        number += bits << shift;
        if (byte < 0x80) return number;
    }
    return std::nullopt;
}

std::optional<std::int64_t> TakeSigned(std::string_view& bytes) {
    const auto number = TakeNumber(bytes);
    if (!number) return std::nullopt;
    const auto half = static_cast<std::int64_t>(*number / 2);
    return *number % 2 == 0 ? half : -half - 1;
}

/// Modulo 2^64, as the numbers were made.
std::int64_t Sum(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

DayNumber FirstDayOfMonth(std::int64_t month) {
    return static_cast<DayNumber>(month / 12 * 10'000 + (month % 12 + 1) * 100 + 1);
}

}  // namespace

std::string ToText(const RunningBalance& balance) {
    using audit::ToText;
    return "released " + ToText(balance.released) + ", fees " + ToText(balance.cycle_fee) + " in " +
           DayText(balance.cycle_start);
}

void Join(const CycleSum& cycle, RunningBalance& balance) {
    balance.cycle_start = cycle.cycle_start;
    balance.cycle_fee = cycle.fee;
    balance.released += cycle.net;
}

std::optional<std::vector<RunningBalance>> ReadBalances(std::string_view bytes) {
    std::vector<RunningBalance> balances;
    std::int64_t merchant = 0;
    std::int64_t month = 0;
    while (!bytes.empty()) {
        const auto growth = TakeSigned(bytes);
        const auto tax_class = TakeNumber(bytes);
        const auto months = TakeSigned(bytes);
        const auto fee = TakeSigned(bytes);
        const auto released = TakeSigned(bytes);
        if (!growth || !tax_class || !months || !fee || !released || *tax_class > 255) {
            return std::nullopt;
        }
        merchant = Sum(merchant, *growth);
        month = Sum(month, *months);
        if (month < 0 || month >= 10'000 * 12) return std::nullopt;
        balances.push_back({merchant, static_cast<std::int32_t>(*tax_class), FirstDayOfMonth(month),
                            *fee, *released});
    }
    return balances;
}

}  // namespace kessai::audit
