// Goal: a merchant that payout holds back is a discrepancy of its day, with its whole history,
// until payout says that it is released. Method: notices over books in memory.

#include "app/note_holds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "app/change_discrepancy.h"
#include "kessai/testing/matchers.h"
#include "tests/claims.h"
#include "tests/fake_books.h"

namespace kessai::reconciliation {
namespace {

using domain::DiscrepancyState;
using domain::HoldNotice;
using domain::testing::Day;
using domain::testing::HashOf;

constexpr std::int64_t kHolds = std::int64_t{1} << 41;

HoldNotice Notice(std::int64_t merchant, std::uint32_t version, bool released,
                  std::string evidence = "RECOUNT_DIFFERS: the sums differ") {
    return {.key = {kHolds + merchant, version},
            .content = HashOf(static_cast<std::uint64_t>(merchant) * 100 + version),
            .business_date = Day(),
            .merchant = domain::MerchantId(merchant),
            .released = released,
            .evidence = released ? "" : std::move(evidence),
            .recounted_gross = released ? 0 : 700,
            .currency = Currency::Jpy(),
            .round = released ? 3u : 0u};
}

class NoteHoldsTest : public ::testing::Test {
 protected:
    void Apply(const std::vector<HoldNotice>& notices) {
        ASSERT_OK(note_.Apply(books_.books, notices));
    }
    domain::Subject SubjectOf(std::int64_t merchant) {
        return {.business_date = Day(),
                .kind = domain::DiscrepancyKind::kMerchantHeldBack,
                .held_merchant = domain::MerchantId(merchant)};
    }
    const domain::Discrepancy& Of(std::int64_t merchant) {
        return books_.discrepancies.at(SubjectOf(merchant));
    }
    std::vector<DiscrepancyState> HistoryOf(std::int64_t merchant) {
        std::vector<DiscrepancyState> states;
        for (const auto& step : books_.steps[Of(merchant).id]) states.push_back(step.state);
        return states;
    }

    ManualClock clock_{FromMicros(1'800'000'000'000'000)};
    testing::FakeBooks books_;
    app::NoteHolds note_{clock_};
};

TEST_F(NoteHoldsTest, HeldIsOpenUntilReleased) {
    Apply({Notice(7, 1, false), Notice(8, 1, false)});
    EXPECT_EQ(Of(7).state(), DiscrepancyState::kOpen);
    EXPECT_EQ(Of(7).finding.merchant, domain::MerchantId(7));
    EXPECT_EQ(Of(7).finding.payout_gross, 700);
    EXPECT_FALSE(Of(7).finding.payment_gross);
    EXPECT_THAT(Of(7).finding.evidence, ::testing::StartsWith("RECOUNT_DIFFERS"));
    Apply({Notice(7, 2, true)});
    EXPECT_EQ(Of(7).state(), DiscrepancyState::kRepaired);
    EXPECT_EQ(books_.steps[Of(7).id].back().note, "payout released the merchant in round 3");
    EXPECT_EQ(Of(8).state(), DiscrepancyState::kOpen);
}

TEST_F(NoteHoldsTest, OneBatchMayTellAWholeHistory) {
    Apply({Notice(7, 1, false), Notice(7, 2, false, "FEE_DIFFERS: payment 1"), Notice(7, 3, true),
           Notice(8, 1, false)});
    EXPECT_THAT(HistoryOf(7),
                ::testing::ElementsAre(DiscrepancyState::kOpen, DiscrepancyState::kOpen,
                                       DiscrepancyState::kRepaired));
    EXPECT_THAT(HistoryOf(8), ::testing::ElementsAre(DiscrepancyState::kOpen));
}

// What an operator decided stays until payout says something else.
TEST_F(NoteHoldsTest, AnAcceptedOneIsOpenAgainForAnotherReasonOnly) {
    Apply({Notice(7, 1, false)});
    app::ChangeDiscrepancy change(books_, clock_);
    ASSERT_OK(change.Run(Of(7).id, {DiscrepancyState::kAccepted, "aiko", "known"}));
    Apply({Notice(7, 2, false)});
    EXPECT_EQ(Of(7).state(), DiscrepancyState::kAccepted);
    Apply({Notice(7, 3, false, "SEAL_BROKEN: others")});
    EXPECT_EQ(Of(7).state(), DiscrepancyState::kOpen);
    ASSERT_OK(change.Run(Of(7).id, {DiscrepancyState::kExplained, "aiko", "a row was edited"}));
    Apply({Notice(7, 4, true)});
    EXPECT_EQ(Of(7).state(), DiscrepancyState::kRepaired);
    EXPECT_EQ(HistoryOf(7).size(), 5u);
}

// A release that was told without what came before (of an older version) is of nothing.
TEST_F(NoteHoldsTest, AReleaseAloneIsNoDiscrepancy) {
    Apply({Notice(7, 2, true)});
    EXPECT_TRUE(books_.discrepancies.empty());
    EXPECT_EQ(books_.noted_holds.size(), 1u);
}

TEST_F(NoteHoldsTest, ANoticeThatWasNotedIsRefused) {
    Apply({Notice(7, 1, false)});
    EXPECT_EQ(note_.Apply(books_.books, std::vector{Notice(7, 1, false)}).code(),
              Code::kAlreadyExists);
}

// Goal: however a history is cut into batches, the discrepancy ends as its last notice says, and
// has a step for each notice that changes something.
TEST_F(NoteHoldsTest, BatchesDoNotMatter) {
    const auto seed = std::random_device()();
    std::cout << "seed " << seed << std::endl;
    std::mt19937 random(seed);
    std::vector<HoldNotice> told;
    std::map<std::int64_t, std::uint32_t> versions;
    std::map<std::int64_t, const HoldNotice*> last;
    std::map<std::int64_t, std::size_t> steps;
    told.reserve(500);
    for (int i = 0; i < 500; ++i) {
        const std::int64_t merchant = 1 + static_cast<std::int64_t>(random() % 6);
        const HoldNotice* before = last[merchant];
        const bool held = before != nullptr && !before->released;
        const bool release = held && random() % 2 == 0;
        const std::string evidence = "reason " + std::to_string(random() % 3);
        told.push_back(Notice(merchant, ++versions[merchant], release, evidence));
        if (release || before == nullptr || before->released || before->evidence != evidence) {
            ++steps[merchant];
        }
        last[merchant] = &told.back();
    }
    for (std::size_t at = 0; at < told.size();) {
        const std::size_t size = std::min<std::size_t>(1 + random() % 40, told.size() - at);
        const auto from = told.begin() + static_cast<std::ptrdiff_t>(at);
        Apply({from, from + static_cast<std::ptrdiff_t>(size)});
        at += size;
    }
    for (const auto& [merchant, notice] : last) {
        SCOPED_TRACE(merchant);
        EXPECT_EQ(Of(merchant).state(),
                  notice->released ? DiscrepancyState::kRepaired : DiscrepancyState::kOpen);
        EXPECT_EQ(HistoryOf(merchant).size(), steps[merchant]);
    }
}

}  // namespace
}  // namespace kessai::reconciliation
