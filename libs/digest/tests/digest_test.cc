#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "kessai/digest/accumulator.h"
#include "kessai/digest/row_hash.h"

namespace kessai::digest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const BusinessDate kDay = *BusinessDate::Parse("2026-11-22");

RowHasher::Key TestKey() {
    RowHasher::Key key{};
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
    return key;
}

Row RandomRow(std::mt19937_64& random) {
    return {.object_id = static_cast<std::int64_t>(random() >> 1),
            .version = static_cast<std::uint32_t>(random() % 5 + 1),
            .business_date = kDay.PlusDays(static_cast<int>(random() % 3)),
            .merchant_id = static_cast<std::int64_t>(random() % 1000 + 1),
            .signed_gross = static_cast<std::int64_t>(random() % 2'000'001) - 1'000'000};
}

// Source: vectors_sip128 of the SipHash reference implementation (key 00…0f, inputs of 0 and 1
// byte).
TEST(SipHashTest, ReferenceVectors) {
    EXPECT_EQ(SipHash128(TestKey(), "").ToHex(), "930255c71472f66de6a825ba047f81a3");
    EXPECT_EQ(SipHash128(TestKey(), std::string(1, '\0')).ToHex(),
              "45fc229b1159763444af996bd8c187da");
}

// Goal: the row's encoding never changes; both services and old days depend on it.
// Method: the documented 32 bytes written down here, hashed as bytes.
TEST(RowHasherTest, HashesTheDocumentedEncoding) {
    const Row row{.object_id = 0x0102030405060708,
                  .version = 9,
                  .business_date = kDay,
                  .merchant_id = 77,
                  .signed_gross = -1};
    std::string bytes("\x08\x07\x06\x05\x04\x03\x02\x01", 8);
    bytes += std::string("\x09\0\0\0", 4);
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(20261122 >> (8 * i)));
    bytes += std::string("\x4d\0\0\0\0\0\0\0", 8);
    bytes += std::string(8, '\xff');
    EXPECT_EQ(RowHasher(TestKey()).Hash(row), SipHash128(TestKey(), bytes));
}

TEST(RowHasherTest, KeyFromHex) {
    const auto hasher = RowHasher::FromHex("000102030405060708090a0b0c0d0e0F");
    ASSERT_TRUE(hasher.ok());
    EXPECT_EQ(hasher->Hash({}), RowHasher(TestKey()).Hash({}));
    EXPECT_EQ(RowHasher::FromHex("00").status().reason(), "DIGEST_KEY_MALFORMED");
    EXPECT_FALSE(RowHasher::FromHex("000102030405060708090a0b0c0d0eXX").ok());
}

TEST(Sum128Test, CarriesAndWraps) {
    constexpr std::uint64_t kMax = ~0ULL;
    Sum128 sum{.high = 0, .low = kMax};
    sum += {.high = 0, .low = 1};
    EXPECT_EQ(sum, (Sum128{.high = 1, .low = 0}));
    sum = {.high = kMax, .low = kMax};
    sum += {.high = 0, .low = 2};
    EXPECT_EQ(sum, (Sum128{.high = 0, .low = 1}));
    sum -= {.high = 0, .low = 2};
    EXPECT_EQ(sum, (Sum128{.high = kMax, .low = kMax}));
}

