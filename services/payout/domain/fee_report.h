#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "domain/ids.h"
#include "domain/payment_change.h"
#include "domain/plan_book.h"
#include "domain/tax.h"
#include "kessai/result/result.h"

namespace kessai::payout::domain {

/// Accruals of a day that have plan version, tax class and kind in common, together.
struct FeeGroup {
    /// None: no plan was asked.
    PlanId plan;
    std::uint32_t plan_version = 0;
    TaxClass tax_class = TaxClass::kNone;
    ChangeKind kind = ChangeKind::kCompleted;
    std::int64_t accrual_count = 0;
    /// Of these, how many moved money.
    std::int64_t moving_count = 0;
    std::int64_t gross = 0;
    std::int64_t fee = 0;
};

/// Fees tax-exclusive, minor units. Returns stand apart, as on an invoice.
struct FeeSums {
    /// With those that moved no money.
    std::int64_t accrual_count = 0;
    std::int64_t gross = 0;
    std::int64_t charged = 0;
    /// Cancels and refunds (DayPartKind::kReturns), and their fees: zero or less.
    std::int64_t return_count = 0;
    std::int64_t given_back = 0;

    bool operator==(const FeeSums&) const = default;
};

/// OUT_OF_RANGE AMOUNT_OVERFLOW.
Result<FeeSums> Add(const FeeSums& a, const FeeSums& b);
Result<FeeSums> SumsOf(const FeeGroup& group);

/// Whose a plan is. The numbers are those of `kessai.payout.v1.FeeReport.PlanOwner`.
enum class PlanOwner : std::uint8_t {
    /// There was no plan: what has no fee asks for none.
    kNobody = 1,
    kMerchant = 2,
    kShared = 3,
    kDefault = 4,
    /// The plan is not there: the row is damaged.
    kUnknown = 5,
};

/// What a plan version charged, of one tax class.
struct FeeLine {
    PlanOwner owner = PlanOwner::kNobody;
    /// Of an own plan.
    MerchantId merchant;
    /// None: of several plans (plan_count), or of none.
    PlanId plan;
    std::uint32_t plan_version = 0;
    std::int64_t plan_count = 0;
    TaxClass tax_class = TaxClass::kNone;
    FeeSums sums;

    bool operator==(const FeeLine&) const = default;
};

/// Sums groups as they come, in any order. Its memory follows the plan versions that there are.
class FeeTally {
 public:
    /// OUT_OF_RANGE AMOUNT_OVERFLOW.
    Status Add(const FeeGroup& group);

    /// By owner (default, shared, merchants, then what had no plan), plan, version and tax class.
    /// Above `lines_max`, merchants' own plans with the least fees are one line a tax class, behind
    /// the others of theirs. OUT_OF_RANGE AMOUNT_OVERFLOW.
    Result<std::vector<FeeLine>> Lines(const PlanBook& plans, std::size_t lines_max) const;
    /// Over all plans. OUT_OF_RANGE AMOUNT_OVERFLOW.
    Result<std::map<TaxClass, FeeSums>> ByTaxClass() const;

 private:
    std::map<std::tuple<PlanId, std::uint32_t, TaxClass>, FeeSums> sums_;
};

}  // namespace kessai::payout::domain
