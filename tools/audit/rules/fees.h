#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "model/payout_rows.h"
#include "model/wide.h"

namespace kessai::audit {

/// fee = min(max(floor(amount × rate) + fixed, minimum), maximum), tax-exclusive, minor units; of
/// nothing it is zero (proto/kessai/payout/v1, FeePlan). Amounts and terms may be damaged: the
/// result is then some number, computed without overflow.
Wide FeeOf(const FeePlanRow& plan, std::int64_t amount);

/// The signed fee of a change: of a sale what the captured amount's fee grows by; of a return the
/// difference of two floors over the cumulative refund, floor(fee × refunded ÷ captured), negative.
/// So what returns of the whole give back is exactly the whole fee.
Wide SignedFee(const FeePlanRow& plan, int kind, std::int64_t amount, std::int64_t captured_total,
               std::int64_t refunded_before);

/// All plan versions, and which is in force for a merchant on a day: its own plan, else the plan of
/// merchant 0. A later version of a plan takes its place from its own first day on.
class FeePlans {
 public:
    explicit FeePlans(std::vector<FeePlanRow> versions);

    /// Null when none is. The pointer lives as long as this.
    const FeePlanRow* InForce(std::int64_t merchant_id, DayNumber day) const;
    std::size_t size() const { return versions_; }

 private:
    const FeePlanRow* InForceOf(std::int64_t merchant_id, DayNumber day) const;

    std::size_t versions_;
    /// By merchant and plan, versions falling.
    std::map<std::int64_t, std::map<std::int32_t, std::vector<FeePlanRow>>> plans_;
};

/// The consumption tax's classes and rates: 8 % from 2014-04-01 (1), 10 % from 2019-10-01 (2), as
/// services/payout/domain/tax.h documents them. A fee is of the class of its payment's day.
int TaxClassOn(DayNumber day);
/// Empty when there is no such class.
std::string_view TaxClassName(int tax_class);
/// `fees` × rate, rounded toward zero; nothing when there is no such class.
std::optional<Wide> InvoiceTax(int tax_class, Wide fees);

/// The first day of the invoice cycle (the calendar month) of a day.
DayNumber CycleStart(DayNumber day);

}  // namespace kessai::audit
