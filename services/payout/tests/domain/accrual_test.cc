#include "domain/accrual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "domain/day_total.h"
#include "tests/random_plans.h"

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

// Goal: who bears cashback or a coupon pays for it, and nobody a fee of it; with or without a plan.
TEST(AccrueTest, BenefitsAreOfWhoBearsThem) {
    const auto accrue = [](ChangeKind kind) {
        const auto accrual = Accrue(Change(kind, 2, 50, 1'000), PlanBook(), TaxTable::Japan());
        EXPECT_TRUE(accrual.ok());
        EXPECT_EQ(accrual->fee, 0);
        EXPECT_TRUE(accrual->plan.is_none());
        EXPECT_EQ(FindFault(*accrual, PlanBook(), TaxTable::Japan()), std::nullopt);
        Accrual altered = *accrual;
        altered.fee = 1;
        EXPECT_TRUE(FindFault(altered, PlanBook(), TaxTable::Japan()).has_value());
        return accrual->gross;
    };
    EXPECT_EQ(accrue(ChangeKind::kMerchantCashback), -50);
    EXPECT_EQ(accrue(ChangeKind::kMerchantCashbackReturned), 50);
    EXPECT_EQ(accrue(ChangeKind::kMerchantCoupon), -50);
    EXPECT_EQ(accrue(ChangeKind::kMerchantCouponReturned), 50);
    EXPECT_EQ(accrue(ChangeKind::kOperatorCashback), 0);
    EXPECT_EQ(accrue(ChangeKind::kOperatorCouponReturned), 0);
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
    EXPECT_TRUE(fault([](Accrual& a) { a.currency = Currency::None(); }));
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

/// Lives of payments under random plans of one merchant and the volumes it had.
class Trade {
 public:
    explicit Trade(Seeded& random) : random_(random) {
        FeePlan first = RandomPlan(random, Day(20261101));
        FeePlan second = RandomPlan(random, Day(20261120));
        second.version = 2;
        plans_.Add(first);
        plans_.Add(second);
        plans_.Add(
            MonthVolume{MerchantId(7), Day(20261001), random.UpTo(3'000'000), Day(20261102), 2});
        plans_.Add(
            MonthVolume{MerchantId(7), Day(20261101), random.UpTo(3'000'000), Day(20261202), 3});
    }

    /// The changes of one payment: captured at once or in up to three parts, then returned in parts
    /// on later days, in the end sometimes whole.
    std::vector<PaymentChange> Life(std::int64_t payment) {
        const std::int64_t captured = 1 + random_.UpTo(kMaxAmount - 1);
        const MethodSplit split = RandomSplit(random_, captured);
        PaymentChange base = Change(ChangeKind::kCompleted, 1, captured, captured);
        base.key.payment = PaymentId(payment);
        base.payment_date = base.business_date =
            Day(20261101).PlusDays(static_cast<int>(random_.Between(0, 40)));
        base.store = RandomStore(random_);
        std::vector<PaymentChange> life;
        if (split.empty() && random_.OneIn(3)) {
            Capture(base, captured, life);
        } else {
            base.methods = base.captured_methods = split;
            life.push_back(base);
        }
        std::int64_t refunded = 0;
        while (refunded < captured && random_.OneIn(2)) {
            PaymentChange back = base;
            back.kind = ChangeKind::kRefunded;
            back.key.version = static_cast<std::uint32_t>(life.size()) + 1;
            back.business_date =
                base.business_date.PlusDays(static_cast<int>(random_.Between(0, 60)));
            back.amount =
                random_.OneIn(3) ? captured - refunded : random_.Between(1, captured - refunded);
            back.methods.clear();
            back.captured_methods = split;
            back.refunded_before = refunded;
            refunded += back.amount;
            life.push_back(back);
        }
        while (random_.OneIn(3)) life.insert(life.begin(), Benefit(base, captured, life.size()));
        return life;
    }
    const PlanBook& plans() const { return plans_; }

 private:
    void Capture(const PaymentChange& base, std::int64_t captured,
                 std::vector<PaymentChange>& life) {
        std::int64_t so_far = 0;
        while (so_far < captured) {
            PaymentChange capture = base;
            capture.kind = ChangeKind::kCaptured;
            capture.key.version = static_cast<std::uint32_t>(life.size()) + 1;
            capture.amount =
                life.size() == 2 ? captured - so_far : random_.Between(1, captured - so_far);
            so_far += capture.amount;
            capture.captured_total = so_far;
            life.push_back(capture);
        }
    }

    /// Cashback or a coupon, given or taken back. No service emits them yet.
    PaymentChange Benefit(const PaymentChange& base, std::int64_t captured, std::size_t changes) {
        PaymentChange benefit = base;
        benefit.kind = static_cast<ChangeKind>(
            random_.Between(static_cast<int>(ChangeKind::kMerchantCashback),
                            static_cast<int>(ChangeKind::kOperatorCouponReturned)));
        benefit.key.version = 100 + static_cast<std::uint32_t>(changes);
        benefit.amount = random_.Between(1, captured);
        benefit.captured_total = captured;
        benefit.methods.clear();
        benefit.captured_methods.clear();
        return benefit;
    }

    Seeded& random_;
    PlanBook plans_;
};

// Goal: under rules, tiers and campaigns too, what a payment costs in the end is the fee of what
// was captured less its floor share of what was returned, by the plan and volume of its own day,
// whatever the splits, the cashback and coupons, the order of changes and the days of returns; and
// it is found again from what the accruals keep. Method: random lives, each accrued in a random
// order, against the words' reference.
TEST(AccrueProperty, RulesFollowThePaymentsDay) {
    Seeded random;
    std::int64_t changes = 0;
    std::int64_t returned_whole = 0;
    for (int trades = 0; trades < 2'000; ++trades) {
        Trade trade(random);
        for (std::int64_t payment = 1; payment <= 20; ++payment) {
            std::vector<PaymentChange> life = trade.Life(payment);
            const PaymentChange last = life.back();
            const std::int64_t captured = last.captured_total;
            const std::int64_t refunded =
                GrossSign(last.kind) < 0 ? last.refunded_before + last.amount : 0;
            std::shuffle(life.begin(), life.end(), random.engine());
            std::int64_t gross = 0;
            std::int64_t fee = 0;
            std::int64_t borne = 0;
            for (const PaymentChange& change : life) {
                using enum ChangeKind;
                if (change.kind == kMerchantCashback || change.kind == kMerchantCoupon) {
                    borne += change.amount;
                } else if (change.kind == kMerchantCashbackReturned ||
                           change.kind == kMerchantCouponReturned) {
                    borne -= change.amount;
                }
                const auto accrual = Accrue(change, trade.plans(), TaxTable::Japan());
                ASSERT_TRUE(accrual.ok()) << accrual.status().ToString();
                ASSERT_EQ(FindFault(*accrual, trade.plans(), TaxTable::Japan()), std::nullopt);
                gross += accrual->gross;
                fee += accrual->fee;
                ++changes;
            }
            const auto [plan, since] = trade.plans().Find(MerchantId(7), last.payment_date);
            ASSERT_EQ(plan->version, last.payment_date < Day(20261120) ? 1u : 2u);
            const FeeCase fee_case{last.store, last.payment_date, since,
                                   trade.plans().VolumeOn(MerchantId(7), last.payment_date)};
            const std::int64_t whole =
                ReferenceFee(*plan, fee_case, captured, last.captured_methods);
            const auto back =
                static_cast<std::int64_t>(static_cast<Wide>(whole) * refunded / captured);
            ASSERT_EQ(gross, captured - refunded - borne);
            ASSERT_EQ(fee, whole - back);
            if (refunded == captured) ++returned_whole;
        }
    }
    EXPECT_GT(changes, 40'000);
    EXPECT_GT(returned_whole, 1'000);
}

// Goal: what is kept of splits and stores is enough, and no more.
TEST(AccrueTest, SplitsAndStoresAreKeptWhereFeesFollowThem) {
    PlanBook plans = DefaultPlan({.rate_basis_points = 198});
    PaymentChange sale = Change(ChangeKind::kCompleted, 1, 1'000, 1'000);
    sale.store = "A";
    EXPECT_EQ(Accrue(sale, plans, TaxTable::Japan())->store, "");
    FeePlan with_stores = *plans.Version(PlanId(1), 1);
    with_stores.id = PlanId(2);
    with_stores.merchant = MerchantId(7);
    with_stores.rules = {{.store = "A", .terms = {.rate_basis_points = 100}},
                         {.method = Method::kPoint, .terms = {}}};
    plans.Add(with_stores);
    const auto accrual = Accrue(sale, plans, TaxTable::Japan());
    EXPECT_EQ(accrual->store, "A");
    EXPECT_EQ(accrual->fee, 10);
    EXPECT_TRUE(accrual->captured_methods.empty());
    sale.methods = sale.captured_methods = {{Method::kWallet, 400}, {Method::kPoint, 600}};
    sale.store = "B";
    const auto mixed = Accrue(sale, plans, TaxTable::Japan());
    EXPECT_EQ(mixed->fee, 7);  // floor(400 × 1.98 %)
    EXPECT_EQ(mixed->captured_methods, sale.captured_methods);
    EXPECT_TRUE(mixed->methods.empty());

    Accrual altered = *mixed;
    altered.store = "A";
    EXPECT_TRUE(FindFault(altered, plans, TaxTable::Japan()).has_value());
    altered = *mixed;
    altered.captured_methods.clear();
    EXPECT_TRUE(FindFault(altered, plans, TaxTable::Japan()).has_value());
    altered = *mixed;
    altered.captured_methods = {{static_cast<Method>(0), 0}};
    EXPECT_TRUE(FindFault(altered, plans, TaxTable::Japan()).has_value());
    altered = *mixed;
    altered.captured_methods[1].amount = kMaxAmount;
    EXPECT_TRUE(FindFault(altered, plans, TaxTable::Japan()).has_value());
}

TEST(FindFaultTest, TierIsFoundAgain) {
    PlanBook plans;
    FeePlan tiered;
    tiered.id = PlanId(2);
    tiered.version = 1;
    tiered.merchant = MerchantId(7);
    tiered.terms.rate_basis_points = 200;
    tiered.tiers = {{5'000, {.rate_basis_points = 100}}};
    tiered.effective_from = Day(20260101);
    plans.Add(tiered);
    const PaymentChange sale = Change(ChangeKind::kCompleted, 1, 1'000, 1'000);
    const Accrual before = *Accrue(sale, plans, TaxTable::Japan());
    EXPECT_EQ(before.fee, 20);
    // Fixed for later days: this one keeps its tier.
    plans.Add(MonthVolume{MerchantId(7), Day(20261001), 5'000, Day(20261123), 2});
    EXPECT_EQ(FindFault(before, plans, TaxTable::Japan()), std::nullopt);
    PaymentChange later = sale;
    later.business_date = later.payment_date = Day(20261123);
    const Accrual after = *Accrue(later, plans, TaxTable::Japan());
    EXPECT_EQ(after.fee, 10);
    EXPECT_EQ(FindFault(after, plans, TaxTable::Japan()), std::nullopt);
    Accrual wrong_tier = after;
    wrong_tier.fee = 20;
    EXPECT_TRUE(FindFault(wrong_tier, plans, TaxTable::Japan()).has_value());
    // A refund a month later has the tier of its payment.
    PaymentChange refund = Change(ChangeKind::kRefunded, 2, 1'000, 1'000);
    refund.business_date = Day(20261231);
    EXPECT_EQ(Accrue(refund, plans, TaxTable::Japan())->fee, -20);
}

}  // namespace
}  // namespace kessai::payout::domain
