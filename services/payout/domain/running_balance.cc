#include "domain/running_balance.h"

#include <chrono>
#include <utility>

#include "domain/tax.h"
#include "domain/varint.h"
#include "kessai/money/money.h"

namespace kessai::payout::domain {
namespace {

constexpr int kMonthsPerYear = 12;
constexpr std::int64_t kMonthMax = 9'999 * kMonthsPerYear + kMonthsPerYear - 1;

auto PlaceOf(const RunningBalance& balance) {
    return std::pair(balance.merchant, balance.tax_class);
}

std::int64_t MonthOf(BusinessDate cycle_start) {
    const std::chrono::year_month_day date(cycle_start.day());
    return static_cast<int>(date.year()) * kMonthsPerYear +
           static_cast<int>(static_cast<unsigned>(date.month())) - 1;
}

BusinessDate FirstDayOf(std::int64_t month) {
    const std::chrono::year year(static_cast<int>(month / kMonthsPerYear));
    return BusinessDate(year / static_cast<int>(month % kMonthsPerYear + 1) / 1);
}

}  // namespace

Result<RunningBalance> AddToBalance(const RunningBalance& before, BusinessDate day,
                                    const ReleaseLine& line) {
    RunningBalance after = before;
    KESSAI_ASSIGN_OR_RETURN(after.released, CheckedAdd(before.released, line.net));
    const BusinessDate cycle = CycleStart(day);
    if (cycle > before.cycle_start) {
        after.cycle_start = cycle;
        after.cycle_fee = line.sums.fee;
    } else if (cycle == before.cycle_start) {
        KESSAI_ASSIGN_OR_RETURN(after.cycle_fee, CheckedAdd(before.cycle_fee, line.sums.fee));
    }
    return after;
}

Result<std::vector<RunningBalance>> Fold(std::span<const CycleSums> cycles) {
    std::vector<RunningBalance> balances;
    for (const CycleSums& sums : cycles) {
        if (balances.empty() ||
            PlaceOf(balances.back()) != std::pair(sums.merchant, sums.tax_class)) {
            balances.push_back({sums.merchant, sums.tax_class, {}, 0, 0});
        }
        RunningBalance& balance = balances.back();
        balance.cycle_start = sums.cycle_start;
        balance.cycle_fee = sums.fee;
        KESSAI_ASSIGN_OR_RETURN(balance.released, CheckedAdd(balance.released, sums.net));
    }
    return balances;
}

std::vector<RunningBalance> WithChanges(std::span<const RunningBalance> balances,
                                        std::span<const RunningBalance> changed) {
    std::vector<RunningBalance> merged;
    merged.reserve(balances.size() + changed.size());
    auto next = changed.begin();
    for (const RunningBalance& balance : balances) {
        for (; next != changed.end() && PlaceOf(*next) < PlaceOf(balance); ++next) {
            merged.push_back(*next);
        }
        const bool is_changed = next != changed.end() && PlaceOf(*next) == PlaceOf(balance);
        merged.push_back(is_changed ? *next++ : balance);
    }
    merged.insert(merged.end(), next, changed.end());
    return merged;
}

std::vector<BalancePiece> CutIntoPieces(const MerchantRange& range,
                                        std::span<const RunningBalance> balances) {
    std::vector<BalancePiece> pieces;
    MerchantId first = range.first;
    while (balances.size() > kBalancesPerPiece) {
        std::size_t count = kBalancesPerPiece;
        while (count < balances.size() &&
               balances[count].merchant == balances[count - 1].merchant) {
            ++count;
        }
        if (count == balances.size()) break;
        const MerchantId next = balances[count].merchant;
        pieces.push_back({{first, MerchantId(next.value() - 1)}, Pack(balances.first(count))});
        balances = balances.subspan(count);
        first = next;
    }
    pieces.push_back({{first, range.last}, Pack(balances)});
    return pieces;
}

std::string Pack(std::span<const RunningBalance> balances) {
    constexpr std::size_t kUsualBytes = 12;
    std::string packed;
    packed.reserve(balances.size() * kUsualBytes);
    std::int64_t merchant = 0;
    BusinessDate cycle;
    std::int64_t month = 0;
    for (const RunningBalance& balance : balances) {
        AppendSignedVarint(GrowthOf(balance.merchant.value(), merchant), packed);
        AppendVarint(static_cast<std::uint64_t>(balance.tax_class), packed);
        // As a rule it is that of the one before.
        const std::int64_t month_before = month;
        if (month == 0 || balance.cycle_start != cycle) month = MonthOf(balance.cycle_start);
        cycle = balance.cycle_start;
        AppendSignedVarint(month - month_before, packed);
        AppendSignedVarint(balance.cycle_fee, packed);
        AppendSignedVarint(balance.released, packed);
        merchant = balance.merchant.value();
    }
    return packed;
}

std::optional<std::vector<RunningBalance>> UnpackBalances(std::string_view packed) {
    std::vector<RunningBalance> balances;
    VarintReader reader(packed);
    std::int64_t merchant = 0;
    std::int64_t month = 0;
    BusinessDate cycle = FirstDayOf(month);
    while (!reader.at_end()) {
        RunningBalance balance;
        merchant = GrownBy(merchant, reader.Signed());
        balance.merchant = MerchantId(merchant);
        const std::uint64_t tax_class = reader.Number();
        const std::int64_t growth = reader.Signed();
        balance.cycle_fee = reader.Signed();
        balance.released = reader.Signed();
        if (growth != 0) {
            month = GrownBy(month, growth);
            if (month < 0 || month > kMonthMax) return std::nullopt;
            cycle = FirstDayOf(month);
        }
        if (!reader.good() || tax_class > UINT8_MAX) return std::nullopt;
        balance.tax_class = static_cast<TaxClass>(tax_class);
        balance.cycle_start = cycle;
        balances.push_back(balance);
    }
    return balances;
}

}  // namespace kessai::payout::domain
