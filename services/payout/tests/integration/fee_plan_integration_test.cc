#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/payout_fixture.h"
#include "tests/random_plans.h"
#include "tests/reference.h"

namespace kessai::payout {
namespace {

using domain::MerchantId;
using domain::PlanId;
using testing::Refuses;

const BusinessDate kToday = BusinessDate::OfJst(SystemClock().Now());
const BusinessDate kDay = Day(20261022);

domain::FeeTerms Rate(std::uint32_t basis_points) {
    return {.rate_basis_points = basis_points};
}

domain::FeePlan Plan(MerchantId merchant, BusinessDate from, std::uint32_t rate) {
    domain::FeePlan plan;
    plan.merchant = merchant;
    plan.effective_from = from;
    plan.terms = Rate(rate);
    return plan;
}

/// Payments of a trade get splits and stores, the same over all changes of one. Of a generator: no
/// service emits other methods than the wallet yet.
void AddSplitsAndStores(Seeded& random, std::vector<domain::PaymentChange>& changes) {
    std::map<domain::PaymentId, std::pair<domain::MethodSplit, std::string>> payments;
    for (domain::PaymentChange& change : changes) {
        if (!domain::HasFee(change.kind)) continue;
        const auto [known, is_new] = payments.try_emplace(change.key.payment);
        if (is_new) {
            known->second = {RandomSplit(random, change.captured_total), RandomStore(random)};
        }
        change.captured_methods = known->second.first;
        if (change.amount == change.captured_total) change.methods = known->second.first;
        change.store = known->second.second;
    }
}

class FeePlanTest : public PayoutTest {
 protected:
    /// Puts a plan of every kind of rule for some merchants before they have any accrual.
    domain::PlanBook PutRandomPlans(Seeded& random, std::int64_t merchants) {
        domain::PlanBook book;
        auto defaults = payout_->reader.ListPlans(MerchantId(), 0, 100);
        EXPECT_OK(defaults.status());
        for (const auto& [plan, put] : defaults->plans) book.Add(plan);
        for (std::int64_t merchant = 1'001; merchant <= 1'000 + merchants; ++merchant) {
            domain::FeePlan plan = RandomPlan(random, kDay.PlusDays(-20));
            plan.id = PlanId();
            plan.version = 0;
            plan.merchant = MerchantId(merchant);
            auto stored = payout_->put_fee_plan.Run(plan, "tester");
            EXPECT_OK(stored.status());
            if (stored.ok()) book.Add(*stored);
        }
        return book;
    }
    std::int64_t FeeOf(std::int64_t payment, std::uint32_t version = 1) {
        auto found = payout_->reader.FindAccrual({domain::PaymentId(payment), version});
        EXPECT_OK(found.status());
        return found.ok() ? found->accrual.fee : 0;
    }
    Result<std::vector<domain::PlanAssignment>> Assign(std::vector<std::int64_t> merchants,
                                                       PlanId plan, BusinessDate from,
                                                       std::optional<BusinessDate> to = {}) {
        std::vector<MerchantId> ids;
        for (const std::int64_t merchant : merchants) ids.emplace_back(merchant);
        return payout_->assign_fee_plan.Run(ids, {plan, from, to}, "tester");
    }
};

// Goal: a plan comes back from the tables as it was put, with all of its rules.
TEST_F(FeePlanTest, RulesAreStoredAsTheyWerePut) {
    Seeded random;
    for (std::int64_t merchant = 1; merchant <= 40; ++merchant) {
        domain::FeePlan plan = RandomPlan(random, kToday.Next());
        plan.id = PlanId();
        plan.version = 0;
        plan.merchant = MerchantId(merchant);
        ASSERT_OK_AND_ASSIGN(const auto stored, payout_->put_fee_plan.Run(plan, "tester"));
        EXPECT_EQ(stored.rules, plan.rules);
        ASSERT_OK_AND_ASSIGN(const auto again, payout_->put_fee_plan.Run(plan, "other"));
        EXPECT_EQ(again, stored);
        ASSERT_OK_AND_ASSIGN(const auto listed, payout_->reader.ListPlans(plan.merchant, 0, 100));
        ASSERT_EQ(listed.plans.size(), 1u);
        EXPECT_EQ(listed.plans[0].first, stored);
        EXPECT_EQ(listed.plans[0].second.by, "tester");
        EXPECT_GT(listed.plans[0].second.at, kToday.StartsAt());
    }
}

// Goal: accruals under rules are those of the rules, and the deep recount finds each of them again
// from what the tables keep; what was altered there it names.
TEST_F(FeePlanTest, DeepRecountFindsFeesUnderRulesAgain) {
    Seeded random;
    const domain::PlanBook book = PutRandomPlans(random, 8);
    auto changes = RandomTrade(random, 500, 9, 1'000'000, kDay, 1);
    AddSplitsAndStores(random, changes);
    ASSERT_TRUE(payout_->Deliver(changes, 30).empty());
    std::int64_t with_detail = 0;
    for (const auto& [key, expected] : ReferenceAccruals(changes, book)) {
        ASSERT_OK_AND_ASSIGN(const auto stored, payout_->reader.FindAccrual(key));
        domain::Accrual actual = stored.accrual;
        actual.content_hash = expected.content_hash;
        ASSERT_EQ(actual, expected) << key.payment.ToString() << "/" << key.version;
        if (!actual.captured_methods.empty() || !actual.store.empty()) ++with_detail;
    }
    EXPECT_GT(with_detail, 50);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM accrual_detail"), with_detail);

    payout_->Close(kDay);
    Payout other(schema_->options());  // Has read no plan yet.
    ASSERT_OK_AND_ASSIGN(const auto clean, other.release_day.Preview(kDay, true, {}));
    EXPECT_EQ(clean.held_back_count, 0);

    // A merchant whose fees follow the store, and an accrual whose store was altered so that its
    // fee is another.
    payout_->Run("DELETE FROM accrual_detail WHERE store_id <> ''");
    ASSERT_OK_AND_ASSIGN(const auto altered, other.release_day.Preview(kDay, true, {}));
    EXPECT_GT(altered.held_back_count, 0);
}

TEST_F(FeePlanTest, DamagedSplitIsHeldBack) {
    domain::FeePlan plan = Plan(MerchantId(7), kDay.PlusDays(-9), 200);
    plan.rules = {{.method = domain::Method::kPoint, .terms = {}}};
    ASSERT_OK(payout_->put_fee_plan.Run(plan, "tester").status());
    domain::PaymentChange sale = Sale(1, 7, kDay, 1'000);
    sale.methods =
        sale.captured_methods = {{domain::Method::kWallet, 400}, {domain::Method::kPoint, 600}};
    ASSERT_TRUE(payout_->Deliver({sale, Sale(2, 8, kDay, 1'000)}).empty());
    EXPECT_EQ(FeeOf(1), 8);
    payout_->Close(kDay);
    for (const char* damage : {"1:400 2:601", "1:400 9:600", "nonsense", "1:", "2:1000", ""}) {
        payout_->Run("UPDATE accrual_detail SET captured_methods = '" + std::string(damage) + "'");
        ASSERT_OK_AND_ASSIGN(const auto judged, payout_->release_day.Preview(kDay, true, {}));
        EXPECT_EQ(judged.held_back_count, 1) << damage;
        EXPECT_EQ(judged.merchant_count, 1) << damage;
    }
    payout_->Run("UPDATE accrual_detail SET captured_methods = '1:400 2:600'");
    ASSERT_OK_AND_ASSIGN(const auto repaired, payout_->release_day.Run(kDay, true, {}));
    EXPECT_EQ(repaired.held_back_count, 0);
}

// Goal: the longest store id that payment takes is charged by its rule, and found again.
TEST_F(FeePlanTest, LongestStoreIdIsKeptWhole) {
    std::string store;
    for (int i = 0; i < 255; ++i) store += "店";
    domain::FeePlan plan = Plan(MerchantId(7), kDay.PlusDays(-9), 200);
    plan.rules = {{.store = store, .terms = Rate(500)}};
    ASSERT_OK(payout_->put_fee_plan.Run(plan, "tester").status());
    domain::PaymentChange sale = Sale(1, 7, kDay, 1'000);
    sale.store = store;
    domain::PaymentChange elsewhere = Sale(2, 7, kDay, 1'000);
    elsewhere.store = store.substr(3);
    ASSERT_TRUE(payout_->Deliver({sale, elsewhere}).empty());
    EXPECT_EQ(FeeOf(1), 50);
    EXPECT_EQ(FeeOf(2), 20);
    payout_->Close(kDay);
    Payout other(schema_->options());
    ASSERT_OK_AND_ASSIGN(const auto judged, other.release_day.Preview(kDay, true, {}));
    EXPECT_EQ(judged.held_back_count, 0);
    EXPECT_EQ(judged.fee, 70);
}

// Goal: merchants share a plan for the days of their assignments; a refund follows the plan of its
// payment's day.
TEST_F(FeePlanTest, MerchantsShareAPlan) {
    ASSERT_OK_AND_ASSIGN(const auto shared,
                         payout_->put_fee_plan.Run(Plan(domain::kSharedPlan, kDay, 500), "tester"));
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kToday, 1'000)}).empty());  // By the default plan.
    const BusinessDate next = kToday.Next();
    ASSERT_OK_AND_ASSIGN(const auto assigned, Assign({8, 7}, shared.id, next, next.PlusDays(9)));
    ASSERT_EQ(assigned.size(), 2u);
    EXPECT_EQ(assigned[0].merchant, MerchantId(7));
    ASSERT_OK_AND_ASSIGN(const auto repeated, Assign({7, 8}, shared.id, next, next.PlusDays(9)));
    EXPECT_EQ(repeated, assigned);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM plan_assignment"), 2);

    ASSERT_TRUE(payout_
                    ->Deliver({Sale(2, 7, next, 1'000), Sale(3, 8, next.PlusDays(9), 1'000),
                               Sale(4, 9, next, 1'000), Sale(5, 8, next.PlusDays(10), 1'000),
                               Refund(Sale(1, 7, kToday, 1'000), 2, next, 1'000, 0),
                               Refund(Sale(2, 7, next, 1'000), 2, next.PlusDays(20), 500, 0)})
                    .empty());
    EXPECT_EQ(FeeOf(1), 19);
    EXPECT_EQ(FeeOf(2), 50);
    EXPECT_EQ(FeeOf(3), 50);
    EXPECT_EQ(FeeOf(4), 19);
    EXPECT_EQ(FeeOf(5), 19);
    EXPECT_EQ(FeeOf(1, 2), -19);
    EXPECT_EQ(FeeOf(2, 2), -25);
    ASSERT_OK_AND_ASSIGN(const auto listed, payout_->reader.ListPlans(MerchantId(7), 0, 100));
    ASSERT_EQ(listed.assignments.size(), 1u);
    EXPECT_EQ(listed.assignments[0].first, assigned[0]);
    EXPECT_EQ(listed.assignments[0].second.by, "tester");
}

// Goal: whatever was put of a merchant is listed once, in the order in which it was put, by pages
// of any size, plans, assignments and volumes together.
TEST_F(FeePlanTest, EverythingPutIsListedByPages) {
    for (int i = 1; i <= 12; ++i) {
        const std::string revision = std::to_string(1'000 + i);
        if (i % 3 == 0) {
            payout_->Run(
                "INSERT INTO plan_assignment (merchant_id, revision, plan_id, effective_from, "
                "put_at_us, put_by) VALUES (7, " +
                revision + ", 0, '2026-11-01', 1, 'tester')");
        } else if (i % 3 == 1) {
            // Two months were fixed at once.
            for (const char* month : {"01", "02"}) {
                payout_->Run(
                    "INSERT INTO merchant_volume (merchant_id, month_start, volume, "
                    "effective_from, revision, fixed_at_us) VALUES (7, '20" +
                    std::to_string(10 + i) + "-" + month + "-01', 1, '2026-11-01', " + revision +
                    ", 1)");
            }
        } else {
            payout_->Run(
                "INSERT INTO fee_plan (plan_id, version, merchant_id, currency, "
                "rate_basis_points, fixed_fee, minimum_fee, maximum_fee, effective_from, revision, "
                "put_at_us, put_by) VALUES (70, " +
                std::to_string(i) + ", 7, 'JPY', 1, 0, 0, 0, '2026-11-01', " + revision +
                ", 1, 'tester')");
        }
    }
    for (const int limit : {1, 2, 3, 4, 5, 100}) {
        std::vector<std::int64_t> plans;
        std::vector<std::int64_t> assignments;
        std::vector<BusinessDate> months;
        int pages = 0;
        for (std::optional<std::int64_t> after = 0; after; ++pages) {
            ASSERT_LT(pages, 20);
            ASSERT_OK_AND_ASSIGN(const auto page,
                                 payout_->reader.ListPlans(MerchantId(7), *after, limit));
            for (const auto& [plan, put] : page.plans) plans.push_back(plan.revision);
            for (const auto& [one, put] : page.assignments) assignments.push_back(one.revision);
            for (const auto& volume : page.volumes) months.push_back(volume.month);
            after = page.last;
        }
        EXPECT_THAT(plans, ::testing::ElementsAre(1'002, 1'005, 1'008, 1'011)) << limit;
        EXPECT_THAT(assignments, ::testing::ElementsAre(1'003, 1'006, 1'009, 1'012)) << limit;
        EXPECT_EQ(months.size(), 8u) << limit;
        EXPECT_TRUE(std::ranges::is_sorted(months)) << limit;
        EXPECT_EQ(limit == 100, pages == 1);
    }
}

// Goal: all merchants of an assignment or none, each refusal by its name.
TEST_F(FeePlanTest, AssignmentIsAllOrNothing) {
    ASSERT_OK_AND_ASSIGN(const auto shared,
                         payout_->put_fee_plan.Run(Plan(domain::kSharedPlan, kDay, 500), "tester"));
    const BusinessDate next = kToday.Next();
    ASSERT_OK_AND_ASSIGN(const auto own,
                         payout_->put_fee_plan.Run(Plan(MerchantId(9), next, 100), "tester"));
    EXPECT_THAT(Assign({7, 8, 9}, shared.id, next.PlusDays(3)),
                Refuses(Code::kFailedPrecondition, "PLAN_OVERLAPS"));
    EXPECT_THAT(Assign({7}, PlanId(99), next), Refuses(Code::kNotFound, "PLAN_UNKNOWN"));
    EXPECT_THAT(Assign({7}, own.id, next), Refuses(Code::kInvalidArgument, "PLAN_INVALID"));
    EXPECT_THAT(Assign({7}, shared.id, kDay.Previous()),
                Refuses(Code::kFailedPrecondition, "PLAN_MISSING"));
    EXPECT_THAT(Assign({7, 7}, shared.id, next), Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    EXPECT_THAT(Assign({}, shared.id, next), Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM plan_assignment"), 0);
    ASSERT_OK(Assign({7}, shared.id, next).status());
    EXPECT_THAT(payout_->put_fee_plan.Run(Plan(MerchantId(7), next.PlusDays(5), 100), "tester"),
                Refuses(Code::kFailedPrecondition, "PLAN_OVERLAPS"));
    EXPECT_THAT(Assign({7}, PlanId(), kToday), Refuses(Code::kFailedPrecondition, "PLAN_IN_PAST"));
    ASSERT_OK(Assign({7}, PlanId(), next.PlusDays(2)).status());
    EXPECT_OK(
        payout_->put_fee_plan.Run(Plan(MerchantId(7), next.PlusDays(5), 100), "tester").status());
}

// Goal: cashback and coupons lower what the merchant gets where it bears them, without a fee, to
// the release. Of a generator: no service emits them yet.
TEST_F(FeePlanTest, BenefitsThatTheMerchantBearsLowerItsDay) {
    const domain::PaymentChange sale = Sale(1, 7, kDay, 1'000);
    std::vector<domain::PaymentChange> changes{sale};
    for (const auto kind :
         {domain::ChangeKind::kMerchantCoupon, domain::ChangeKind::kOperatorCashback,
          domain::ChangeKind::kMerchantCashback, domain::ChangeKind::kMerchantCashbackReturned}) {
        domain::PaymentChange benefit = sale;
        benefit.kind = kind;
        benefit.key.version = static_cast<std::uint32_t>(changes.size()) + 1;
        benefit.event = domain::EventId(100 + benefit.key.version);
        benefit.amount = kind == domain::ChangeKind::kMerchantCoupon ? 100 : 30;
        changes.push_back(benefit);
    }
    ASSERT_TRUE(payout_->Deliver(changes).empty());
    payout_->Close(kDay);
    ASSERT_OK_AND_ASSIGN(const auto released, payout_->release_day.Run(kDay, true, {}));
    EXPECT_EQ(released.merchant_count, 1);
    EXPECT_EQ(released.gross, 900);
    EXPECT_EQ(released.fee, 19);
}

/// The month before today's, whose days are over whatever day it is.
const BusinessDate kMonth = domain::CycleStart(domain::CycleStart(kToday).Previous());
const BusinessDate kMonthEnd = domain::CycleStart(kToday).Previous();

class MonthVolumeTest : public FeePlanTest {
 protected:
    PlanId PutTiered() {
        domain::FeePlan plan = Plan(domain::kSharedPlan, kDay.PlusDays(-90), 300);
        plan.tiers = {{10'000, Rate(200)}, {50'000, Rate(100)}};
        auto stored = payout_->put_fee_plan.Run(plan, "tester");
        EXPECT_OK(stored.status());
        return stored.ok() ? stored->id : PlanId();
    }
};

// Goal: a tier follows the month before once all of its days are closed, from the first day without
// changes on; days before keep theirs.
TEST_F(MonthVolumeTest, TierFollowsTheMonthBefore) {
    const PlanId tiered = PutTiered();
    ASSERT_OK(Assign({7, 8, 9}, tiered, kMonth.PlusDays(-5)).status());  // Before any accrual.
    ASSERT_TRUE(payout_
                    ->Deliver({Sale(1, 7, kMonth, 40'000), Sale(2, 7, kMonthEnd, 20'000),
                               Refund(Sale(1, 7, kMonth, 40'000), 2, kMonthEnd, 9'999, 0),
                               Sale(3, 8, kMonth, 9'999), Sale(4, 10, kMonth, 70'000)})
                    .empty());
    EXPECT_EQ(FeeOf(1), 1'200);
    payout_->Close(kMonth);
    // As long as its last day is open the month is not over; the one before it is, with nothing in
    // it.
    EXPECT_THAT(payout_->fix_month_volumes.RunOnce(), testing::IsOkAnd(3));
    EXPECT_EQ(payout_->Number("SELECT SUM(volume) FROM merchant_volume"), 0);
    payout_->Close(kMonthEnd);
    EXPECT_THAT(payout_->fix_month_volumes.RunOnce(), testing::IsOkAnd(3));
    EXPECT_THAT(payout_->fix_month_volumes.RunOnce(), testing::IsOkAnd(0));
    EXPECT_EQ(payout_->Number("SELECT SUM(volume) FROM merchant_volume WHERE merchant_id = 7"),
              50'001);
    EXPECT_EQ(payout_->Number("SELECT SUM(volume) FROM merchant_volume WHERE merchant_id = 8"),
              9'999);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_volume"), 6);

    const BusinessDate next = kToday.Next();
    ASSERT_TRUE(payout_
                    ->Deliver({Sale(11, 7, kToday, 1'000), Sale(12, 7, next, 1'000),
                               Sale(13, 8, next, 1'000), Sale(14, 9, next, 1'000),
                               Refund(Sale(1, 7, kMonth, 40'000), 3, next, 30'001, 9'999)})
                    .empty());
    EXPECT_EQ(FeeOf(11), 30);  // Its day may have had changes already.
    EXPECT_EQ(FeeOf(12), 10);
    EXPECT_EQ(FeeOf(13), 30);
    EXPECT_EQ(FeeOf(14), 30);
    EXPECT_EQ(FeeOf(1, 2) + FeeOf(1, 3), -1'200);

    ASSERT_OK_AND_ASSIGN(const auto listed, payout_->reader.ListPlans(MerchantId(7), 0, 100));
    ASSERT_EQ(listed.volumes.size(), 2u);
    EXPECT_EQ(listed.volumes[1].month, kMonth);
    EXPECT_EQ(listed.volumes[1].volume, 50'001);
    EXPECT_EQ(listed.volumes[1].effective_from, next);

    // The deep recount of the day, in a process that has read nothing yet, finds the same tier.
    payout_->Close(kToday);
    payout_->Close(next);
    Payout other(schema_->options());
    ASSERT_OK_AND_ASSIGN(const auto judged, other.release_day.Preview(next, true, {}));
    EXPECT_EQ(judged.held_back_count, 0);
    // Nothing changes, says a preview of the plan as it is.
    app::PreviewFeePlan::Wish same;
    same.from = same.to = next;
    ASSERT_OK_AND_ASSIGN(const auto shared, other.reader.ListPlans(domain::kSharedPlan, 0, 100));
    ASSERT_EQ(shared.plans.size(), 1u);
    same.plan = shared.plans[0].first;
    ASSERT_OK_AND_ASSIGN(const auto preview, other.preview_fee_plan.Run(same));
    EXPECT_EQ(preview.total.accrual_count, 4);
    EXPECT_EQ(preview.total.fee_now, preview.total.fee_then);
    payout_->Run("UPDATE merchant_volume SET volume = 1 WHERE merchant_id = 7");
    Payout third(schema_->options());
    ASSERT_OK_AND_ASSIGN(const auto differs, third.release_day.Preview(next, true, {}));
    EXPECT_EQ(differs.held_back_count, 1);
}

TEST_F(MonthVolumeTest, MerchantThatComesLaterGetsTheLastMonth) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kMonthEnd, 60'000)}).empty());
    payout_->Close(kMonthEnd);
    EXPECT_THAT(payout_->fix_month_volumes.RunOnce(), testing::IsOkAnd(0));
    const BusinessDate next = kToday.Next();
    ASSERT_OK(Assign({7}, PutTiered(), next).status());
    EXPECT_THAT(payout_->fix_month_volumes.RunOnce(), testing::IsOkAnd(1));
    ASSERT_TRUE(payout_->Deliver({Sale(2, 7, next, 1'000)}).empty());
    EXPECT_EQ(FeeOf(2), 10);
}

// Goal: however many processes fix volumes at once, each is fixed once, and no event comes between.
TEST_F(MonthVolumeTest, ProcessesThatRaceFixOnce) {
    std::vector<std::int64_t> merchants;
    std::vector<domain::PaymentChange> sales;
    for (std::int64_t merchant = 100; merchant < 160; ++merchant) {
        merchants.push_back(merchant);
        sales.push_back(Sale(merchant, merchant, kMonthEnd, merchant * 100));
    }
    ASSERT_OK(Assign(merchants, PutTiered(), kMonth).status());
    ASSERT_TRUE(payout_->Deliver(sales).empty());
    payout_->Close(kMonthEnd);
    Payout other(schema_->options());
    std::int64_t fixed_there = 0;
    std::thread there([&] { fixed_there = other.fix_month_volumes.RunOnce().value_or(-1); });
    const std::int64_t fixed_here = payout_->fix_month_volumes.RunOnce().value_or(-1);
    there.join();
    EXPECT_EQ(fixed_here + fixed_there, 60);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_volume"), 60);
    EXPECT_EQ(payout_->Number("SELECT SUM(volume) FROM merchant_volume"),
              payout_->Number("SELECT SUM(gross) FROM merchant_day_total"));
    EXPECT_EQ(payout_->Number("SELECT COUNT(DISTINCT plan_revision) FROM slot_gate"), 1);
}

// Goal: a preview is what every fee would have been, to the yen, and it changes nothing.
// Method: a random trade under random plans, and another random plan for one merchant, for several,
// and for all of the default plan; against sums of the rule, one change at a time.
TEST_F(FeePlanTest, PreviewIsWhatFeesWouldHaveBeen) {
    Seeded random;
    const domain::PlanBook book = PutRandomPlans(random, 4);
    auto changes = RandomTrade(random, 400, 9, 1'000'000, kDay, 2);
    AddSplitsAndStores(random, changes);
    ASSERT_TRUE(payout_->Deliver(changes, 50).empty());
    app::PreviewFeePlan::Wish wish;
    wish.from = kDay;
    wish.to = kDay.Next();
    wish.plan = Plan(MerchantId(1'001), BusinessDate(), 250);
    EXPECT_THAT(payout_->preview_fee_plan.Run(wish),
                Refuses(Code::kFailedPrecondition, "DAY_OPEN"));
    payout_->Close(kDay);
    payout_->Close(kDay.Next());

    const auto accruals = ReferenceAccruals(changes, book);
    const auto expect = [&](const std::function<bool(const domain::Accrual&)>& concerns) {
        std::map<MerchantId, app::PreviewSums> expected;
        for (const auto& [key, accrual] : accruals) {
            if (accrual.gross == 0 || !concerns(accrual)) continue;
            const auto change = domain::ChangeOf(accrual);
            app::PreviewSums& sums = expected[accrual.merchant];
            ++sums.accrual_count;
            sums.gross += accrual.gross;
            sums.fee_then += accrual.fee;
            sums.fee_now +=
                domain::SignedFee(wish.plan, {change.store, change.payment_date, kDay, 0}, change);
        }
        auto preview = payout_->preview_fee_plan.Run(wish);
        ASSERT_OK(preview.status());
        EXPECT_EQ(preview->merchant_count, static_cast<std::int64_t>(expected.size()));
        std::map<MerchantId, app::PreviewSums> found(preview->merchants.begin(),
                                                     preview->merchants.end());
        EXPECT_EQ(found, expected);
        EXPECT_GT(expected.size(), 0u);
    };
    expect([](const auto& accrual) { return accrual.merchant == MerchantId(1'001); });

    wish.plan = RandomPlan(random, BusinessDate());
    wish.plan.id = PlanId();
    wish.plan.merchant = domain::kSharedPlan;
    wish.merchants = {MerchantId(1'002), MerchantId(1'007)};
    expect([&](const auto& accrual) { return wish.merchants.contains(accrual.merchant); });

    wish.merchants.clear();
    EXPECT_THAT(payout_->preview_fee_plan.Run(wish),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    wish.plan = Plan(MerchantId(), BusinessDate(), 99);
    wish.plan.id = PlanId(1);
    expect([](const auto& accrual) { return accrual.plan == PlanId(1); });
    wish.plan.id = PlanId(999);
    EXPECT_THAT(payout_->preview_fee_plan.Run(wish), Refuses(Code::kNotFound, "PLAN_UNKNOWN"));
    wish.plan.id = PlanId(1);
    wish.plan.merchant = MerchantId(1'001);  // Not the plan's.
    EXPECT_THAT(payout_->preview_fee_plan.Run(wish), Refuses(Code::kNotFound, "PLAN_UNKNOWN"));
    wish.to = kDay.PlusDays(31);
    EXPECT_THAT(payout_->preview_fee_plan.Run(wish),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
}

// Goal: a preview of tiers follows what each merchant sold in the month before, also of those whose
// volume nobody has fixed.
TEST_F(MonthVolumeTest, PreviewOfTiersFollowsTheMonthBefore) {
    const BusinessDate before = kMonth.Previous();
    const domain::PaymentChange early = Sale(1, 7, before, 60'000);
    ASSERT_TRUE(payout_
                    ->Deliver({early, Sale(2, 8, before, 9'999), Sale(3, 7, kMonth, 1'000),
                               Sale(4, 8, kMonth, 1'000), Refund(early, 2, kMonth, 6'000, 0)})
                    .empty());
    payout_->Close(before);
    payout_->Close(kMonth);
    app::PreviewFeePlan::Wish wish;
    wish.from = wish.to = kMonth;
    wish.plan = Plan(domain::kSharedPlan, BusinessDate(), 300);
    wish.plan.tiers = {{10'000, Rate(200)}, {50'000, Rate(100)}};
    wish.merchants = {MerchantId(7), MerchantId(8)};
    ASSERT_OK_AND_ASSIGN(const auto preview, payout_->preview_fee_plan.Run(wish));
    std::map<MerchantId, app::PreviewSums> found(preview.merchants.begin(),
                                                 preview.merchants.end());
    // By 1 % the sale; by 3 % what comes back of a payment of the month before.
    EXPECT_EQ(found[MerchantId(7)], (app::PreviewSums{2, -5'000, 19 - 118, 10 - 180}));
    EXPECT_EQ(found[MerchantId(8)], (app::PreviewSums{1, 1'000, 19, 30}));
    EXPECT_EQ(preview.total, (app::PreviewSums{3, -4'000, 38 - 118, 40 - 180}));
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_volume"), 0);
}

TEST_F(FeePlanTest, PreviewEndsWhenItIsNotToGoOn) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kDay, 100)}).empty());
    payout_->Close(kDay);
    int asked = 0;
    const auto third_time = [&] {
        return ++asked < 3 ? OkStatus() : Status(Code::kCancelled, "GONE", "");
    };
    EXPECT_THAT(payout_->preview_fee_plan.Run(
                    {Plan(MerchantId(7), BusinessDate(), 250), kDay, kDay, {}}, third_time),
                Refuses(Code::kCancelled, "GONE"));
    EXPECT_EQ(asked, 3);
}

TEST_F(FeePlanTest, PreviewIsBounded) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kDay, 100), Sale(2, 7, kDay, 100)}).empty());
    payout_->Close(kDay);
    app::PreviewFeePlan preview({.rows_max = 1, .merchants_max = 1}, payout_->release_store,
                                payout_->plan_store, payout_->plans, SystemClock());
    EXPECT_THAT(preview.Run({Plan(MerchantId(7), BusinessDate(), 250), kDay, kDay, {}}),
                Refuses(Code::kResourceExhausted, "PREVIEW_TOO_LARGE"));
}

}  // namespace
}  // namespace kessai::payout
