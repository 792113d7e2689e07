#include "app/put_fee_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/assign_fee_plan.h"
#include "kessai/testing/matchers.h"

namespace kessai::payout::app {
namespace {

using domain::MerchantId;
using domain::PlanId;

/// Has one shared plan, and keeps nothing.
class FakePlanStore final : public PlanStore, public PlanTransaction {
 public:
    Status InPlanTransaction(const std::function<Status(PlanTransaction&)>& work) override {
        return work(*this);
    }
    Result<std::vector<domain::FeePlan>> Versions(MerchantId) override {
        return std::vector<domain::FeePlan>();
    }
    Result<std::vector<domain::FeePlan>> VersionsOf(PlanId) override {
        return std::vector<domain::FeePlan>{shared};
    }
    Result<std::vector<domain::PlanAssignment>> Assignments(MerchantId) override {
        return std::vector<domain::PlanAssignment>();
    }
    Result<bool> HasAccruals(MerchantId) override {
        ++looked_for_accruals;
        return has_accruals;
    }
    Result<std::optional<BusinessDate>> LatestDay() override {
        return std::optional<BusinessDate>();
    }
    Result<std::vector<MerchantId>> WithoutVolume(BusinessDate,
                                                  std::span<const MerchantId>) override {
        return std::vector<MerchantId>();
    }
    Result<domain::FeePlan> Insert(const domain::FeePlan& plan, std::string_view,
                                   Instant) override {
        return plan;
    }
    Result<std::vector<domain::PlanAssignment>> Insert(
        std::span<const domain::PlanAssignment> assignments, std::string_view, Instant) override {
        return std::vector(assignments.begin(), assignments.end());
    }
    Status Insert(std::span<const domain::MonthVolume>, Instant) override { return OkStatus(); }
    Result<std::int64_t> Revision() override { return std::int64_t{1}; }
    Result<std::optional<BusinessDate>> LastMonthClosed() override {
        return std::optional<BusinessDate>();
    }
    Result<std::vector<MerchantId>> TieredWithoutVolume(BusinessDate, int) override {
        return std::vector<MerchantId>();
    }
    Result<std::int64_t> GrossOf(MerchantId, BusinessDate) override { return std::int64_t{0}; }

    domain::FeePlan shared;
    bool has_accruals = false;
    int looked_for_accruals = 0;
};

class PutFeePlanTest : public ::testing::Test {
 protected:
    PutFeePlanTest() {
        store_.shared.id = PlanId(5);
        store_.shared.version = 1;
        store_.shared.merchant = domain::kSharedPlan;
        store_.shared.effective_from = today_.PlusDays(-100);
    }
    Status Put(BusinessDate from) {
        domain::FeePlan plan;
        plan.merchant = MerchantId(7);
        plan.effective_from = from;
        return PutFeePlan(store_, clock_).Run(plan, "tester").status();
    }
    Status Assign(BusinessDate from) {
        const std::vector<MerchantId> merchants{MerchantId(7), MerchantId(8)};
        return AssignFeePlan(store_, clock_)
            .Run(merchants, {PlanId(5), from, std::nullopt}, "tester")
            .status();
    }

    const BusinessDate today_ = BusinessDate::FromNumber(20261122).value();
    ManualClock clock_{today_.At(std::chrono::hours(12))};
    FakePlanStore store_;
};

// Goal: as long as every gate is held, a merchant's accruals are looked for only where it matters.
TEST_F(PutFeePlanTest, AccrualsAreLookedForOnlyBeforeTheFirstFreeDay) {
    EXPECT_OK(Put(today_.PlusDays(2)));
    EXPECT_OK(Assign(today_.PlusDays(2)));
    EXPECT_EQ(store_.looked_for_accruals, 0);
    EXPECT_OK(Put(today_));
    EXPECT_EQ(store_.looked_for_accruals, 1);
    EXPECT_OK(Assign(today_));
    EXPECT_EQ(store_.looked_for_accruals, 3);
    store_.has_accruals = true;
    EXPECT_EQ(Put(today_).reason(), "PLAN_IN_PAST");
    EXPECT_EQ(Assign(today_).reason(), "PLAN_IN_PAST");
}

}  // namespace
}  // namespace kessai::payout::app
