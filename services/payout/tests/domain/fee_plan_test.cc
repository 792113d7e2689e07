#include "domain/fee_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "domain/plan_book.h"
#include "tests/seeded.h"

namespace kessai::payout::domain {
namespace {

const BusinessDate kToday = BusinessDate::FromNumber(20261122).value();

BusinessDate Day(std::int32_t yyyymmdd) {
    return BusinessDate::FromNumber(yyyymmdd).value();
}

FeePlan Plan(std::int64_t id, std::uint32_t version, std::int64_t merchant, std::int32_t from,
             std::int32_t to = 0, std::uint32_t rate = 198) {
    FeePlan plan;
    plan.id = PlanId(id);
    plan.version = version;
    plan.merchant = MerchantId(merchant);
    plan.terms.rate_basis_points = rate;
    plan.effective_from = Day(from);
    if (to != 0) plan.effective_to = Day(to);
    return plan;
}

TEST(PlanBookTest, OwnPlanComesBeforeTheDefault) {
    PlanBook book;
    book.Add(Plan(1, 1, 0, 20200101));
    book.Add(Plan(2, 1, 7, 20261101, 20261130));
    EXPECT_EQ(book.InForce(MerchantId(7), Day(20261101))->id, PlanId(2));
    EXPECT_EQ(book.InForce(MerchantId(7), Day(20261130))->id, PlanId(2));
    EXPECT_EQ(book.InForce(MerchantId(7), Day(20261031))->id, PlanId(1));
    EXPECT_EQ(book.InForce(MerchantId(7), Day(20261201))->id, PlanId(1));
    EXPECT_EQ(book.InForce(MerchantId(8), Day(20261115))->id, PlanId(1));
    EXPECT_EQ(book.InForce(MerchantId(8), Day(20191231)), nullptr);
}

TEST(PlanBookTest, LaterVersionTakesItsDaysAndKeepsTheOlderOnes) {
    PlanBook book;
    book.Add(Plan(2, 2, 7, 20261201, 0, 150));
    book.Add(Plan(2, 1, 7, 20261101, 0, 198));
    EXPECT_EQ(book.InForce(MerchantId(7), Day(20261130))->version, 1u);
    EXPECT_EQ(book.InForce(MerchantId(7), Day(20261201))->version, 2u);
    EXPECT_EQ(book.Version(PlanId(2), 1)->terms.rate_basis_points, 198u);
    EXPECT_EQ(book.Version(PlanId(2), 3), nullptr);
}

TEST(PlanBookTest, VersionAddedTwiceCountsOnce) {
    PlanBook book;
    FeePlan plan = Plan(2, 1, 7, 20261101);
    plan.revision = 5;
    book.Add(plan);
    book.Add(plan);
    EXPECT_EQ(book.revision(), 5);
    EXPECT_EQ(book.InForce(MerchantId(7), Day(20261101))->version, 1u);
}

Result<std::optional<FeePlan>> Put(FeePlan candidate, std::vector<FeePlan> versions,
                                   bool has_accruals = true) {
    return Admit(candidate, {versions, {}, kToday.Next(), has_accruals});
}

TEST(AdmitPlanTest, PlansBeginInTheFuture) {
    EXPECT_FALSE(Put(Plan(0, 0, 7, 20261123), {}).value().has_value());
    EXPECT_EQ(Put(Plan(0, 0, 7, 20261122), {}).status().reason(), "PLAN_IN_PAST");
    EXPECT_EQ(Put(Plan(2, 0, 7, 20261122), {Plan(2, 1, 7, 20261101)}).status().reason(),
              "PLAN_IN_PAST");
}

TEST(AdmitPlanTest, FirstPlanBeforeAnyAccrualMayBeginAtOnce) {
    EXPECT_FALSE(Put(Plan(0, 0, 7, 20261122), {}, false).value().has_value());
    EXPECT_EQ(Put(Plan(0, 0, 7, 20261122), {Plan(2, 1, 7, 20270101)}, false).status().reason(),
              "PLAN_IN_PAST");
}

TEST(AdmitPlanTest, DaysOfAnotherPlanAreRefused) {
    const std::vector<FeePlan> versions{Plan(2, 1, 7, 20261201, 20261231)};
    EXPECT_EQ(Put(Plan(0, 0, 7, 20261215), versions).status().reason(), "PLAN_OVERLAPS");
    EXPECT_EQ(Put(Plan(0, 0, 7, 20261231), versions).status().reason(), "PLAN_OVERLAPS");
    EXPECT_EQ(Put(Plan(0, 0, 7, 20261123), versions).status().reason(), "PLAN_OVERLAPS");
    EXPECT_TRUE(Put(Plan(0, 0, 7, 20261123, 20261130), versions).ok());
    EXPECT_TRUE(Put(Plan(0, 0, 7, 20270101), versions).ok());
    // A later version of the same plan takes its own days.
    EXPECT_TRUE(Put(Plan(2, 0, 7, 20261215), versions).ok());
}

TEST(AdmitPlanTest, RepeatGivesTheFirstOutcome) {
    const std::vector<FeePlan> versions{Plan(2, 1, 7, 20261101), Plan(2, 2, 7, 20261215, 0, 150)};
    EXPECT_EQ(Put(Plan(2, 0, 7, 20261215, 0, 150), versions).value()->version, 2u);
    EXPECT_EQ(Put(Plan(0, 0, 7, 20261215, 0, 150), versions).value()->id, PlanId(2));
    // What is not the newest any more is not repeated, but judged.
    EXPECT_EQ(Put(Plan(2, 0, 7, 20261101), versions).status().reason(), "PLAN_IN_PAST");
}

TEST(AdmitPlanTest, ImpossiblePlansAreRefused) {
    EXPECT_EQ(Put(Plan(0, 0, 7, 20261130, 20261129), {}).status().reason(), "PLAN_INVALID");
    EXPECT_EQ(Put(Plan(0, 0, 7, 20261130, 0, 10'001), {}).status().reason(), "PLAN_INVALID");
    EXPECT_EQ(Put(Plan(9, 0, 7, 20261130), {}).status().reason(), "PLAN_INVALID");
}

/// Which version is in force, by the rule's words alone: of each plan the highest version that has
/// begun, unless that one has ended.
std::set<std::pair<std::int64_t, std::uint32_t>> ReferenceInForce(
    const std::vector<FeePlan>& versions, BusinessDate day) {
    std::map<std::int64_t, const FeePlan*> begun;
    for (const FeePlan& plan : versions) {
        if (plan.effective_from > day) continue;
        const FeePlan*& slot = begun[plan.id.value()];
        if (slot == nullptr || slot->version < plan.version) slot = &plan;
    }
    std::set<std::pair<std::int64_t, std::uint32_t>> found;
    for (const auto& [id, plan] : begun) {
        if (!plan->effective_to || day <= *plan->effective_to) found.insert({id, plan->version});
    }
    return found;
}

// Goal: whatever is put in whatever order, a day that may have changes keeps its plan, and no day
// has two.
// Method: random candidates over passing days, each admitted one remembered; after each, every day
// is compared with the rule's words and, up to today, with what it was before.
TEST(AdmitPlanProperty, ThePastNeverChangesAndNoDayHasTwoPlans) {
    Seeded random;
    int admitted = 0;
    int refused = 0;
    for (int history = 0; history < 2'000; ++history) {
        std::vector<FeePlan> versions;
        PlanBook book;
        BusinessDate first_free = kToday;
        std::map<BusinessDate, std::set<std::pair<std::int64_t, std::uint32_t>>> fixed;
        for (int step = 0; step < 12; ++step) {
            first_free = first_free.PlusDays(static_cast<int>(random.Between(0, 4)));
            FeePlan candidate = Plan(random.Between(0, 3), 0, 7, 20261122);
            candidate.effective_from =
                first_free.PlusDays(static_cast<int>(random.Between(-3, 20)));
            if (random.OneIn(2)) {
                candidate.effective_to =
                    candidate.effective_from.PlusDays(static_cast<int>(random.Between(-1, 15)));
            }
            candidate.terms.rate_basis_points = static_cast<std::uint32_t>(random.Between(0, 3));
            const auto outcome = Admit(candidate, {versions, {}, first_free, true});
            if (!outcome.ok()) {
                ++refused;
                continue;
            }
            if (outcome->has_value()) continue;
            ++admitted;
            if (candidate.id.is_none()) {
                for (const FeePlan& plan : versions) candidate.id = std::max(candidate.id, plan.id);
                candidate.id = PlanId(candidate.id.value() + 1);
            }
            candidate.version = 1;
            for (const FeePlan& plan : versions) {
                if (plan.id == candidate.id) candidate.version = plan.version + 1;
            }
            versions.push_back(candidate);
            book.Add(candidate);
            for (BusinessDate day = kToday.PlusDays(-5); day < kToday.PlusDays(90);
                 day = day.Next()) {
                const auto expected = ReferenceInForce(versions, day);
                ASSERT_LE(expected.size(), 1u);
                const FeePlan* found = book.InForce(MerchantId(7), day);
                ASSERT_EQ(found != nullptr, expected.size() == 1);
                if (found != nullptr) {
                    ASSERT_EQ(expected.count({found->id.value(), found->version}), 1u);
                }
                if (day < first_free) {
                    const auto [it, is_new] = fixed.emplace(day, expected);
                    ASSERT_EQ(it->second, expected) << day.ToString();
                }
            }
        }
    }
    EXPECT_GT(admitted, 1'000);
    EXPECT_GT(refused, 1'000);
}

}  // namespace
}  // namespace kessai::payout::domain
