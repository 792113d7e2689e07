#include "app/accrue_payments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kessai/testing/matchers.h"

namespace kessai::payout::app {
namespace {

BusinessDate Day(std::int32_t yyyymmdd) {
    return BusinessDate::FromNumber(yyyymmdd).value();
}

domain::FeePlan Plan(std::int64_t revision, std::uint32_t rate, std::int32_t from) {
    domain::FeePlan plan;
    plan.id = domain::PlanId(1);
    plan.version = static_cast<std::uint32_t>(revision);
    plan.revision = revision;
    plan.terms.rate_basis_points = rate;
    plan.effective_from = Day(from);
    return plan;
}

class FakeTransaction final : public AccrualTransaction {
 public:
    Result<std::vector<StoredEffect>> FindEffects(std::span<const domain::EffectKey>) override {
        return std::vector<StoredEffect>();
    }
    Result<SlotGate> LockGate() override { return gate; }
    Result<domain::PlanUpdates> PlansAfter(std::int64_t revision) override {
        ++plan_reads;
        domain::PlanUpdates later;
        later.revision = gate.plan_revision;
        for (const auto& plan : plans) {
            if (plan.revision > revision) later.plans.push_back(plan);
        }
        return later;
    }
    Result<bool> IsStillOpen(BusinessDate, domain::MerchantId merchant) override {
        return open_merchants.contains(merchant);
    }
    Status Store(const AccrualBatch& batch) override {
        stored.assign(batch.accruals.begin(), batch.accruals.end());
        totals.assign(batch.totals.begin(), batch.totals.end());
        new_days.assign(batch.new_days.begin(), batch.new_days.end());
        return OkStatus();
    }
    Status NoteDayClosed(BusinessDate) override { return OkStatus(); }

    SlotGate gate{std::nullopt, 1};
    std::vector<domain::FeePlan> plans{Plan(1, 198, 20200101)};
    std::set<domain::MerchantId> open_merchants;
    int plan_reads = 0;
    std::vector<domain::Accrual> stored;
    std::vector<domain::DayTotal> totals;
    std::vector<BusinessDate> new_days;
};

IncomingChange Sale(std::int64_t payment, std::int64_t merchant, std::int32_t day = 20261122) {
    domain::PaymentChange change;
    change.event = domain::EventId(payment + 1);
    change.key = {domain::PaymentId(payment), 1};
    change.business_date = change.payment_date = Day(day);
    change.merchant = domain::MerchantId(merchant);
    change.amount = change.captured_total = 1'000;
    return {change, {}};
}

class AccruePaymentsTest : public ::testing::Test {
 protected:
    Result<AccruePayments::Refused> Run(std::vector<IncomingChange> changes) {
        return accrue_.Run(transaction_, changes, Instant());
    }
    FakeTransaction transaction_;
    PlanCache plans_;
    AccruePayments accrue_{plans_, domain::TaxTable::Japan()};
};

TEST_F(AccruePaymentsTest, BatchIsStoredWithItsSumsByMerchant) {
    ASSERT_OK_AND_ASSIGN(const auto refused, Run({Sale(1, 7), Sale(2, 8), Sale(3, 7)}));
    EXPECT_TRUE(refused.empty());
    EXPECT_EQ(transaction_.stored.size(), 3u);
    ASSERT_EQ(transaction_.totals.size(), 2u);
    EXPECT_EQ(transaction_.totals[0].part.sums, (domain::Sums{2'000, 38, 2}));
    EXPECT_THAT(transaction_.new_days, ::testing::ElementsAre(Day(20261122)));
}

// Goal: plans are read when the gate says there are others, and only then.
TEST_F(AccruePaymentsTest, PlansAreReadWhenTheGateNamesNewOnes) {
    ASSERT_OK(Run({Sale(1, 7)}).status());
    ASSERT_OK(Run({Sale(2, 7)}).status());
    EXPECT_EQ(transaction_.plan_reads, 1);
    transaction_.plans.push_back(Plan(2, 500, 20261123));
    transaction_.gate.plan_revision = 2;
    ASSERT_OK(Run({Sale(3, 7, 20261123)}).status());
    EXPECT_EQ(transaction_.plan_reads, 2);
    EXPECT_EQ(transaction_.stored[0].fee, 50);
    EXPECT_EQ(transaction_.stored[0].plan_version, 2u);
}

TEST_F(AccruePaymentsTest, WhatIsRefusedIsNamedAndNothingIsStored) {
    IncomingChange bad = Sale(2, 7);
    bad.change.amount = 0;
    ASSERT_OK_AND_ASSIGN(const auto refused, Run({Sale(1, 7), bad, Sale(3, 7, 20190101)}));
    ASSERT_EQ(refused.size(), 2u);
    EXPECT_EQ(refused.at(1).reason(), "FIELD_INVALID");
    EXPECT_EQ(refused.at(2).reason(), "PLAN_MISSING");
    EXPECT_TRUE(transaction_.stored.empty());
}

// Goal: an event of a closed day is an error, unless its merchant was left open for it.
TEST_F(AccruePaymentsTest, ClosedDayTakesOnlyMerchantsLeftOpen) {
    transaction_.gate.closed_through = Day(20261122);
    transaction_.open_merchants = {domain::MerchantId(8)};
    ASSERT_OK_AND_ASSIGN(const auto refused, Run({Sale(1, 7), Sale(2, 8), Sale(3, 7, 20261123)}));
    ASSERT_EQ(refused.size(), 1u);
    EXPECT_THAT(refused.at(0), ::testing::Property(&Status::reason, "DAY_CLOSED"));
    ASSERT_OK_AND_ASSIGN(const auto again, Run({Sale(2, 8), Sale(3, 7, 20261123)}));
    EXPECT_TRUE(again.empty());
    EXPECT_EQ(transaction_.stored.size(), 2u);
}

TEST_F(AccruePaymentsTest, DayIsNotedUntilATransactionWithItCommitted) {
    ASSERT_OK(Run({Sale(1, 7)}).status());
    ASSERT_OK(Run({Sale(2, 7)}).status());
    EXPECT_EQ(transaction_.new_days.size(), 1u);
    accrue_.OnCommitted({Day(20261122)});
    ASSERT_OK(Run({Sale(3, 7)}).status());
    EXPECT_TRUE(transaction_.new_days.empty());
}

}  // namespace
}  // namespace kessai::payout::app
