// Goal: sorting and adding up give the same whether memory suffices or not, and say so when the
// temporary files fail.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <random>
#include <tuple>
#include <vector>

#include "kessai/testing/matchers.h"
#include "kessai/testing/temp_dir.h"
#include "spill/aggregator.h"
#include "spill/sorter.h"

namespace kessai::audit {
namespace {

using kessai::testing::Refuses;

struct Number {
    std::int64_t key = 0;
    std::int64_t amount = 0;

    std::int64_t place() const { return key; }
    bool operator<(const Number& other) const {
        return std::tie(key, amount) < std::tie(other.key, other.amount);
    }
    bool operator==(const Number&) const = default;
    void Merge(const Number& other) { amount += other.amount; }
};

std::vector<Number> Shuffled(int count, int keys, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<Number> numbers;
    for (int i = 0; i < count; ++i) {
        numbers.push_back({static_cast<std::int64_t>(random() % static_cast<unsigned>(keys)), i});
    }
    return numbers;
}

template <class Source>
std::vector<Number> Drain(Source& source) {
    std::vector<Number> numbers;
    for (; source.Peek() != nullptr; source.Pop()) numbers.push_back(*source.Peek());
    EXPECT_THAT(source.status(), kessai::testing::IsOk());
    return numbers;
}

TEST(SorterTest, GivesTheSameWithAndWithoutFiles) {
    const kessai::testing::TempDir directory;
    for (const int count : {0, 1, 7, 1'000, 20'000}) {
        auto numbers = Shuffled(count, 500, 7);
        auto expected = numbers;
        std::sort(expected.begin(), expected.end());
        for (const std::size_t memory : {1u, 160u, 16'000u, 1u << 20}) {
            const SpillSpace space(directory.path(), memory);
            Sorter<Number> sorter(space);
            for (const Number& number : numbers) sorter.Add(number);
            ASSERT_OK_AND_ASSIGN(auto sorted, sorter.Finish());
            EXPECT_EQ(Drain(sorted), expected) << count << " in " << memory;
        }
    }
    EXPECT_TRUE(std::filesystem::is_empty(directory.path())) << "files have no names";
}

TEST(AggregatorTest, AddsUpTheSameWithAndWithoutFiles) {
    const kessai::testing::TempDir directory;
    const auto numbers = Shuffled(10'000, 300, 11);
    std::vector<Number> expected;
    for (std::int64_t key = 0; key < 300; ++key) {
        Number sum{key, 0};
        for (const Number& number : numbers) {
            if (number.key == key) sum.Merge(number);
        }
        expected.push_back(sum);
    }
    for (const std::size_t memory : {1u, 2'000u, 1u << 20}) {
        const SpillSpace space(directory.path(), memory);
        Aggregator<Number> aggregator(space);
        for (const Number& number : numbers) aggregator.Add(number);
        ASSERT_OK_AND_ASSIGN(auto sums, aggregator.Finish());
        EXPECT_EQ(Drain(sums), expected);
    }
}

TEST(SorterTest, TellsThatNothingCanBeWritten) {
    const SpillSpace space("/nonexistent/directory", 64);
    Sorter<Number> sorter(space);
    for (const Number& number : Shuffled(100, 10, 3)) sorter.Add(number);
    EXPECT_THAT(sorter.Finish().status(), Refuses(Code::kUnavailable, "SPILL_FAILED"));
}

}  // namespace
}  // namespace kessai::audit