// Goal: a digest depends on the set of rows only.
// Method: the same rows in shuffled orders and cut into several accumulators, then one row changed.
TEST(AccumulatorTest, OrderAndGroupingDoNotMatterContentDoes) {
    const std::uint64_t seed = std::random_device{}();
    RecordProperty("seed", std::to_string(seed));
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const RowHasher hasher(TestKey());
    std::vector<Row> rows(5'000);
    std::ranges::generate(rows, [&] { return RandomRow(random); });

    Accumulator whole(hasher);
    for (const Row& row : rows) whole.Add(row);
    std::ranges::shuffle(rows, random);
    Accumulator first(hasher);
    Accumulator second(hasher);
    for (std::size_t i = 0; i < rows.size(); ++i) (i % 3 == 0 ? first : second).Add(rows[i]);

    for (int day = 0; day < 3; ++day) {
        DayDigest parts = first.Day(kDay.PlusDays(day));
        const DayDigest other = second.Day(kDay.PlusDays(day));
        for (std::size_t i = 0; i < parts.size(); ++i) parts[i].Add(other[i]);
        EXPECT_THAT(UnequalBuckets(whole.Day(kDay.PlusDays(day)), parts), IsEmpty());
    }

    // The same object, count and sum: only the merchant differs.
    Row changed = rows.front();
    changed.merchant_id += 1;
    Accumulator altered(hasher);
    altered.Add(changed);
    for (std::size_t i = 1; i < rows.size(); ++i) altered.Add(rows[i]);
    EXPECT_THAT(
        UnequalBuckets(whole.Day(changed.business_date), altered.Day(changed.business_date)),
        ElementsAre(BucketOf(changed.object_id)));
}

// Goal: a caller gets the buckets that it names, and no range that there is not.
// Goal: rows that somebody damaged make a digest too, and another one than the rows that were
// there.
TEST(AccumulatorTest, AnyAmountsHaveASum) {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    const RowHasher hasher{TestKey()};
    Accumulator sums(hasher);
    for (std::uint32_t version = 1; version <= 3; ++version) {
        sums.Add({.object_id = 1,
                  .version = version,
                  .business_date = kDay,
                  .signed_gross = version == 3 ? 5 : kMost});
    }
    const DayDigest day = sums.Day(kDay);
    const BucketDigest& of_rows = day[static_cast<std::size_t>(BucketOf(1))];
    EXPECT_EQ(of_rows.count, 3);
    EXPECT_EQ(of_rows.signed_gross, 3) << "modulo 2^64";
    Accumulator other(hasher);
    for (std::uint32_t version = 1; version <= 3; ++version) {
        other.Add({.object_id = 1, .version = version, .business_date = kDay, .signed_gross = 1});
    }
    EXPECT_NE(other.Day(kDay), day);
}

TEST(BucketRangeTest, IsOfBucketsThatThereAre) {
    const auto all = BucketRange::Parse(0, 0);
    ASSERT_TRUE(all.ok());
    EXPECT_EQ(all->first, 0);
    EXPECT_EQ(all->end(), kBuckets);
    const auto last = BucketRange::Parse(1'023, 1);
    ASSERT_TRUE(last.ok());
    EXPECT_TRUE(last->Has(1'023));
    EXPECT_FALSE(last->Has(1'022));
    for (const auto& [first, count] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
             {0, 1'025}, {1, 0}, {1, 1'024}, {1'024, 1}, {4'294'967'295, 2}, {2, 4'294'967'295}}) {
        EXPECT_EQ(BucketRange::Parse(first, count).status().reason(), "FIELD_INVALID")
            << first << " " << count;
    }
}

TEST(BucketRangeTest, OnlyOfLeavesOthersEmpty) {
    const RowHasher hasher(TestKey());
    std::mt19937_64 random(7);
    Accumulator sums(hasher);
    for (int i = 0; i < 5'000; ++i) sums.Add(RandomRow(random));
    const DayDigest day = sums.Day(kDay);
    const BucketRange range{.first = 100, .count = 50};
    const DayDigest some = OnlyOf(range, day);
    for (int bucket = 0; bucket < kBuckets; ++bucket) {
        const auto at = static_cast<std::size_t>(bucket);
        EXPECT_EQ(some[at], range.Has(bucket) ? day[at] : BucketDigest());
    }
}

TEST(AccumulatorTest, ClearForgets) {
    const RowHasher hasher(TestKey());
    Accumulator accumulator(hasher);
    accumulator.Add({.object_id = 1, .version = 1, .business_date = kDay});
    EXPECT_EQ(accumulator.size(), 1u);
    accumulator.Clear();
    EXPECT_TRUE(accumulator.empty());
    EXPECT_EQ(accumulator.Day(kDay), DayDigest(kBuckets));
}

}  // namespace
}  // namespace kessai::digest
