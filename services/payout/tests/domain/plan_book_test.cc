#include "domain/plan_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "domain/admit_assignment.h"
#include "tests/seeded.h"

namespace kessai::payout::domain {
namespace {

const BusinessDate kToday = BusinessDate::FromNumber(20261122).value();

BusinessDate Day(std::int32_t yyyymmdd) {
    return BusinessDate::FromNumber(yyyymmdd).value();
}

FeePlan Plan(std::int64_t id, std::uint32_t version, MerchantId merchant, std::int32_t from,
             std::int32_t to = 0) {
    FeePlan plan;
    plan.id = PlanId(id);
    plan.version = version;
    plan.merchant = merchant;
    plan.terms.rate_basis_points = static_cast<std::uint32_t>(id);
    plan.effective_from = Day(from);
    if (to != 0) plan.effective_to = Day(to);
    return plan;
}

PlanAssignment Assign(std::int64_t merchant, std::int64_t plan, std::int32_t from,
                      std::int32_t to = 0, std::int64_t revision = 1) {
    PlanAssignment assignment{MerchantId(merchant), PlanId(plan), Day(from), std::nullopt,
                              revision};
    if (to != 0) assignment.effective_to = Day(to);
    return assignment;
}

TEST(PlanBookTest, SharedPlanIsOfThoseAssignedToIt) {
    PlanBook book;
    book.Add(Plan(1, 1, MerchantId(), 20200101));
    book.Add(Plan(5, 1, kSharedPlan, 20261101));
    book.Add(Plan(5, 2, kSharedPlan, 20261215));
    book.Add(Assign(7, 5, 20261201, 20261231));
    EXPECT_EQ(book.InForce(MerchantId(7), Day(20261130))->id, PlanId(1));
    EXPECT_EQ(book.InForce(MerchantId(7), Day(20261201))->version, 1u);
    EXPECT_EQ(book.InForce(MerchantId(7), Day(20261201))->id, PlanId(5));
    EXPECT_EQ(book.InForce(MerchantId(7), Day(20261215))->version, 2u);
    EXPECT_EQ(book.InForce(MerchantId(7), Day(20270101))->id, PlanId(1));
    EXPECT_EQ(book.InForce(MerchantId(8), Day(20261215))->id, PlanId(1));
}

TEST(PlanBookTest, LaterAssignmentTakesItsDays) {
    PlanBook book;
    book.Add(Plan(5, 1, kSharedPlan, 20261101));
    book.Add(Plan(6, 1, kSharedPlan, 20261101));
    book.Add(Assign(7, 0, 20261220, 0, 3));  // In any order.
    book.Add(Assign(7, 5, 20261201, 0, 1));
    book.Add(Assign(7, 6, 20261210, 0, 2));
    book.Add(Assign(7, 6, 20261210, 0, 2));
    EXPECT_EQ(book.InForce(MerchantId(7), Day(20261209))->id, PlanId(5));
    EXPECT_EQ(book.InForce(MerchantId(7), Day(20261219))->id, PlanId(6));
    EXPECT_EQ(book.InForce(MerchantId(7), Day(20261220)), nullptr);
    EXPECT_EQ(book.revision(), 3);
}

// Goal: first days count from when a merchant came under the plan, and renewing what it has begins
// nothing anew.
TEST(PlanBookTest, SinceIsTheFirstDayUnderThePlan) {
    PlanBook book;
    book.Add(Plan(5, 1, kSharedPlan, 20260101));
    book.Add(Plan(5, 2, kSharedPlan, 20261205));
    book.Add(Assign(7, 5, 20261201, 20261231, 1));
    book.Add(Assign(7, 5, 20261210, 0, 2));
    book.Add(Assign(8, 5, 20261210, 20261215, 2));
    book.Add(Assign(8, 5, 20261220, 0, 3));
    book.Add(Plan(9, 1, MerchantId(9), 20261101, 20261110));
    book.Add(Plan(9, 2, MerchantId(9), 20261120));
    EXPECT_EQ(book.Find(MerchantId(7), Day(20261206)).since, Day(20261201));
    EXPECT_EQ(book.Find(MerchantId(7), Day(20270101)).since, Day(20261201));
    EXPECT_EQ(book.Find(MerchantId(8), Day(20261215)).since, Day(20261210));
    EXPECT_EQ(book.Find(MerchantId(8), Day(20261221)).since, Day(20261220));
    EXPECT_EQ(book.Find(MerchantId(9), Day(20261125)).since, Day(20261101));
}

TEST(PlanBookTest, VolumeIsOfTheLatestMonthFixedByThen) {
    PlanBook book;
    EXPECT_EQ(book.VolumeOn(MerchantId(7), Day(20261122)), 0);
    book.Add(MonthVolume{MerchantId(7), Day(20261101), 300, Day(20261202), 5});
    book.Add(MonthVolume{MerchantId(7), Day(20261001), 200, Day(20261103), 4});
    book.Add(MonthVolume{MerchantId(7), Day(20261001), 999, Day(20261103), 4});
    EXPECT_EQ(book.VolumeOn(MerchantId(7), Day(20261102)), 0);
    EXPECT_EQ(book.VolumeOn(MerchantId(7), Day(20261103)), 200);
    EXPECT_EQ(book.VolumeOn(MerchantId(7), Day(20261201)), 200);
    EXPECT_EQ(book.VolumeOn(MerchantId(7), Day(20261202)), 300);
    EXPECT_EQ(book.VolumeOn(MerchantId(8), Day(20261202)), 0);
    EXPECT_EQ(book.revision(), 5);
}

struct World {
    std::vector<FeePlan> plan{Plan(5, 1, kSharedPlan, 20261101)};
    std::vector<FeePlan> own = {};
    std::vector<PlanAssignment> assignments = {};
    bool has_accruals = true;
};
Result<std::optional<PlanAssignment>> Put(const PlanAssignment& candidate, const World& world) {
    return Admit(candidate,
                 {world.plan, world.own, world.assignments, kToday.Next(), world.has_accruals});
}
std::string ReasonOf(const PlanAssignment& candidate, const World& world) {
    return std::string(Put(candidate, world).status().reason());
}

TEST(AdmitAssignmentTest, BadInputIsRefusedByName) {
    const World world;
    EXPECT_EQ(ReasonOf(Assign(7, 5, 20261201), world), "");
    EXPECT_EQ(ReasonOf(Assign(7, 5, 20261201, 20261130), world), "PLAN_INVALID");
    EXPECT_EQ(ReasonOf(Assign(0, 5, 20261201), world), "PLAN_INVALID");
    EXPECT_EQ(ReasonOf(Assign(7, 5, 20261122), world), "PLAN_IN_PAST");
    EXPECT_EQ(ReasonOf(Assign(7, 5, 20261201), World{.plan = {}}), "PLAN_UNKNOWN");
    EXPECT_EQ(
        ReasonOf(Assign(7, 5, 20261201), World{.plan = {Plan(5, 1, MerchantId(8), 20261101)}}),
        "PLAN_INVALID");
    EXPECT_EQ(ReasonOf(Assign(7, 5, 20261201), World{.plan = {Plan(5, 1, kSharedPlan, 20261202)}}),
              "PLAN_MISSING");
    const World with_own{.own = {Plan(2, 1, MerchantId(7), 20261210, 20261220)}};
    EXPECT_EQ(ReasonOf(Assign(7, 5, 20261201), with_own), "PLAN_OVERLAPS");
    EXPECT_EQ(ReasonOf(Assign(7, 5, 20261220), with_own), "PLAN_OVERLAPS");
    EXPECT_EQ(ReasonOf(Assign(7, 5, 20261201, 20261209), with_own), "");
    EXPECT_EQ(ReasonOf(Assign(7, 5, 20261221), with_own), "");
    EXPECT_EQ(ReasonOf(Assign(7, 0, 20261201), with_own), "");
}

TEST(AdmitAssignmentTest, FirstOneBeforeAnyAccrualMayBeginAtOnce) {
    EXPECT_EQ(ReasonOf(Assign(7, 5, 20261122), World{.has_accruals = false}), "");
    EXPECT_EQ(ReasonOf(Assign(7, 5, 20261122),
                       World{.own = {Plan(2, 1, MerchantId(7), 20270101)}, .has_accruals = false}),
              "PLAN_IN_PAST");
}

TEST(AdmitAssignmentTest, RepeatGivesTheFirstOutcome) {
    const World world{.assignments = {Assign(7, 5, 20261101, 0, 3)}};
    EXPECT_EQ(Put(Assign(7, 5, 20261101), world).value()->revision, 3);
    EXPECT_FALSE(Put(Assign(7, 5, 20261201), world).value().has_value());
}

TEST(AdmitPlanTest, OwnPlanAndAssignmentExcludeEachOther) {
    const std::vector<PlanAssignment> assignments{Assign(7, 5, 20261201, 20261231)};
    const auto reason = [&](std::int32_t from, std::int32_t to) {
        FeePlan plan = Plan(0, 0, MerchantId(7), from, to);
        return std::string(Admit(plan, {{}, assignments, kToday.Next(), true}).status().reason());
    };
    EXPECT_EQ(reason(20261123, 20261130), "");
    EXPECT_EQ(reason(20261123, 20261201), "PLAN_OVERLAPS");
    EXPECT_EQ(reason(20261231, 0), "PLAN_OVERLAPS");
    EXPECT_EQ(reason(20270101, 0), "");
}

TEST(AdmitPlanTest, SharedPlansDoNotOverlap) {
    const std::vector<FeePlan> versions{Plan(5, 1, kSharedPlan, 20261101)};
    const auto reason = [&](const FeePlan& plan) {
        return std::string(Admit(plan, {versions, {}, kToday.Next(), false}).status().reason());
    };
    FeePlan another = Plan(0, 0, kSharedPlan, 20261101);
    another.terms.rate_basis_points = 77;
    EXPECT_EQ(reason(another), "");  // Nobody's yet, so on any day.
    another.id = PlanId(5);
    EXPECT_EQ(reason(another), "PLAN_IN_PAST");
    another.effective_from = Day(20261123);
    EXPECT_EQ(reason(another), "");
}

// Goal: whatever is put in whatever order, a day that may have changes keeps its plan, its first
// day and its volume.
// Method: random plans, assignments and volumes over passing days, each admitted one remembered; up
// to today every day of every merchant is compared with what it was before, and every day with the
// words: the own plan, else the newest assignment that has begun and not ended, else the default.
TEST(PlanBookProperty, ThePastNeverChanges) {
    Seeded random;
    int assigned = 0;
    int refused = 0;
    for (int history = 0; history < 300; ++history) {
        PlanBook book;
        const FeePlan others = Plan(1, 1, MerchantId(), 20200101);
        const std::vector<FeePlan> shared{Plan(5, 1, kSharedPlan, 20261110),
                                          Plan(6, 1, kSharedPlan, 20261125)};
        book.Add(others);
        for (const FeePlan& plan : shared) book.Add(plan);
        std::vector<FeePlan> own;
        std::vector<PlanAssignment> assignments;
        BusinessDate first_free = kToday;
        std::map<BusinessDate, std::tuple<PlanId, BusinessDate, std::int64_t>> fixed;
        for (std::int64_t revision = 10; revision < 22; ++revision) {
            first_free = first_free.PlusDays(static_cast<int>(random.Between(0, 4)));
            const auto from = first_free.PlusDays(static_cast<int>(random.Between(-2, 20)));
            std::optional<BusinessDate> to;
            if (random.OneIn(2)) to = from.PlusDays(static_cast<int>(random.Between(0, 15)));
            if (random.OneIn(5)) {
                book.Add(MonthVolume{MerchantId(7),
                                     Day(20200101).PlusDays(static_cast<int>(revision) * 31),
                                     revision, first_free, revision});
            } else if (random.OneIn(4)) {
                FeePlan plan = Plan(0, 0, MerchantId(7), 20261122);
                plan.effective_from = from;
                plan.effective_to = to;
                const auto outcome = Admit(plan, {own, assignments, first_free, true});
                // One put again is the first one still.
                if (outcome.ok() && !outcome->has_value()) {
                    plan.id = PlanId(revision);
                    plan.version = 1;
                    own.push_back(plan);
                    book.Add(plan);
                }
            } else {
                const std::int64_t id = random.Between(4, 6);
                PlanAssignment assignment{MerchantId(7), PlanId(id == 4 ? 0 : id), from, to, 0};
                const std::span<const FeePlan> plan(shared.data() + (id == 6 ? 1 : 0), 1);
                const auto outcome = Admit(
                    assignment, {assignment.plan.is_none() ? std::span<const FeePlan>() : plan, own,
                                 assignments, first_free, true});
                if (!outcome.ok()) {
                    ++refused;
                } else if (!outcome->has_value()) {
                    ++assigned;
                    assignment.revision = revision;
                    assignments.push_back(assignment);
                    book.Add(assignment);
                }
            }
            for (BusinessDate day = kToday; day < kToday.PlusDays(80); day = day.Next()) {
                const PlanInForce found = book.Find(MerchantId(7), day);
                PlanId expected(1);
                for (const PlanAssignment& assignment : assignments) {
                    if (assignment.effective_from > day) continue;
                    const bool over = assignment.effective_to && *assignment.effective_to < day;
                    expected = over || assignment.plan.is_none() ? PlanId(1) : assignment.plan;
                }
                for (const FeePlan& plan : own) {
                    if (plan.effective_from <= day &&
                        (!plan.effective_to || day <= *plan.effective_to)) {
                        expected = plan.id;
                    }
                }
                ASSERT_EQ(found.plan->id, expected) << day.ToString();
                if (day >= first_free) continue;
                const std::tuple now(found.plan->id, found.since,
                                     book.VolumeOn(MerchantId(7), day));
                ASSERT_EQ(fixed.emplace(day, now).first->second, now) << day.ToString();
            }
        }
    }
    EXPECT_GT(assigned, 500);
    EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace kessai::payout::domain
