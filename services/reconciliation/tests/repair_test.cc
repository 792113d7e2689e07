// Goal: which repair is allowed against what, and each state follows from the one before.

#include "domain/repair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "kessai/testing/matchers.h"

namespace kessai::reconciliation::domain {
namespace {

using kessai::testing::IsOk;
using kessai::testing::Refuses;
using enum RepairKind;

Discrepancy Of(DiscrepancyKind kind, DiscrepancyState state = DiscrepancyState::kOpen) {
    Discrepancy discrepancy;
    discrepancy.id = DiscrepancyId(12);
    discrepancy.finding.subject.kind = kind;
    discrepancy.latest = {.number = 1, .state = state, .actor = "a", .note = "n"};
    return discrepancy;
}

RepairWish Wish(RepairKind kind) {
    return {.kind = kind, .actor = "hanako", .reason = "why"};
}

const Instant kNow = FromMicros(1'000);

TEST(RepairTest, EachKindSaysWhatItIsFor) {
    using enum DiscrepancyKind;
    const std::map<RepairKind, std::set<DiscrepancyKind>> allowed{
        {kPublishAgain,
         {kPaymentEventMissing, kPayoutEventMissing, kMissingInPayout, kReleaseEventMissing}},
        {kAccrueAgain, {kMissingInPayout, kAmountDiffers, kMerchantDiffers, kDateDiffers}},
        {kRecomputeTotal, {kDigestDiffers, kAccruedDiffers}},
        {kCorrectingJournal,
         {kAmountDiffers, kMerchantDiffers, kMissingInPayment, kMissingInPayout}}};
    for (const auto& [kind, about] : allowed) {
        EXPECT_EQ(RepairKindOf(KindName(kind)), kind);
        for (const DiscrepancyKind discrepancy : DiscrepancyKinds()) {
            const Status status = CheckWish(Wish(kind), Of(discrepancy));
            if (about.contains(discrepancy)) {
                EXPECT_THAT(status, IsOk()) << KindName(kind) << KindName(discrepancy);
            } else {
                EXPECT_THAT(status, Refuses(Code::kFailedPrecondition, "REPAIR_NOT_ALLOWED"))
                    << KindName(kind) << KindName(discrepancy);
            }
        }
    }
    EXPECT_EQ(RepairKindOf("ACCEPT"), std::nullopt);
    EXPECT_TRUE(NeedsApproval(kCorrectingJournal));
    for (const RepairKind kind : {kPublishAgain, kAccrueAgain, kRecomputeTotal}) {
        EXPECT_TRUE(IsSafe(kind));
    }
}

TEST(RepairTest, OnlyWhatIsOpenIsRepaired) {
    const auto check = [](DiscrepancyState state) {
        return CheckWish(Wish(kRecomputeTotal), Of(DiscrepancyKind::kDigestDiffers, state));
    };
    EXPECT_THAT(check(DiscrepancyState::kExplained), IsOk());
    EXPECT_THAT(check(DiscrepancyState::kRepairing), IsOk());
    EXPECT_THAT(check(DiscrepancyState::kRepaired),
                Refuses(Code::kFailedPrecondition, "ALREADY_REPAIRED"));
    EXPECT_THAT(check(DiscrepancyState::kAccepted),
                Refuses(Code::kFailedPrecondition, "REPAIR_NOT_ALLOWED"));
}

// Goal: what was found again since its latest repair is untried, and nothing else is.
TEST(RepairTest, WhatIsFoundAgainIsUntried) {
    using enum DiscrepancyState;
    const std::vector<Repair> one{{.number = 1, .state = RepairState::kRepaired}};
    const std::vector<Repair> in_vain{{.number = 1, .state = RepairState::kWithoutEffect}};
    const Step found{.number = 1, .state = kOpen};
    const Step begun{.number = 2, .state = kRepairing, .repair = 1};
    const Step repaired{.number = 3, .state = kRepaired, .repair = 1};
    const Step opened{.number = 3, .state = kOpen, .repair = 1};
    EXPECT_TRUE(IsUntried(std::vector{found}, {}));
    EXPECT_FALSE(IsUntried(std::vector{found, begun}, one));
    EXPECT_TRUE(
        IsUntried(std::vector{found, begun, repaired, Step{.number = 4, .state = kOpen}}, one));
    EXPECT_FALSE(IsUntried(std::vector{found, begun, opened}, in_vain));
    // A run saw it gone between the failed repair and now; before it says nothing.
    const Step gone{.number = 4, .state = kRepaired};
    EXPECT_TRUE(IsUntried(std::vector{found, begun, opened, gone}, in_vain));
    const Step gone_before{.number = 2, .state = kRepaired};
    EXPECT_FALSE(IsUntried(std::vector{found, gone_before, begun, opened}, in_vain));
}

TEST(RepairTest, AWishSaysWhoAndWhyAndNoAmountOfNothing) {
    const Discrepancy about = Of(DiscrepancyKind::kAmountDiffers);
    const auto refused = Refuses(Code::kInvalidArgument, "FIELD_INVALID");
    RepairWish wish = Wish(kCorrectingJournal);
    wish.reason.clear();
    EXPECT_THAT(CheckWish(wish, about), refused);
    wish.reason = std::string(kNoteBytesMax + 1, 'x');
    EXPECT_THAT(CheckWish(wish, about), refused);
    wish = Wish(kCorrectingJournal);
    wish.actor.clear();
    EXPECT_THAT(CheckWish(wish, about), refused);
    for (const std::int64_t amount : {std::int64_t{0}, std::int64_t{1'000'000'000'000}}) {
        wish = Wish(kCorrectingJournal);
        wish.amount = amount;
        EXPECT_THAT(CheckWish(wish, about), refused);
    }
    wish = Wish(kPublishAgain);
    wish.amount = 5;
    EXPECT_THAT(CheckWish(wish, Of(DiscrepancyKind::kPayoutEventMissing)), refused);
}

TEST(RepairTest, EveryStateIsAStep) {
    const Discrepancy found = Of(DiscrepancyKind::kAmountDiffers);
    const auto requested = Begin(found, Wish(kCorrectingJournal), {MerchantId(7), 5}, {}, 1, kNow);
    EXPECT_EQ(requested.repair.state, RepairState::kRequested);
    EXPECT_EQ(requested.discrepancy.state(), DiscrepancyState::kOpen);
    EXPECT_EQ(requested.discrepancy.open_repair, 1u);
    const auto approved = Decide(requested.discrepancy, requested.repair,
                                 {.approve = true, .actor = "taro", .note = "ok"}, kNow);
    ASSERT_THAT(approved, IsOk());
    ASSERT_TRUE(approved->has_value());
    EXPECT_EQ((*approved)->discrepancy.state(), DiscrepancyState::kRepairing);
    const auto done = CarriedOut((*approved)->discrepancy, (*approved)->repair, "posted", kNow);
    EXPECT_EQ(done.repair.state, RepairState::kVerifying);
    const auto ended =
        End(done.discrepancy, done.repair, RepairState::kRepaired, "seen", kNow, true);
    EXPECT_EQ(ended.discrepancy.state(), DiscrepancyState::kRepaired);
    EXPECT_EQ(ended.discrepancy.corrected_by, 1u);
    EXPECT_EQ(ended.discrepancy.open_repair, 0u);
    EXPECT_EQ(ended.discrepancy.latest.number, 5u);
    EXPECT_EQ(ended.discrepancy.latest.repair, 1u);
    EXPECT_EQ(ended.repair.outcome, "posted; seen");
    const auto in_vain =
        End(done.discrepancy, done.repair, RepairState::kWithoutEffect, "there", kNow, false);
    EXPECT_EQ(in_vain.discrepancy.state(), DiscrepancyState::kOpen);
    EXPECT_EQ(in_vain.discrepancy.corrected_by, 0u);
}

// A run has found it gone meanwhile: no money moves for it.
TEST(RepairTest, WhatIsGoneIsNotApproved) {
    const auto requested = Begin(Of(DiscrepancyKind::kAmountDiffers), Wish(kCorrectingJournal),
                                 {MerchantId(7), 5}, {}, 1, kNow);
    Discrepancy gone = requested.discrepancy;
    gone.latest.state = DiscrepancyState::kRepaired;
    EXPECT_THAT(
        Decide(gone, requested.repair, {.approve = true, .actor = "taro", .note = "ok"}, kNow),
        Refuses(Code::kFailedPrecondition, "ALREADY_REPAIRED"));
    const auto declined =
        Decide(gone, requested.repair, {.approve = false, .actor = "taro", .note = "gone"}, kNow);
    ASSERT_THAT(declined, IsOk());
    EXPECT_EQ((*declined)->discrepancy.state(), DiscrepancyState::kRepaired);
}

// What others settled meanwhile stays as they left it.
TEST(RepairTest, AnEndDoesNotOpenWhatIsSettled) {
    const auto begun =
        Begin(Of(DiscrepancyKind::kPayoutEventMissing), Wish(kPublishAgain), {}, {}, 1, kNow);
    Discrepancy settled = begun.discrepancy;
    settled.latest.state = DiscrepancyState::kRepaired;
    const auto ended = End(settled, begun.repair, RepairState::kFailed, "refused", kNow, false);
    EXPECT_EQ(ended.discrepancy.state(), DiscrepancyState::kRepaired);
}

TEST(RepairTest, NotesAreCutBetweenCharacters) {
    std::string text;
    while (text.size() < kNoteBytesMax + 50) text += "証";
    const std::string cut = CutNote(text);
    EXPECT_LE(cut.size(), kNoteBytesMax);
    EXPECT_EQ(cut.size() % 3, 0u);
}

}  // namespace
}  // namespace kessai::reconciliation::domain
