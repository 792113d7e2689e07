#include "domain/accrual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "domain/day_total.h"
#include "tests/seeded.h"

namespace kessai::payout::domain {
namespace {

BusinessDate Day(std::int32_t yyyymmdd) {
    return BusinessDate::FromNumber(yyyymmdd).value();
}

PlanBook DefaultPlan(FeeTerms terms) {
    FeePlan plan;
    plan.id = PlanId(1);
    plan.version = 1;
    plan.terms = terms;
    plan.effective_from = Day(20200101);
    PlanBook book;
    book.Add(plan);
    return book;
}

PaymentChange Change(ChangeKind kind, std::uint32_t version, std::int64_t amount,
                     std::int64_t captured_total, std::int64_t refunded_before = 0) {
    PaymentChange change;
    change.event = EventId(100 + version);
    change.key = {PaymentId(10), version};
    change.business_date = Day(20261122);
    change.payment_date = Day(20261122);
    change.kind = kind;
    change.merchant = MerchantId(7);
    change.amount = amount;
    change.captured_total = captured_total;
    change.refunded_before = refunded_before;
    return change;
}

TEST(AccrueTest, SaleAddsGrossAndFee) {
    const auto accrual = Accrue(Change(ChangeKind::kCompleted, 1, 1'000, 1'000),
                                DefaultPlan({.rate_basis_points = 198}), TaxTable::Japan());
    ASSERT_TRUE(accrual.ok());
    EXPECT_EQ(accrual->gross, 1'000);
    EXPECT_EQ(accrual->fee, 19);
    EXPECT_EQ(accrual->plan, PlanId(1));
    EXPECT_EQ(accrual->plan_version, 1u);
    EXPECT_EQ(accrual->tax_class, TaxClass::kStandard10);
}

TEST(AccrueTest, CancelGivesAllBack) {
    const auto accrual =
        Accrue(Change(ChangeKind::kCanceled, 2, 1'000, 1'000),
               DefaultPlan({.rate_basis_points = 198, .minimum = 100}), TaxTable::Japan());
    ASSERT_TRUE(accrual.ok());
    EXPECT_EQ(accrual->gross, -1'000);
    EXPECT_EQ(accrual->fee, -100);
}

// Goal: a refund follows the plan and tax rate of its payment's day, not of its own.
// Method: the plan changes between the payment and its refund.
TEST(AccrueTest, RefundFollowsThePlanOfThePaymentsDay) {
    PlanBook plans = DefaultPlan({.rate_basis_points = 198});
    FeePlan dearer = *plans.Version(PlanId(1), 1);
    dearer.version = 2;
    dearer.terms.rate_basis_points = 500;
    dearer.effective_from = Day(20261123);
    plans.Add(dearer);
    PaymentChange refund = Change(ChangeKind::kRefunded, 2, 500, 1'000);
    refund.business_date = Day(20261125);
    const auto accrual = Accrue(refund, plans, TaxTable::Japan());
    ASSERT_TRUE(accrual.ok());
    EXPECT_EQ(accrual->plan_version, 1u);
    EXPECT_EQ(accrual->fee, -9);  // floor(19 × 500 ÷ 1,000)

    PaymentChange sale = Change(ChangeKind::kCompleted, 1, 1'000, 1'000);
    sale.business_date = sale.payment_date = Day(20261123);
    EXPECT_EQ(Accrue(sale, plans, TaxTable::Japan())->fee, 50);
}

// Goal: what moves no money is recorded all the same, with or without a plan.
TEST(AccrueTest, AuthorizationIsRecordedWithZero) {
    for (const ChangeKind kind :
         {ChangeKind::kAuthorized, ChangeKind::kReverted, ChangeKind::kExpired}) {
        const auto accrual = Accrue(Change(kind, 1, 1'000, 0), PlanBook(), TaxTable::Japan());
        ASSERT_TRUE(accrual.ok());
        EXPECT_EQ(accrual->gross, 0);
        EXPECT_EQ(accrual->fee, 0);
        EXPECT_TRUE(accrual->plan.is_none());
    }
}

TEST(AccrueTest, CapturesInPartsCostWhatOneCaptureCosts) {
    const PlanBook plans = DefaultPlan({.rate_basis_points = 198, .fixed = 10});
    const auto first = Accrue(Change(ChangeKind::kCaptured, 2, 333, 333), plans, TaxTable::Japan());
    const auto second =
        Accrue(Change(ChangeKind::kCaptured, 3, 667, 1'000), plans, TaxTable::Japan());
    EXPECT_EQ(first->fee + second->fee, FeeOf({.rate_basis_points = 198, .fixed = 10}, 1'000));
}

TEST(AccrueTest, WithoutAPlanItIsRefused) {
    EXPECT_EQ(Accrue(Change(ChangeKind::kCompleted, 1, 1, 1), PlanBook(), TaxTable::Japan())
                  .status()
                  .reason(),
              "PLAN_MISSING");
}

TEST(FindFaultTest, EveryAlteredFieldIsFound) {
    const PlanBook plans = DefaultPlan({.rate_basis_points = 198, .fixed = 10});
    const Accrual good =
        *Accrue(Change(ChangeKind::kRefunded, 3, 400, 1'000, 100), plans, TaxTable::Japan());
    EXPECT_EQ(FindFault(good, plans, TaxTable::Japan()), std::nullopt);
    const auto fault = [&](auto damage) {
        Accrual bad = good;
        damage(bad);
        return FindFault(bad, plans, TaxTable::Japan()).has_value();
    };
    EXPECT_TRUE(fault([](Accrual& a) { ++a.fee; }));
    EXPECT_TRUE(fault([](Accrual& a) { a.gross = -a.gross; }));
    EXPECT_TRUE(fault([](Accrual& a) { a.gross = INT64_MIN; }));
    EXPECT_TRUE(fault([](Accrual& a) { a.kind = static_cast<ChangeKind>(99); }));
    EXPECT_TRUE(fault([](Accrual& a) { a.plan = PlanId(2); }));
    EXPECT_TRUE(fault([](Accrual& a) { a.plan_version = 2; }));
    EXPECT_TRUE(fault([](Accrual& a) { a.tax_class = TaxClass::kStandard8; }));
    EXPECT_TRUE(fault([](Accrual& a) { a.refunded_before = 700; }));
    EXPECT_TRUE(fault([](Accrual& a) { a.captured_total = 10'000; }));
}

// Goal: the whole rule at once. Over a payment's life gross and fee end at what was not refunded,
// recomputing finds no fault, and the batch sums are the sums of their rows.
// Method: a million changes of random payments under random plans against running sums.
TEST(AccrueProperty, LivesOfPaymentsAddUp) {
    Seeded random;
    for (int changes = 0; changes < 1'000'000;) {
        FeeTerms terms;
        terms.rate_basis_points = static_cast<std::uint32_t>(random.UpTo(10'000));
        terms.fixed = random.UpTo(100);
        terms.minimum = random.UpTo(100);
        const PlanBook plans = DefaultPlan(terms);
        std::vector<Accrual> accruals;
        for (std::int64_t payment = 1; payment <= 50; ++payment) {
            const MerchantId merchant(random.Between(1, 5));
            const std::int64_t captured = 1 + random.UpTo(kMaxAmount - 1);
            std::int64_t refunded = 0;
            std::int64_t gross = 0;
            std::int64_t fee = 0;
            for (std::uint32_t version = 1; refunded < captured && version <= 6; ++version) {
                const bool sale = version == 1;
                const bool cancel = version == 2 && random.OneIn(4);
                const std::int64_t rest = captured - refunded;
                PaymentChange change = Change(sale     ? ChangeKind::kCompleted
                                              : cancel ? ChangeKind::kCanceled
                                                       : ChangeKind::kRefunded,
                                              version,
                                              sale     ? captured
                                              : cancel ? rest
                                                       : 1 + random.UpTo(rest - 1),
                                              captured, refunded);
                change.key.payment = PaymentId(payment);
                change.merchant = merchant;
                const auto accrual = Accrue(change, plans, TaxTable::Japan());
                ASSERT_TRUE(accrual.ok()) << accrual.status().ToString();
                ASSERT_EQ(FindFault(*accrual, plans, TaxTable::Japan()), std::nullopt);
                gross += accrual->gross;
                fee += accrual->fee;
                if (!sale) refunded += change.amount;
                ASSERT_EQ(gross, captured - refunded);
                ASSERT_GE(fee, 0);
                accruals.push_back(*accrual);
            }
            ASSERT_TRUE(refunded < captured || fee == 0);
        }
        changes += static_cast<int>(accruals.size());

        std::map<std::tuple<BusinessDate, MerchantId, TaxClass>, Sums> expected;
        for (const Accrual& accrual : accruals) {
            Sums& sums = expected[{accrual.business_date, accrual.merchant, accrual.tax_class}];
            sums.gross += accrual.gross;
            sums.fee += accrual.fee;
            ++sums.item_count;
        }
        std::shuffle(accruals.begin(), accruals.end(), random.engine());
        const std::vector<DayTotal> totals = SumByMerchant(accruals);
        ASSERT_EQ(totals.size(), expected.size());
        auto it = expected.begin();
        for (const DayTotal& total : totals) {
            ASSERT_EQ(std::tuple(total.business_date, total.part.merchant, total.part.tax_class),
                      it->first);
            ASSERT_EQ(total.part.sums, it->second);
            ++it;
        }
    }
}

}  // namespace
}  // namespace kessai::payout::domain
