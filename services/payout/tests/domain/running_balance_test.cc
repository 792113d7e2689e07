#include "domain/running_balance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "domain/tax.h"
#include "kessai/testing/matchers.h"
#include "tests/seeded.h"

namespace kessai::payout::domain {
namespace {

using testing::Refuses;

BusinessDate Day(std::int32_t yyyymmdd) {
    return BusinessDate::FromNumber(yyyymmdd).value();
}

BusinessDate RandomCycle(Seeded& random) {
    return CycleStart(Day(20260101).PlusDays(static_cast<int>(random.Between(-20'000, 1'000))));
}

std::vector<RunningBalance> RandomBalances(Seeded& random, std::size_t merchants) {
    std::map<std::pair<MerchantId, TaxClass>, RunningBalance> balances;
    const auto any = [&] {
        return random.OneIn(20) ? random.Between(INT64_MIN, INT64_MAX)
                                : random.UpTo(INT64_MAX) * (random.OneIn(2) ? 1 : -1);
    };
    for (std::size_t i = 0; i < merchants; ++i) {
        const MerchantId merchant(any());
        for (int classes = random.OneIn(5) ? 2 : 1; classes > 0; --classes) {
            const TaxClass tax_class = static_cast<TaxClass>(classes);
            balances[{merchant, tax_class}] = {merchant, tax_class, RandomCycle(random), any(),
                                               any()};
        }
    }
    std::vector<RunningBalance> list;
    for (const auto& [place, balance] : balances) list.push_back(balance);
    return list;
}

// Goal: what is unpacked is what was packed.
// Method: random balances of all magnitudes and months.
TEST(RunningBalanceProperty, UnpacksWhatWasPacked) {
    Seeded random;
    for (int round = 0; round < 1'000; ++round) {
        const auto balances =
            RandomBalances(random, static_cast<std::size_t>(random.Between(0, 200)));
        ASSERT_EQ(UnpackBalances(Pack(balances)), balances);
    }
}

TEST(RunningBalanceTest, UsualBalanceIsSmall) {
    std::vector<RunningBalance> balances;
    for (std::int64_t merchant = 1; merchant <= 500; ++merchant) {
        balances.push_back({MerchantId(90'000'000 + merchant), TaxClass::kStandard10, Day(20261101),
                            12'375, 612'000});
    }
    // Two to a database page, beside its own bytes.
    EXPECT_LT(Pack(balances).size(), 10u * balances.size());
}

// Goal: damage is no crash: it is either no pack, or other balances.
// Method: every way to cut a pack short, and every bit of it flipped.
TEST(RunningBalanceTest, DamageIsNoticedOrGivesOtherBalances) {
    Seeded random;
    const auto balances = RandomBalances(random, 30);
    const std::string packed = Pack(balances);
    for (std::size_t length = 0; length < packed.size(); ++length) {
        EXPECT_NE(UnpackBalances(std::string_view(packed).substr(0, length)), balances);
    }
    for (std::size_t bit = 0; bit < packed.size() * 8; ++bit) {
        std::string damaged = packed;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_NE(UnpackBalances(damaged), balances) << bit;
    }
}

// Goal: pieces cover their range without a gap, each with its merchants' balances, whole.
// Method: random balances, of more merchants than fit a piece.
TEST(RunningBalanceProperty, PiecesCoverTheRange) {
    Seeded random;
    for (int round = 0; round < 30; ++round) {
        const auto balances =
            RandomBalances(random, static_cast<std::size_t>(random.Between(0, 3'000)));
        const MerchantRange range{kLowestMerchant, kHighestMerchant};
        const auto pieces = CutIntoPieces(range, balances);
        EXPECT_EQ(pieces.front().range.first, range.first);
        EXPECT_EQ(pieces.back().range.last, range.last);
        std::vector<RunningBalance> together;
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            if (i > 0) {
                EXPECT_EQ(pieces[i - 1].range.last.value() + 1, pieces[i].range.first.value());
            }
            const auto some = UnpackBalances(pieces[i].packed);
            ASSERT_TRUE(some.has_value());
            EXPECT_LE(some->size(), kBalancesPerPiece + 1);
            for (const RunningBalance& balance : *some) {
                EXPECT_LE(pieces[i].range.first, balance.merchant);
                EXPECT_LE(balance.merchant, pieces[i].range.last);
            }
            together.insert(together.end(), some->begin(), some->end());
        }
        EXPECT_EQ(together, balances);
    }
}

// Goal: adding a merchant's releases one by one gives what the sums of their cycles fold to, in
// whatever order days are released.
// Method: random releases of random days, against sums by cycle; but for the fees of a cycle to
// which a day came after a later cycle's, which a running balance does not keep.
TEST(RunningBalanceProperty, AddedOneByOneIsFolded) {
    Seeded random;
    for (int round = 0; round < 2'000; ++round) {
        const MerchantId merchant(random.Between(1, 1'000));
        RunningBalance balance{merchant, TaxClass::kStandard10, {}, 0, 0};
        std::map<BusinessDate, CycleSums> cycles;
        for (std::int64_t i = random.Between(1, 30); i > 0; --i) {
            const BusinessDate day =
                Day(20261101).PlusDays(static_cast<int>(random.Between(0, 90)));
            ReleaseLine line{
                merchant, TaxClass::kStandard10, {}, 0, random.Between(-9'000, 90'000)};
            line.sums.fee = random.Between(-100, 1'000);
            ASSERT_OK_AND_ASSIGN(balance, AddToBalance(balance, day, line));
            CycleSums& cycle = cycles[CycleStart(day)];
            cycle.merchant = merchant;
            cycle.tax_class = TaxClass::kStandard10;
            cycle.cycle_start = CycleStart(day);
            cycle.fee += line.sums.fee;
            cycle.net += line.net;
        }
        std::vector<CycleSums> sums;
        for (const auto& [start, cycle] : cycles) sums.push_back(cycle);
        EXPECT_THAT(Fold(sums), testing::IsOkAnd(::testing::ElementsAre(balance)));
    }
}

TEST(RunningBalanceTest, LateDayOfAnEarlierCycleLeavesTheCycle) {
    const RunningBalance december{MerchantId(7), TaxClass::kStandard10, Day(20261201), 40, 2'000};
    ReleaseLine line{MerchantId(7), TaxClass::kStandard10, {500, 9, 1}, 0, 491};
    EXPECT_THAT(AddToBalance(december, Day(20261130), line),
                testing::IsOkAnd(RunningBalance{MerchantId(7), TaxClass::kStandard10, Day(20261201),
                                                40, 2'491}));
    EXPECT_THAT(AddToBalance(december, Day(20261202), line),
                testing::IsOkAnd(RunningBalance{MerchantId(7), TaxClass::kStandard10, Day(20261201),
                                                49, 2'491}));
    EXPECT_THAT(AddToBalance(december, Day(20270101), line),
                testing::IsOkAnd(
                    RunningBalance{MerchantId(7), TaxClass::kStandard10, Day(20270101), 9, 2'491}));
    line.net = INT64_MAX;
    EXPECT_THAT(AddToBalance(december, Day(20261202), line),
                Refuses(Code::kOutOfRange, "AMOUNT_OVERFLOW"));
}

TEST(RunningBalanceTest, ChangesTakeTheirPlaces) {
    const auto balance = [](std::int64_t merchant, TaxClass tax_class, std::int64_t released) {
        return RunningBalance{MerchantId(merchant), tax_class, Day(20261101), 1, released};
    };
    const std::vector<RunningBalance> before{balance(2, TaxClass::kStandard10, 1),
                                             balance(4, TaxClass::kStandard8, 2),
                                             balance(4, TaxClass::kStandard10, 3)};
    const std::vector<RunningBalance> changed{balance(1, TaxClass::kStandard10, 4),
                                              balance(4, TaxClass::kStandard8, 5),
                                              balance(5, TaxClass::kStandard10, 6)};
    EXPECT_THAT(WithChanges(before, changed),
                ::testing::ElementsAre(changed[0], before[0], changed[1], before[2], changed[2]));
    EXPECT_EQ(WithChanges(before, {}), before);
    EXPECT_EQ(WithChanges({}, changed), changed);
}

}  // namespace
}  // namespace kessai::payout::domain
