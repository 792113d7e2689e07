#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/discrepancy.h"
#include "domain/ids.h"
#include "domain/tax_class.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::domain {

/// What changes of a merchant, day and tax class sum to; minor units.
struct LineSums {
    std::int64_t gross = 0;
    std::int64_t fee = 0;
    std::int64_t item_count = 0;

    bool operator==(const LineSums&) const = default;
};

/// What payout released of it.
struct ReleasedLine {
    LineSums sums{};
    std::int64_t tax = 0;
    std::int64_t net = 0;
    /// The fees of its invoice cycle that earlier rounds released to the merchant in this class.
    std::int64_t cycle_fee_before = 0;
};

/// A merchant's day in one tax class as three say it.
struct MerchantDayLine {
    TaxClass tax_class = TaxClass::kNone;
    /// By the events of both sides. Of kNotNoted the fee says nothing.
    LineSums matched{};
    /// By payout's totals.
    LineSums accrued{};
    std::optional<ReleasedLine> released{};
};

struct MerchantDay {
    MerchantId merchant{};
    std::vector<MerchantDayLine> lines{};
    bool held_back = false;
};

/// What is wrong with a merchant's day; pure.
///
/// ACCRUED_DIFFERS: payout's totals are not what was matched, in gross, fee or number, of some tax
/// class (of what an older version matched: in gross and number, over all classes).
/// RELEASED_DIFFERS, once payout says that the day is released and unless it holds the merchant
/// back: a class was not released, or as something else, or net is not gross less fee less tax, or
/// the tax is not that of its fee. A day's tax is what the invoice cycle's rounded tax grows by
/// with the day's fee, in the order of release; so it follows from what was released of the cycle
/// before.
std::vector<Finding> CheckMerchantDay(BusinessDate day, const MerchantDay& merchant, bool released);

/// What a release of a day sums to, over merchants.
struct ReleaseTotals {
    std::int64_t merchant_count = 0;
    std::int64_t gross = 0;
    std::int64_t fee = 0;
    std::int64_t tax = 0;
    std::int64_t net = 0;

    bool operator==(const ReleaseTotals&) const = default;
};
/// Beyond the range it wraps around: damaged rows may say anything, and differ all the same.
ReleaseTotals Sum(const ReleaseTotals& a, const ReleaseTotals& b);
/// For people.
std::string Describe(const ReleaseTotals& totals);

/// RELEASE_TOLD_DIFFERS unless what the events told, what payout's rounds noted and what its rows
/// sum to are one.
std::vector<Finding> CheckReleaseTotals(BusinessDate day, const ReleaseTotals& told,
                                        const ReleaseTotals& noted, const ReleaseTotals& rows);

/// A merchant's money by payout's rows, as it is kept, and by the events of transfers that we
/// heard.
struct MerchantFunds {
    MerchantId merchant{};
    std::int64_t released = 0;
    std::int64_t adjusted = 0;
    std::int64_t paid = 0;
    std::int64_t prices = 0;
    std::int64_t came_back = 0;
    std::int64_t open_transfers = 0;
    std::int64_t available = 0;
    std::int64_t in_transit = 0;
};

/// BALANCE_DIFFERS unless available is released + adjusted − paid − prices + came back, and what is
/// in transit the transfers that are open.
std::vector<Finding> CheckFunds(BusinessDate day, const MerchantFunds& funds);

}  // namespace kessai::reconciliation::domain
