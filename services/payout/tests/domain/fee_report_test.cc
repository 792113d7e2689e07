#include "domain/fee_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/day_part.h"
#include "tests/reference.h"
#include "tests/seeded.h"

namespace kessai::payout::domain {
namespace {

FeeGroup Group(std::int64_t plan, ChangeKind kind, std::int64_t gross, std::int64_t fee,
               TaxClass tax_class = TaxClass::kStandard10) {
    return {.plan = PlanId(plan),
            .plan_version = 1,
            .tax_class = tax_class,
            .kind = kind,
            .accrual_count = 1,
            .moving_count = gross == 0 ? 0 : 1,
            .gross = gross,
            .fee = fee};
}

FeePlan Plan(std::int64_t id, MerchantId merchant) {
    FeePlan plan;
    plan.id = PlanId(id);
    plan.version = 1;
    plan.merchant = merchant;
    return plan;
}

PlanBook Plans() {
    PlanBook book;
    book.Add(Plan(1, MerchantId()));
    book.Add(Plan(2, kSharedPlan));
    for (std::int64_t id = 3; id <= 6; ++id) book.Add(Plan(id, MerchantId(id + 1'000)));
    return book;
}

TEST(FeeReportTest, ReturnsStandApart) {
    FeeTally tally;
    ASSERT_TRUE(tally.Add(Group(1, ChangeKind::kCompleted, 1'000, 20)).ok());
    ASSERT_TRUE(tally.Add(Group(1, ChangeKind::kRefunded, -500, -10)).ok());
    ASSERT_TRUE(tally.Add(Group(1, ChangeKind::kCanceled, -100, -2)).ok());
    // What was only authorized moves nothing when it is canceled.
    ASSERT_TRUE(tally.Add(Group(1, ChangeKind::kCanceled, 0, 0)).ok());
    const auto lines = tally.Lines(Plans(), 10).value();
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0].owner, PlanOwner::kDefault);
    EXPECT_EQ(lines[0].sums, (FeeSums{4, 400, 20, 2, -12}));
}

TEST(FeeReportTest, LinesAreByOwnerPlanAndRate) {
    FeeTally tally;
    ASSERT_TRUE(tally.Add(Group(4, ChangeKind::kCompleted, 1'000, 9)).ok());
    ASSERT_TRUE(tally.Add(Group(0, ChangeKind::kAuthorized, 0, 0)).ok());
    ASSERT_TRUE(tally.Add(Group(2, ChangeKind::kCompleted, 1'000, 8)).ok());
    ASSERT_TRUE(tally.Add(Group(99, ChangeKind::kCompleted, 1'000, 7)).ok());
    ASSERT_TRUE(tally.Add(Group(1, ChangeKind::kRefunded, -1'000, -6, TaxClass::kStandard8)).ok());
    ASSERT_TRUE(tally.Add(Group(1, ChangeKind::kCompleted, 1'000, 5)).ok());
    const auto lines = tally.Lines(Plans(), 10).value();
    std::vector<std::tuple<PlanOwner, PlanId, TaxClass>> found;
    for (const FeeLine& line : lines) found.emplace_back(line.owner, line.plan, line.tax_class);
    EXPECT_THAT(found, ::testing::ElementsAre(
                           std::tuple(PlanOwner::kDefault, PlanId(1), TaxClass::kStandard8),
                           std::tuple(PlanOwner::kDefault, PlanId(1), TaxClass::kStandard10),
                           std::tuple(PlanOwner::kShared, PlanId(2), TaxClass::kStandard10),
                           std::tuple(PlanOwner::kMerchant, PlanId(4), TaxClass::kStandard10),
                           std::tuple(PlanOwner::kUnknown, PlanId(99), TaxClass::kStandard10),
                           std::tuple(PlanOwner::kNobody, PlanId(), TaxClass::kStandard10)));
    EXPECT_EQ(lines[3].merchant, MerchantId(1'004));
    EXPECT_EQ(lines[5].plan_count, 0);
}

// Goal: however many merchants have their own plans, the report is bounded, and still sums to all.
TEST(FeeReportTest, OwnPlansWithTheLeastFeesShareALine) {
    FeeTally tally;
    ASSERT_TRUE(tally.Add(Group(1, ChangeKind::kCompleted, 100, 1)).ok());
    for (std::int64_t id = 3; id <= 6; ++id) {
        ASSERT_TRUE(tally.Add(Group(id, ChangeKind::kCompleted, 100, id)).ok());
    }
    // Given back weighs as much as charged.
    ASSERT_TRUE(tally.Add(Group(3, ChangeKind::kRefunded, -100, -7)).ok());
    const auto lines = tally.Lines(Plans(), 3).value();
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_EQ(lines[0].plan, PlanId(1));
    EXPECT_EQ(lines[1].plan, PlanId(3));
    EXPECT_EQ(lines[2].plan, PlanId(6));
    EXPECT_EQ(lines[3].plan, PlanId());
    EXPECT_EQ(lines[3].owner, PlanOwner::kMerchant);
    EXPECT_EQ(lines[3].plan_count, 2);
    EXPECT_EQ(lines[3].sums, (FeeSums{2, 200, 9, 0, 0}));
}

TEST(FeeReportTest, SumsThatDoNotFitAreRefused) {
    FeeTally tally;
    ASSERT_TRUE(tally.Add(Group(1, ChangeKind::kCompleted, INT64_MAX, 1)).ok());
    EXPECT_EQ(tally.Add(Group(1, ChangeKind::kCompleted, 1, 1)).reason(), "AMOUNT_OVERFLOW");
}

// Goal: whatever the kinds, every yen of a fee is either charged or given back, as PartOf says of
// each accrual alone.
TEST(FeeReportTest, GroupsSayWhatAccrualsSayOneByOne) {
    Seeded random;
    FeeSums expected;
    FeeTally tally;
    for (int i = 0; i < 10'000; ++i) {
        Accrual accrual;
        accrual.kind = static_cast<ChangeKind>(random.Between(1, 15));
        if (!IsChangeKind(static_cast<std::int64_t>(accrual.kind))) continue;
        accrual.gross = GrossSign(accrual.kind) * random.UpTo(1'000);
        accrual.fee = !HasFee(accrual.kind) || accrual.gross == 0
                          ? 0
                          : GrossSign(accrual.kind) * random.UpTo(100);
        ++expected.accrual_count;
        expected.gross += accrual.gross;
        const bool is_return = PartOf(accrual) == DayPartKind::kReturns;
        expected.return_count += is_return ? 1 : 0;
        (is_return ? expected.given_back : expected.charged) += accrual.fee;
        ASSERT_TRUE(tally.Add(Group(1, accrual.kind, accrual.gross, accrual.fee)).ok());
    }
    EXPECT_EQ(tally.ByTaxClass().value().at(TaxClass::kStandard10), expected);
    EXPECT_LE(expected.given_back, 0);
}

}  // namespace
}  // namespace kessai::payout::domain
