#include "domain/seal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/seeded.h"

namespace kessai::payout::domain {
namespace {

const BusinessDate kDay = BusinessDate::FromNumber(20261122).value();

SlotTotal Total(std::int64_t merchant, std::uint32_t slot, Sums sums) {
    return {slot, {MerchantId(merchant), TaxClass::kStandard10, sums}};
}

// Goal: any change of any sealed number, and any row added or removed, changes the seal.
TEST(SealTest, EveryNumberIsSealed) {
    const std::vector<SlotTotal> totals{Total(1, 0, {10, 1, 1}), Total(2, 3, {20, 2, 2})};
    const Seal seal = SealOf(kDay, totals);
    EXPECT_EQ(SealOf(kDay, totals), seal);
    EXPECT_NE(SealOf(kDay.Next(), totals), seal);
    EXPECT_NE(SealOf(kDay, std::span(totals).first(1)), seal);
    const auto damaged = [&](auto damage) {
        std::vector<SlotTotal> bad = totals;
        damage(bad[1]);
        return SealOf(kDay, bad);
    };
    EXPECT_NE(damaged([](SlotTotal& t) { t.slot = 4; }), seal);
    EXPECT_NE(damaged([](SlotTotal& t) { t.part.merchant = MerchantId(3); }), seal);
    EXPECT_NE(damaged([](SlotTotal& t) { t.part.tax_class = TaxClass::kStandard8; }), seal);
    EXPECT_NE(damaged([](SlotTotal& t) { ++t.part.sums.gross; }), seal);
    EXPECT_NE(damaged([](SlotTotal& t) { ++t.part.sums.fee; }), seal);
    EXPECT_NE(damaged([](SlotTotal& t) { ++t.part.sums.item_count; }), seal);
}

TEST(SealTest, DaySealCoversChunksAndTheirOrder) {
    const SealedChunk a{{kLowestMerchant, MerchantId(9)}, 2, SealOf(kDay, {})};
    const SealedChunk b{{MerchantId(10), kHighestMerchant}, 1, SealOf(kDay.Next(), {})};
    const Seal seal = SealOfDay(kDay, std::vector{a, b});
    EXPECT_NE(SealOfDay(kDay, std::vector{b, a}), seal);
    EXPECT_NE(SealOfDay(kDay, std::vector{a}), seal);
    EXPECT_NE(SealOfDay(kDay.Next(), std::vector{a, b}), seal);
}

TEST(ChunkSealerTest, EmptyDayHasOneChunkOfEverybody) {
    const auto chunks = ChunkSealer(kDay, 10).Finish();
    ASSERT_EQ(chunks.size(), 1u);
    EXPECT_EQ(chunks[0].range, (MerchantRange{kLowestMerchant, kHighestMerchant}));
    EXPECT_EQ(chunks[0].merchant_count, 0);
    EXPECT_EQ(chunks[0].seal, SealOf(kDay, {}));
}

// Goal: chunks cover every merchant once, hold what they say, and can be sealed again alone.
// Method: random days in random chunk sizes; each chunk's rows sealed by themselves.
TEST(ChunkSealerProperty, ChunksCoverAllAndSealTheirOwnRows) {
    Seeded random;
    for (int day = 0; day < 2'000; ++day) {
        std::vector<SlotTotal> totals;
        std::int64_t merchant = random.Between(-50, 50);
        for (std::int64_t merchants = random.Between(0, 60); merchants > 0; --merchants) {
            for (std::uint32_t slot = 0; slot < 3; ++slot) {
                if (slot == 0 || random.OneIn(2)) {
                    totals.push_back(Total(merchant, slot, {random.UpTo(100), 1, 1}));
                }
            }
            merchant += random.Between(1, 5);
        }
        const std::int64_t size = random.Between(1, 20);
        ChunkSealer sealer(kDay, size);
        for (const SlotTotal& total : totals) sealer.Add(total);
        const auto chunks = sealer.Finish();

        ASSERT_EQ(chunks.front().range.first, kLowestMerchant);
        ASSERT_EQ(chunks.back().range.last, kHighestMerchant);
        std::size_t at = 0;
        for (std::size_t i = 0; i < chunks.size(); ++i) {
            if (i > 0) {
                ASSERT_EQ(chunks[i - 1].range.last.value() + 1, chunks[i].range.first.value());
                ASSERT_EQ(chunks[i - 1].merchant_count, size);
            }
            std::vector<SlotTotal> own;
            std::int64_t count = 0;
            for (; at < totals.size() && totals[at].part.merchant <= chunks[i].range.last; ++at) {
                if (own.empty() || own.back().part.merchant != totals[at].part.merchant) ++count;
                own.push_back(totals[at]);
            }
            ASSERT_EQ(chunks[i].merchant_count, count);
            ASSERT_EQ(chunks[i].seal, SealOf(kDay, own));
        }
        ASSERT_EQ(at, totals.size());
    }
}

}  // namespace
}  // namespace kessai::payout::domain
