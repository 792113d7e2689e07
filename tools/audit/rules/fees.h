#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "model/payout_rows.h"
#include "model/wide.h"

namespace kessai::audit {

/// What a fee follows beside its plan (proto/kessai/payout/v1, FeeRule and FeeTiers). All of a
/// payment is paid from the wallet: payment knows no other method yet.
struct FeeCase {
    /// Of the payment's store; 0: none.
    std::uint64_t store_hash = 0;
    /// The payment's.
    DayNumber day = 0;
    /// When the merchant came under the plan.
    DayNumber since = 0;
    /// Of the month before.
    std::int64_t volume = 0;
};

/// By the terms that apply, fee = min(max(floor(amount × rate) + fixed, minimum), maximum),
/// tax-exclusive, minor units; of nothing it is zero (proto/kessai/payout/v1, FeeTerms). The terms
/// are those of the plan's rule that applies: of those whose conditions hold the one with first
/// days, then with dates, then with a store, then with a method; where none does, the plan's own.
/// In a rule, and in the plan, the highest tier that the volume reaches counts. Amounts and terms
/// may be damaged: the result is then some number, computed without overflow.
Wide FeeOf(const FeePlanRow& plan, const FeeCase& fee_case, std::int64_t amount);

/// The signed fee of a change: of a sale what the captured amount's fee grows by; of a return the
/// difference of two floors over the cumulative refund, floor(fee × refunded ÷ captured), negative.
/// So what returns of the whole give back is exactly the whole fee.
Wide SignedFee(const FeePlanRow& plan, const FeeCase& fee_case, int kind, std::int64_t amount,
               std::int64_t captured_total, std::int64_t refunded_before);

/// Whether fees follow the store; then the accrual keeps it.
bool HasStores(const FeePlanRow& plan);

/// Which plan is in force; null when none is. The pointer lives as long as the plans.
struct PlanInForce {
    const FeePlanRow* plan = nullptr;
    DayNumber since = 0;
};

/// All plan versions, who is assigned to shared plans (of merchant -1), and volumes. In force for a
/// merchant on a day is its own plan, else the shared plan that it is assigned to, else the plan of
/// merchant 0. A later version of a plan takes its place from its own first day on, and so does a
/// later assignment of a merchant.
class FeePlans {
 public:
    explicit FeePlans(std::vector<FeePlanRow> versions, std::vector<AssignmentRow> assignments = {},
                      std::vector<VolumeRow> volumes = {});

    PlanInForce InForce(std::int64_t merchant_id, DayNumber day) const;
    /// That its tier follows: of the latest month that was fixed by then.
    std::int64_t VolumeOn(std::int64_t merchant_id, DayNumber day) const;

    std::size_t size() const { return versions_; }
    const std::vector<VolumeRow>& volumes() const { return volumes_; }

 private:
    using Versions = std::vector<FeePlanRow>;
    static const FeePlanRow* InForceOf(const Versions& falling, DayNumber day);
    PlanInForce OwnPlan(std::int64_t merchant_id, DayNumber day) const;
    PlanInForce SharedPlan(std::int64_t merchant_id, DayNumber day) const;
    const AssignmentRow* AssignmentOn(std::int64_t merchant_id, DayNumber day) const;

    std::size_t versions_;
    /// By merchant and plan, versions falling.
    std::map<std::int64_t, std::map<std::int32_t, Versions>> plans_;
    /// By merchant, revisions falling.
    std::map<std::int64_t, std::vector<AssignmentRow>> assignments_;
    /// By merchant, and the day they count from.
    std::vector<VolumeRow> volumes_;
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
