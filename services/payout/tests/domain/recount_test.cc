#include "domain/recount.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/seeded.h"

namespace kessai::payout::domain {
namespace {

using ::testing::IsEmpty;

MerchantSums Of(std::int64_t merchant, Sums sums, TaxClass tax_class = TaxClass::kStandard10) {
    return {MerchantId(merchant), tax_class, sums};
}

// Goal: sums don't depend on how rows fall to segments, nor merchants to ranges.
// Method: random rows to random workers, reduced over random ranges, against one ordered map.
TEST(RecountProperty, SegmentsAndRangesGiveWhatOneMapGives) {
    Seeded random;
    for (int rows = 0; rows < 1'000'000;) {
        std::vector<SegmentSums> workers;
        for (std::int64_t i = random.Between(1, 4); i > 0; --i) workers.emplace_back(0);
        std::map<std::pair<MerchantId, TaxClass>, Sums> expected;
        const std::int64_t merchants = 1 + random.UpTo(5'000);
        for (std::int64_t i = random.Between(0, 20'000); i > 0; --i, ++rows) {
            const MerchantId merchant(random.Between(-merchants, merchants));
            const TaxClass tax_class =
                random.OneIn(10) ? TaxClass::kStandard8 : TaxClass::kStandard10;
            const Sums row{random.Between(-1'000, 1'000), random.Between(-10, 10), 1};
            workers[static_cast<std::size_t>(
                        random.Between(0, static_cast<std::int64_t>(workers.size()) - 1))]
                .Add({merchant, tax_class, row.gross, row.fee});
            Sums& sums = expected[{merchant, tax_class}];
            sums = sums + row;
        }
        std::vector<std::vector<MerchantSums>> parts;
        for (SegmentSums& worker : workers) {
            parts.push_back(worker.TakeSorted());
            ASSERT_EQ(worker.size(), 0u);
        }
        const Recount recount(std::move(parts));

        std::vector<MerchantSums> reduced;
        MerchantId first = kLowestMerchant;
        for (bool done = false; !done;) {
            MerchantId last(first == kLowestMerchant
                                ? -merchants
                                : first.value() + random.Between(0, merchants));
            done = last.value() >= merchants;
            if (done) last = kHighestMerchant;
            const auto range = recount.Reduce({first, last});
            reduced.insert(reduced.end(), range.begin(), range.end());
            first = MerchantId(last.value() + (done ? 0 : 1));
        }
        ASSERT_EQ(reduced.size(), expected.size());
        auto it = expected.begin();
        for (const MerchantSums& sums : reduced) {
            ASSERT_EQ(std::pair(sums.merchant, sums.tax_class), it->first);
            ASSERT_EQ(sums.sums, it->second);
            ++it;
        }
    }
}

TEST(CompareTest, EveryKindOfDifferenceIsSeen) {
    const std::vector<MerchantSums> totals{
        Of(1, {10, 1, 1}), Of(2, {10, 1, 1}), Of(3, {10, 1, 1}),
        Of(4, {10, 1, 2}), Of(5, {10, 1, 1}), Of(7, {10, 1, 1}, TaxClass::kStandard8),
        Of(7, {20, 2, 2}), Of(8, {30, 3, 3}),
    };
    const std::vector<MerchantSums> recounted{
        Of(1, {10, 1, 1}),
        Of(2, {11, 1, 1}),  // gross
        Of(3, {10, 0, 1}),  // fee
        Of(4, {10, 1, 1}),  // count
        Of(6, {10, 1, 1}),  // 5 has no rows, 6 no totals
        Of(7, {10, 1, 1}, TaxClass::kStandard8),
        Of(7, {20, 2, 2}),
        Of(8, {10, 1, 1}, TaxClass::kStandard8),  // the same sum over the wrong classes
        Of(8, {20, 2, 2}),
    };
    std::map<std::int64_t, bool> equal;
    for (const Comparison& comparison : Compare(totals, recounted)) {
        equal[comparison.merchant.value()] = comparison.equal;
        for (std::size_t i = 0; i < comparison.count; ++i) {
            EXPECT_EQ(recounted[comparison.first + i].merchant, comparison.merchant);
        }
    }
    const std::map<std::int64_t, bool> expected{{1, true},  {2, false}, {3, false}, {4, false},
                                                {5, false}, {6, false}, {7, true},  {8, false}};
    EXPECT_EQ(equal, expected);
    EXPECT_THAT(Compare({}, {}), IsEmpty());
}

// Goal: damaged rows can't stop the process.
// Method: sums beyond 64 bits stay at the end of the range, and differ from the totals.
TEST(CompareTest, SumsBeyondSixtyFourBitsDiffer) {
    SegmentSums worker;
    worker.Add({MerchantId(1), TaxClass::kStandard10, INT64_MAX, INT64_MIN});
    worker.Add({MerchantId(1), TaxClass::kStandard10, 1, -1});
    const auto recounted = worker.TakeSorted();
    ASSERT_EQ(recounted.size(), 1u);
    EXPECT_EQ(recounted[0].sums, (Sums{INT64_MAX, INT64_MIN, 2}));
    const auto comparisons = Compare(std::vector{Of(1, {0, 0, 2})}, recounted);
    ASSERT_EQ(comparisons.size(), 1u);
    EXPECT_FALSE(comparisons[0].equal);
}

}  // namespace
}  // namespace kessai::payout::domain
