// Goal: the rules that the audit writes down a second time give the numbers that the documents
// give, and stand whatever damaged rows hold.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "findings.h"
#include "rules/fees.h"
#include "rules/natural_keys.h"
#include "rules/object_rows.h"
#include "rules/seals.h"

namespace kessai::audit {
namespace {

using ::testing::Contains;
using testing::Lines;
using ::testing::StartsWith;

FeePlanRow Plan(std::int64_t basis_points, std::int64_t fixed, std::int64_t minimum,
                std::int64_t maximum) {
    FeePlanRow plan;
    plan.rate_basis_points = basis_points;
    plan.fixed = fixed;
    plan.minimum = minimum;
    plan.maximum = maximum;
    return plan;
}

TEST(Fees, FollowTheFormula) {
    EXPECT_EQ(FeeOf(Plan(198, 0, 0, 0), {}, 1'000), 19);
    EXPECT_EQ(FeeOf(Plan(198, 5, 0, 0), {}, 1'000), 24);
    EXPECT_EQ(FeeOf(Plan(198, 0, 30, 0), {}, 1'000), 30);
    EXPECT_EQ(FeeOf(Plan(198, 0, 0, 15), {}, 1'000), 15);
    EXPECT_EQ(FeeOf(Plan(0, 30, 0, 0), {}, 1), 30);
    EXPECT_EQ(FeeOf(Plan(198, 30, 30, 0), {}, 0), 0) << "of nothing there is no fee";
}

// Goal: refunds of the whole give back exactly the whole fee, however it is split.
TEST(Fees, ReturnsOfTheWholeGiveBackTheWholeFee) {
    const FeePlanRow plan = Plan(325, 7, 0, 0);
    for (const std::int64_t captured : {1, 3, 10, 999, 12'345}) {
        for (const std::int64_t part : {1, 2, 7, 500}) {
            Wide sum = SignedFee(plan, {}, kCompleted, captured, captured, 0);
            for (std::int64_t before = 0; before < captured; before += part) {
                const std::int64_t amount = std::min(part, captured - before);
                const Wide back = SignedFee(plan, {}, kRefunded, amount, captured, before);
                EXPECT_LE(back, 0);
                sum += back;
            }
            EXPECT_EQ(sum, 0) << captured << " in parts of " << part;
        }
    }
    EXPECT_EQ(SignedFee(plan, {}, kCanceled, 999, 999, 0), -FeeOf(plan, {}, 999));
}

TEST(Fees, StandWhateverRowsHold) {
    const std::int64_t numbers[] = {std::numeric_limits<std::int64_t>::min(), -1, 0, 1,
                                    std::numeric_limits<std::int64_t>::max()};
    for (const std::int64_t a : numbers) {
        for (const std::int64_t b : numbers) {
            for (const std::int64_t c : numbers) {
                for (const int kind : {0, 1, 2, 3, 99}) {
                    (void)SignedFee(Plan(a % 10'000, b, c, 0), {}, kind, a, b, c);
                }
            }
        }
    }
}

TEST(FeePlans, ALaterVersionTakesItsPlaceFromItsFirstDayOn) {
    const auto version = [](int plan, int number, std::int64_t merchant, DayNumber from,
                            std::optional<DayNumber> to) {
        FeePlanRow row;
        row.plan_id = plan;
        row.version = number;
        row.merchant_id = merchant;
        row.effective_from = from;
        row.effective_to = to;
        return row;
    };
    const FeePlans plans(
        {version(1, 1, 0, 20200101, std::nullopt), version(2, 1, 7, 20260101, 20261231),
         version(2, 2, 7, 20260301, 20260331), version(3, 1, 7, 20270201, std::nullopt)});
    const auto in_force = [&](std::int64_t merchant, DayNumber day) {
        const FeePlanRow* plan = plans.InForce(merchant, day).plan;
        return plan == nullptr
                   ? std::string("none")
                   : std::to_string(plan->plan_id) + "/" + std::to_string(plan->version);
    };
    EXPECT_EQ(in_force(7, 20191231), "none");
    EXPECT_EQ(in_force(7, 20251231), "1/1");
    EXPECT_EQ(in_force(7, 20260228), "2/1");
    EXPECT_EQ(in_force(7, 20260301), "2/2");
    EXPECT_EQ(in_force(7, 20260331), "2/2");
    EXPECT_EQ(in_force(7, 20260401), "1/1") << "version 1 does not come back";
    EXPECT_EQ(in_force(7, 20270201), "3/1");
    EXPECT_EQ(in_force(8, 20260301), "1/1");
}

TEST(Fees, FollowTheRuleThatApplies) {
    FeePlanRow plan = Plan(200, 0, 0, 0);
    const auto rule = [&](int number, std::int64_t volume, std::int64_t rate) -> FeeRuleRow& {
        FeeRuleRow row;
        row.rule = number;
        row.volume_from = volume;
        row.rate_basis_points = rate;
        return plan.rules.emplace_back(row);
    };
    rule(0, 1'000, 180);
    rule(1, 0, 150).store_hash = HashOfText("A");
    rule(1, 5'000, 50).store_hash = HashOfText("A");
    rule(2, 0, 900).method = 3;  // Nobody pays with a card.
    FeeRuleRow& campaign = rule(3, 0, 100);
    campaign.date_from = 20261201;
    campaign.date_to = 20261231;
    rule(4, 0, 0).first_days = 30;
    const auto fee = [&](std::string_view store, DayNumber day, std::int64_t volume) {
        return FeeOf(plan, {HashOfText(store), day, 20261015, volume}, 10'000);
    };
    EXPECT_EQ(fee("B", 20261115, -1), 200);
    EXPECT_EQ(fee("B", 20261115, 1'000), 180);
    EXPECT_EQ(fee("A", 20261115, -1), 150);
    EXPECT_EQ(fee("A", 20261115, 5'000), 50);
    EXPECT_EQ(fee("A", 20261201, 5'000), 100);
    EXPECT_EQ(fee("B", 20261231, 5'000), 100);
    EXPECT_EQ(fee("B", 20270101, 5'000), 180);
    EXPECT_EQ(fee("A", 20261113, 0), 0);
    EXPECT_EQ(fee("A", 20261114, 0), 150) << "thirty days, the first included";
}

TEST(FeePlans, AssignmentsAndVolumesFollowTheirDays) {
    const auto version = [](int plan, std::int64_t merchant, DayNumber from) {
        FeePlanRow row;
        row.plan_id = plan;
        row.version = 1;
        row.merchant_id = merchant;
        row.effective_from = from;
        return row;
    };
    const FeePlans plans({version(1, 0, 20200101), version(5, -1, 20260101)},
                         {{7, 1, 5, 20261201, 20261231},
                          {7, 2, 5, 20261210, 20261220},
                          {8, 2, 5, 20261210, std::nullopt},
                          {8, 3, 0, 20261215, std::nullopt}},
                         {{7, 20261101, 300, 20261202}, {7, 20261001, 200, 20261102}});
    const auto in_force = [&](std::int64_t merchant, DayNumber day) {
        const PlanInForce found = plans.InForce(merchant, day);
        return std::to_string(found.plan->plan_id) + " since " + std::to_string(found.since);
    };
    EXPECT_EQ(in_force(7, 20261130), "1 since 20200101");
    EXPECT_EQ(in_force(7, 20261205), "5 since 20261201");
    EXPECT_EQ(in_force(7, 20261220), "5 since 20261201") << "the same assignment going on";
    EXPECT_EQ(in_force(7, 20261221), "1 since 20200101") << "the first one does not come back";
    EXPECT_EQ(in_force(8, 20261214), "5 since 20261210");
    EXPECT_EQ(in_force(8, 20261215), "1 since 20200101");
    EXPECT_EQ(plans.VolumeOn(7, 20261101), 0);
    EXPECT_EQ(plans.VolumeOn(7, 20261201), 200);
    EXPECT_EQ(plans.VolumeOn(7, 20261202), 300);
    EXPECT_EQ(plans.VolumeOn(8, 20261202), 0);
}

TEST(Tax, IsThatOfThePaymentsDayAndRoundsTowardZero) {
    EXPECT_EQ(TaxClassOn(20190930), 1);
    EXPECT_EQ(TaxClassOn(20191001), 2);
    EXPECT_EQ(TaxClassName(2), "standard_10");
    EXPECT_EQ(TaxClassName(9), "");
    EXPECT_EQ(InvoiceTax(2, 19), Wide{1});
    EXPECT_EQ(InvoiceTax(2, -19), Wide{-1});
    EXPECT_EQ(InvoiceTax(1, 99), Wide{7});
    EXPECT_EQ(InvoiceTax(3, 99), std::nullopt);
    EXPECT_EQ(CycleStart(20261130), 20261101);
}

// Source of the expected values here and below: the bytes as documented, through sha256sum.
TEST(NaturalKeys, AreTheFirstHalfOfSha256) {
    EXPECT_EQ(ToText(OrderKeyOf(1, "a")), "ae6121c88ba555f64c3d812123eb799d");
}

TEST(Seals, OfNothingIsThatOfItsDay) {
    TotalsSeal seal(20261122);
    EXPECT_EQ(ToText(seal.End()),
              "6e8ed817ad07f4346d104f369d38f6f7295f1358e477b9090dc106fe81f25312");
}

// Goal: amounts that overflow everywhere are named, and stop nothing.
TEST(Objects, HugeAmountsAreNamed) {
    ObjectRows rows;
    rows.object = 5;
    Change change;
    change.key = {5, 1};
    change.event_id = 6;
    change.kind = kCompleted;
    change.amount = std::numeric_limits<std::int64_t>::max();
    change.order_amount = change.captured_total = change.amount;
    rows.changes.push_back(change);
    change.key.version = 2;
    change.event_id = 7;
    change.kind = kRefunded;
    rows.changes.push_back(change);
    change.key.version = 3;
    change.event_id = 8;
    rows.changes.push_back(change);
    change.key.version = 4;
    change.amount = std::numeric_limits<std::int64_t>::min();
    rows.changes.push_back(change);
    Report report;
    CheckObject(rows, report);
    EXPECT_THAT(Lines(report),
                Contains(StartsWith("M5 refunded beyond captured: payment 5 version 3: "
                                    "expected at most 9223372036854775807, found "
                                    "18446744073709551614")));
}

}  // namespace
}  // namespace kessai::audit
