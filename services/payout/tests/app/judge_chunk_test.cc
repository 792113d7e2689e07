#include "app/judge_chunk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/seeded.h"

namespace kessai::payout::app {
namespace {

using domain::HoldReason;
using domain::MerchantId;
using domain::MerchantSums;
using domain::SlotTotal;
using domain::TaxClass;

const BusinessDate kDay = BusinessDate::FromNumber(20261122).value();
const BusinessDate kCycle = BusinessDate::FromNumber(20261101).value();
const BusinessDate kCycleBefore = BusinessDate::FromNumber(20261001).value();
const BusinessDate kCycleAfter = BusinessDate::FromNumber(20261201).value();

/// A chunk in memory, as its transaction and the round would give it.
struct Chunk {
    std::vector<SlotTotal> totals;
    std::vector<MerchantSums> recounted;
    std::vector<Hold> holds;
    std::vector<domain::RunningBalance> balances;
    std::vector<domain::CycleSums> cycle;
    std::set<MerchantId> blocked;
    std::map<MerchantId, std::string> faults;
    domain::Seal seal{};
    bool first_round = true;

    void Add(std::int64_t merchant, std::uint32_t slot, domain::Sums sums,
             TaxClass tax_class = TaxClass::kStandard10) {
        totals.push_back({slot, {MerchantId(merchant), tax_class, sums}});
    }
    /// Seals the totals and counts the rows behind them, as a good day has it.
    void SealAndCount() {
        std::sort(totals.begin(), totals.end(), [](const SlotTotal& a, const SlotTotal& b) {
            return std::tuple(a.part.merchant, a.slot, a.part.tax_class) <
                   std::tuple(b.part.merchant, b.slot, b.part.tax_class);
        });
        seal = domain::SealOf(kDay, totals);
        recounted.clear();
        for (const SlotTotal& total : totals) recounted.push_back(total.part);
        std::sort(
            recounted.begin(), recounted.end(), [](const MerchantSums& a, const MerchantSums& b) {
                return std::pair(a.merchant, a.tax_class) < std::pair(b.merchant, b.tax_class);
            });
        recounted = domain::Joined(std::move(recounted));
    }
    ChunkEvidence Evidence() const {
        return {.day = kDay,
                .first_round = first_round,
                .seal = seal,
                .holds = holds,
                .totals = totals,
                .recounted = recounted,
                .balances = balances,
                .cycle = cycle,
                .blocked = &blocked,
                .faults = &faults};
    }
    ChunkOutcome Judged() const { return JudgeChunk(Evidence(), domain::TaxTable::Japan()); }
};

std::map<std::int64_t, HoldReason> HeldOf(const ChunkOutcome& outcome) {
    std::map<std::int64_t, HoldReason> held;
    for (const domain::HeldBack& merchant : outcome.held) {
        held[merchant.merchant.value()] = merchant.reason;
    }
    return held;
}

std::set<std::int64_t> ReleasedOf(const ChunkOutcome& outcome) {
    std::set<std::int64_t> released;
    for (const domain::ReleaseLine& line : outcome.lines) released.insert(line.merchant.value());
    return released;
}

Chunk GoodChunk() {
    Chunk chunk;
    for (std::int64_t merchant = 1; merchant <= 5; ++merchant) {
        chunk.Add(merchant, 0, {1'000, 20, 1});
        chunk.Add(merchant, 7, {500, 10, 2});
    }
    chunk.Add(3, 7, {-100, -2, 1}, TaxClass::kStandard8);
    chunk.SealAndCount();
    return chunk;
}

TEST(JudgeChunkTest, GoodChunkIsReleasedWhole) {
    Chunk chunk = GoodChunk();
    chunk.balances = {{MerchantId(2), TaxClass::kStandard10, kCycle, 9, 91}};
    const ChunkOutcome outcome = chunk.Judged();
    EXPECT_TRUE(outcome.held.empty());
    EXPECT_TRUE(outcome.freed.empty());
    EXPECT_EQ(outcome.sums.merchant_count, 5);
    EXPECT_EQ(outcome.sums.gross, 5 * 1'500 - 100);
    EXPECT_EQ(outcome.sums.fee, 5 * 30 - 2);
    ASSERT_EQ(outcome.lines.size(), 6u);
    EXPECT_EQ(outcome.lines[0].tax, 3);
    EXPECT_EQ(outcome.lines[0].net, 1'500 - 30 - 3);
    EXPECT_EQ(outcome.lines[1].tax, 3);  // floor(39 ÷ 10) − floor(9 ÷ 10)
    ASSERT_EQ(outcome.balances.size(), 6u);
    EXPECT_EQ(outcome.balances[0],
              (domain::RunningBalance{MerchantId(1), TaxClass::kStandard10, kCycle, 30, 1'467}));
    EXPECT_EQ(outcome.balances[1], (domain::RunningBalance{MerchantId(2), TaxClass::kStandard10,
                                                           kCycle, 39, 91 + 1'467}));
    EXPECT_EQ(outcome.lines[2].tax_class, TaxClass::kStandard8);
    EXPECT_EQ(outcome.lines[2].tax, 0);
}

// Goal: a day's tax grows from what its own cycle released, whatever cycle the balance is of.
TEST(JudgeChunkTest, TaxGrowsFromTheDaysCycle) {
    Chunk chunk = GoodChunk();
    chunk.balances = {{MerchantId(1), TaxClass::kStandard10, kCycleBefore, 9, 5'000},
                      {MerchantId(2), TaxClass::kStandard10, kCycleAfter, 8, 6'000},
                      {MerchantId(4), TaxClass::kStandard10, kCycleAfter, 7, 7'000}};
    chunk.cycle = {{MerchantId(2), TaxClass::kStandard10, kCycle, 9, 91}};
    EXPECT_THAT(AheadOf(chunk.Evidence()), ::testing::ElementsAre(MerchantId(2), MerchantId(4)));
    const ChunkOutcome outcome = chunk.Judged();
    ASSERT_EQ(outcome.lines.size(), 6u);
    EXPECT_EQ(outcome.lines[0].tax, 3);  // floor(30 ÷ 10): the month before has its own rounding
    EXPECT_EQ(outcome.lines[1].tax, 3);  // floor(39 ÷ 10) − floor(9 ÷ 10)
    EXPECT_EQ(outcome.lines[1].net, 1'467);
    EXPECT_EQ(outcome.balances[0], (domain::RunningBalance{MerchantId(1), TaxClass::kStandard10,
                                                           kCycle, 30, 5'000 + 1'467}));
    EXPECT_EQ(outcome.balances[1], (domain::RunningBalance{MerchantId(2), TaxClass::kStandard10,
                                                           kCycleAfter, 8, 6'000 + 1'467}));

    // A later round asks for those only that it may release.
    chunk.first_round = false;
    chunk.holds = {{MerchantId(2), false, true}, {MerchantId(4), false, false}};
    EXPECT_THAT(AheadOf(chunk.Evidence()), ::testing::ElementsAre(MerchantId(4)));
}

// Goal: exactly the merchants that differ are held back, each with its reason.
// Method: a good chunk, with one thing wrong for each merchant but the last.
TEST(JudgeChunkTest, WhoDiffersIsHeldBackTheOthersGoOn) {
    Chunk chunk = GoodChunk();
    chunk.blocked = {MerchantId(1)};
    chunk.recounted[1].sums.fee += 1;
    chunk.faults = {{MerchantId(4), "payment 9 version 1: the fee is 3"}};
    const ChunkOutcome outcome = chunk.Judged();
    EXPECT_THAT(HeldOf(outcome),
                ::testing::UnorderedElementsAre(std::pair(1, HoldReason::kEventParked),
                                                std::pair(2, HoldReason::kRecountDiffers),
                                                std::pair(4, HoldReason::kFeeDiffers)));
    EXPECT_THAT(ReleasedOf(outcome), ::testing::UnorderedElementsAre(3, 5));
    EXPECT_EQ(outcome.sums.merchant_count, 2);
}

TEST(JudgeChunkTest, MerchantOfOneSideOnlyIsHeldBack) {
    Chunk chunk = GoodChunk();
    chunk.recounted.erase(chunk.recounted.begin());  // Totals without rows.
    chunk.recounted.push_back({MerchantId(9), TaxClass::kStandard10, {1, 0, 1}});
    const ChunkOutcome outcome = chunk.Judged();
    EXPECT_THAT(HeldOf(outcome),
                ::testing::UnorderedElementsAre(std::pair(1, HoldReason::kRecountDiffers),
                                                std::pair(9, HoldReason::kRecountDiffers)));
}

// Goal: totals and rows changed together after the close do not become money.
// Method: both sides altered alike; the seal alone knows.
TEST(JudgeChunkTest, BrokenSealHoldsItsChunk) {
    Chunk chunk = GoodChunk();
    chunk.totals[0].part.sums.gross += 1'000'000;
    chunk.recounted[0].sums.gross += 1'000'000;
    const ChunkOutcome outcome = chunk.Judged();
    EXPECT_TRUE(outcome.lines.empty());
    EXPECT_EQ(outcome.held.size(), 5u);
    for (const auto& [merchant, reason] : HeldOf(outcome)) {
        EXPECT_EQ(reason, HoldReason::kSealBroken) << merchant;
    }
}

TEST(JudgeChunkTest, MerchantOpenAtCloseIsNeitherSealedNorReleasedInTheFirstRound) {
    Chunk chunk = GoodChunk();
    chunk.Add(6, 1, {777, 7, 1});
    const domain::Seal seal = chunk.seal;
    chunk.SealAndCount();
    chunk.seal = seal;  // As sealed at close, without merchant 6.
    chunk.holds = {{MerchantId(6), /*open_at_close=*/true, /*released=*/false}};
    const ChunkOutcome outcome = chunk.Judged();
    EXPECT_TRUE(outcome.held.empty());
    EXPECT_THAT(ReleasedOf(outcome), ::testing::UnorderedElementsAre(1, 2, 3, 4, 5));
}

// Goal: a later round releases who is in order now, and touches nobody else.
TEST(JudgeChunkTest, LaterRoundIsOfThoseHeldBack) {
    Chunk chunk = GoodChunk();
    chunk.Add(6, 1, {777, 7, 1});
    const domain::Seal seal = chunk.seal;
    chunk.SealAndCount();
    chunk.seal = seal;
    chunk.first_round = false;
    chunk.holds = {{MerchantId(), true, false},    // Nobody's event was settled.
                   {MerchantId(2), false, false},  // In order now.
                   {MerchantId(4), false, true},   // Released in an earlier round.
                   {MerchantId(6), true, false},   // Its parked event was replayed.
                   {MerchantId(8), true, false},   // Its only event was discarded.
                   {MerchantId(9), false, false}};
    chunk.blocked = {MerchantId(9)};
    const ChunkOutcome outcome = chunk.Judged();
    EXPECT_THAT(ReleasedOf(outcome), ::testing::UnorderedElementsAre(2, 6));
    ASSERT_EQ(outcome.freed.size(), 4u);
    EXPECT_EQ(outcome.freed[0].merchant, MerchantId());
    EXPECT_EQ(outcome.freed[1].merchant, MerchantId(2));
    EXPECT_FALSE(outcome.freed[1].seal.has_value());
    EXPECT_EQ(outcome.freed[2].merchant, MerchantId(6));
    EXPECT_EQ(outcome.freed[2].seal, domain::SealOf(kDay, std::vector{chunk.totals.back()}));
    EXPECT_EQ(outcome.freed[3].merchant, MerchantId(8));
    EXPECT_THAT(HeldOf(outcome), ::testing::ElementsAre(std::pair(9, HoldReason::kEventParked)));
    EXPECT_EQ(outcome.sums.merchant_count, 2);
}

TEST(JudgeChunkTest, DamagedRowsAreHeldBackNotFatal) {
    Chunk chunk;
    chunk.Add(1, 0, {INT64_MAX, INT64_MIN, 1});
    chunk.Add(2, 0, {1, 0, 1}, TaxClass::kNone);
    chunk.Add(3, 0, {1, 0, 1});
    chunk.SealAndCount();
    const ChunkOutcome outcome = chunk.Judged();
    EXPECT_THAT(HeldOf(outcome),
                ::testing::UnorderedElementsAre(std::pair(1, HoldReason::kFeeDiffers),
                                                std::pair(2, HoldReason::kFeeDiffers)));
    EXPECT_THAT(ReleasedOf(outcome), ::testing::UnorderedElementsAre(3));
}

// Goal: over any chunk, everybody is released, held back or left alone, by the rule and once.
// Method: random chunks with random damage, against the rule applied merchant by merchant.
TEST(JudgeChunkProperty, EverybodyIsJudgedByTheRule) {
    Seeded random;
    for (int round = 0; round < 20'000; ++round) {
        Chunk chunk;
        for (std::int64_t merchant = 1; merchant <= 12; ++merchant) {
            for (std::uint32_t slot = 0; slot < 3; ++slot) {
                if (random.OneIn(2)) {
                    chunk.Add(merchant, slot, {random.Between(-500, 500), random.Between(-9, 9), 1},
                              random.OneIn(5) ? TaxClass::kStandard8 : TaxClass::kStandard10);
                }
            }
        }
        chunk.first_round = random.OneIn(2);
        std::set<MerchantId> open;
        for (std::int64_t merchant = 1; merchant <= 12; ++merchant) {
            if (!random.OneIn(4)) continue;
            const Hold hold{MerchantId(merchant), random.OneIn(2),
                            !chunk.first_round && random.OneIn(3)};
            chunk.holds.push_back(hold);
            if (hold.open_at_close) open.insert(hold.merchant);
        }
        chunk.SealAndCount();
        std::vector<SlotTotal> sealed;
        for (const SlotTotal& total : chunk.totals) {
            if (!open.contains(total.part.merchant)) sealed.push_back(total);
        }
        chunk.seal = domain::SealOf(kDay, sealed);
        const bool seal_broken = random.OneIn(6) && !sealed.empty();
        if (seal_broken) chunk.seal[0] ^= 1;
        std::set<MerchantId> differs;
        for (MerchantSums& sums : chunk.recounted) {
            if (!random.OneIn(6)) continue;
            sums.sums.gross += 1;
            differs.insert(sums.merchant);
        }
        for (std::int64_t merchant = 1; merchant <= 12; ++merchant) {
            if (random.OneIn(10)) chunk.blocked.insert(MerchantId(merchant));
            if (random.OneIn(10)) chunk.faults[MerchantId(merchant)] = "wrong";
        }

        const ChunkOutcome outcome = chunk.Judged();
        const auto released = ReleasedOf(outcome);
        const auto held = HeldOf(outcome);
        domain::ReleaseSums sums;
        for (const domain::ReleaseLine& line : outcome.lines) {
            ASSERT_EQ(line.net, line.sums.gross - line.sums.fee - line.tax);
            sums = domain::AddLine(sums, line).value();
        }
        sums.merchant_count = static_cast<std::int64_t>(released.size());
        ASSERT_EQ(outcome.sums, sums);

        for (std::int64_t id = 1; id <= 12; ++id) {
            const MerchantId merchant(id);
            const auto hold = std::find_if(chunk.holds.begin(), chunk.holds.end(),
                                           [&](const Hold& h) { return h.merchant == merchant; });
            const bool is_held = hold != chunk.holds.end();
            const bool trades = std::any_of(
                chunk.totals.begin(), chunk.totals.end(),
                [&](const SlotTotal& total) { return total.part.merchant == merchant; });
            const bool judged = chunk.first_round ? !is_held && trades : is_held && !hold->released;
            const bool good = !chunk.blocked.contains(merchant) && !differs.contains(merchant) &&
                              !chunk.faults.contains(merchant) &&
                              (!seal_broken || open.contains(merchant));
            ASSERT_EQ(released.contains(id), judged && good && trades) << id;
            ASSERT_EQ(held.contains(id), judged && !good) << id;
            const bool freed =
                std::any_of(outcome.freed.begin(), outcome.freed.end(),
                            [&](const FreedMerchant& f) { return f.merchant == merchant; });
            ASSERT_EQ(freed, judged && good && !chunk.first_round) << id;
        }
    }
}

}  // namespace
}  // namespace kessai::payout::app
