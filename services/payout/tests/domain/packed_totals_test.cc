#include "domain/packed_totals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/seeded.h"

namespace kessai::payout::domain {
namespace {

std::optional<std::string> Pack(const std::vector<SlotTotal>& totals) {
    TotalsPacker packer;
    for (const SlotTotal& total : totals) packer.Add(total);
    return packer.Take();
}

std::vector<SlotTotal> RandomTotals(Seeded& random) {
    std::vector<SlotTotal> totals;
    for (std::int64_t i = random.Between(0, 200); i > 0; --i) {
        const auto any = [&] {
            return random.OneIn(20) ? random.Between(INT64_MIN, INT64_MAX)
                                    : random.UpTo(INT64_MAX) * (random.OneIn(2) ? 1 : -1);
        };
        totals.push_back({static_cast<std::uint32_t>(random.Between(0, 63)),
                          {MerchantId(any()),
                           static_cast<TaxClass>(random.Between(0, 2)),
                           {any(), any(), any()}}});
    }
    return totals;
}

// Goal: what is unpacked is what was packed.
// Method: random totals of all magnitudes, and packers that are used again.
TEST(PackedTotalsProperty, UnpacksWhatWasPacked) {
    Seeded random;
    TotalsPacker packer;
    for (int round = 0; round < 2'000; ++round) {
        const std::vector<SlotTotal> totals = RandomTotals(random);
        for (const SlotTotal& total : totals) packer.Add(total);
        const auto packed = packer.Take();
        ASSERT_TRUE(packed.has_value());
        ASSERT_EQ(UnpackTotals(*packed), totals);
    }
}

TEST(PackedTotalsTest, ExtremesFit) {
    const std::vector<SlotTotal> totals{
        {0, {MerchantId(INT64_MIN), TaxClass::kNone, {INT64_MIN, INT64_MAX, INT64_MAX}}},
        {UINT32_MAX, {MerchantId(INT64_MAX), TaxClass::kStandard10, {INT64_MAX, INT64_MIN, 0}}}};
    EXPECT_EQ(UnpackTotals(Pack(totals).value()), totals);
}

TEST(PackedTotalsTest, UsualTotalIsSmall) {
    std::vector<SlotTotal> totals;
    for (std::int64_t merchant = 1; merchant <= 5'000; ++merchant) {
        totals.push_back(
            {7, {MerchantId(90'000'000 + merchant), TaxClass::kStandard10, {25'000, 495, 5}}});
    }
    EXPECT_LT(Pack(totals).value().size(), 10u * totals.size());
}

// Goal: damage is no crash: it is either no pack, or other totals.
// Method: every way to cut a pack short, and every bit of it flipped.
TEST(PackedTotalsTest, DamageIsNoticedOrGivesOtherTotals) {
    Seeded random;
    const std::vector<SlotTotal> totals = RandomTotals(random);
    const std::string packed = Pack(totals).value();
    for (std::size_t length = 0; length < packed.size(); ++length) {
        EXPECT_NE(UnpackTotals(std::string_view(packed).substr(0, length)), totals);
    }
    for (std::size_t bit = 0; bit < packed.size() * 8; ++bit) {
        std::string damaged = packed;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_NE(UnpackTotals(damaged), totals) << bit;
    }
    EXPECT_EQ(UnpackTotals(std::string(11, '\xff')), std::nullopt);
}

// Goal: no statement becomes too large, however many totals a chunk has.
TEST(PackedTotalsTest, TooManyAreNotKept) {
    TotalsPacker packer;
    const SlotTotal wide{
        63, {MerchantId(INT64_MAX), TaxClass::kStandard10, {INT64_MAX, INT64_MAX, INT64_MAX}}};
    for (std::size_t i = 0; i < kPackedTotalsMax / 30; ++i) packer.Add(wide);
    EXPECT_EQ(packer.Take(), std::nullopt);
    packer.Add(wide);
    EXPECT_TRUE(packer.Take().has_value());
}

}  // namespace
}  // namespace kessai::payout::domain
