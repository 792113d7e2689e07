// Goal: what goes in comes out, sorted, in whatever memory and by however many threads.
// Method: random rows against std::sort of the same ones; the seed is printed.

#include "kessai/rowsort/row_sort.h"

#include <algorithm>
#include <filesystem>
#include <random>
#include <thread>
#include <tuple>

#include "kessai/testing/matchers.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::rowsort {
namespace {

using Row = std::tuple<std::uint64_t, std::string, std::string>;

class RowSortTest : public ::testing::Test {
 protected:
    RowSortTest() : random_(seed_) { RecordProperty("seed", std::to_string(seed_)); }

    std::size_t Pick(std::size_t below) { return random_() % below; }
    std::string Bytes(std::size_t size) {
        std::string bytes(size, '\0');
        for (char& byte : bytes) byte = static_cast<char>(random_());
        return bytes;
    }
    /// Keys are different, as those of files are; some share their first bytes, some are short.
    std::vector<Row> MakeRows(std::size_t count, std::size_t groups, std::size_t value_max) {
        std::vector<std::uint64_t> names;
        for (std::size_t i = 0; i < groups; ++i) names.push_back(random_() << 32 ^ random_());
        std::vector<Row> rows;
        for (std::size_t i = 0; i < count; ++i) {
            std::string key = Pick(2) == 0 ? "same beginning " : Bytes(Pick(4));
            key += "|" + std::to_string(i);
            rows.emplace_back(names[Pick(groups)], key, Bytes(Pick(value_max)));
        }
        return rows;
    }
    static void AddAll(RowSort& sort, const std::vector<Row>& rows, int threads) {
        std::vector<std::thread> running;
        for (int thread = 0; thread < threads; ++thread) {
            running.emplace_back([&sort, &rows, thread, threads] {
                for (std::size_t i = static_cast<std::size_t>(thread); i < rows.size();
                     i += static_cast<std::size_t>(threads)) {
                    const auto& [group, key, value] = rows[i];
                    ASSERT_OK(sort.Add(thread, group, key, value));
                }
            });
        }
        for (std::thread& thread : running) thread.join();
        ASSERT_OK(sort.Finish());
    }
    static std::vector<Row> Rest(RowSort::Cursor& cursor) {
        std::vector<Row> rows;
        while (cursor.Next().value()) {
            const Record& record = cursor.record();
            rows.emplace_back(record.group, record.key, record.value);
        }
        // And stays there.
        EXPECT_FALSE(cursor.Next().value());
        return rows;
    }
    static std::vector<Row> All(const RowSort& sort) {
        std::vector<Row> rows;
        for (int part = 0; part < kParts; ++part) {
            auto cursor = sort.Open(part);
            auto of_part = Rest(cursor);
            EXPECT_EQ(sort.HasRows(part), !of_part.empty());
            rows.insert(rows.end(), of_part.begin(), of_part.end());
        }
        return rows;
    }

    const unsigned seed_ = std::random_device{}();
    std::mt19937_64 random_;
    testing::TempDir folder_;
};

TEST_F(RowSortTest, GivesAllRowsInOrderFromMemoryAndFromDisk) {
    for (const std::size_t groups : {std::size_t{1}, std::size_t{40}, std::size_t{5'000}}) {
        for (const int threads : {1, 3}) {
            for (const bool spills : {false, true}) {
                SCOPED_TRACE(std::to_string(groups) + " groups, seed " + std::to_string(seed_));
                auto rows = MakeRows(spills ? 20'000 : 5'000, groups, spills ? 900 : 20);
                RowSort sort({folder_.path(), kMemoryMin, threads, 4});
                AddAll(sort, rows, threads);
                EXPECT_EQ(sort.rows(), rows.size());
                EXPECT_EQ(sort.spilled_runs() > 0, spills);
                std::sort(rows.begin(), rows.end());
                EXPECT_TRUE(All(sort) == rows);
                EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
            }
        }
    }
}

// Rows that come as several sources have them, each in order; and a few that do not.
TEST_F(RowSortTest, SortsRowsThatComeInOrderNowAndThen) {
    for (const std::size_t strays : {std::size_t{0}, std::size_t{300}}) {
        for (const std::size_t sources : {std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
            SCOPED_TRACE("seed " + std::to_string(seed_));
            auto rows = MakeRows(12'000, 2, 50);
            const std::size_t size = rows.size() / sources;
            for (std::size_t from = 0; from < rows.size(); from += size) {
                std::sort(
                    rows.begin() + static_cast<std::ptrdiff_t>(from),
                    rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), from + size)));
            }
            for (std::size_t i = 0; i < strays; ++i) {
                std::swap(rows[Pick(rows.size())], rows[Pick(rows.size())]);
            }
            RowSort sort({folder_.path(), kMemoryMin, 2});
            AddAll(sort, rows, 2);
            std::sort(rows.begin(), rows.end());
            EXPECT_TRUE(All(sort) == rows);
        }
    }
}

TEST_F(RowSortTest, TakesRowsThatAreLargerThanItsBuffers) {
    std::vector<Row> rows;
    for (std::size_t i = 0; i < 40; ++i) {
        rows.emplace_back(Pick(3), std::to_string(i), Bytes(Pick(std::size_t{2} << 20)));
        rows.emplace_back(Pick(3), "small " + std::to_string(i), "");
    }
    RowSort sort({folder_.path(), kMemoryMin, 2});
    AddAll(sort, rows, 2);
    std::sort(rows.begin(), rows.end());
    EXPECT_TRUE(All(sort) == rows);
}

TEST_F(RowSortTest, ComesBackToAPlace) {
    for (const bool spills : {false, true}) {
        SCOPED_TRACE("seed " + std::to_string(seed_));
        RowSort sort({folder_.path(), kMemoryMin, 3});
        AddAll(sort, MakeRows(6'000, 4, spills ? 2'000 : 10), 3);
        EXPECT_EQ(sort.spilled_runs() > 0, spills);
        for (int part = 0; part < kParts; ++part) {
            if (!sort.HasRows(part)) continue;
            auto begin = sort.Open(part);
            auto again_from_begin = sort.Open(part, begin.place());
            const auto all = Rest(begin);
            EXPECT_TRUE(Rest(again_from_begin) == all);
            auto cursor = sort.Open(part);
            const std::size_t steps = 1 + Pick(all.size());
            for (std::size_t i = 0; i < steps; ++i) ASSERT_TRUE(cursor.Next().value());
            auto again = sort.Open(part, cursor.place());
            const auto rest = Rest(again);
            EXPECT_TRUE(std::equal(rest.begin(), rest.end(),
                                   all.begin() + static_cast<std::ptrdiff_t>(steps), all.end()));
            EXPECT_EQ(rest.size(), all.size() - steps);
        }
    }
}

TEST_F(RowSortTest, HasNothingWhereNothingWasAdded) {
    RowSort sort({folder_.path(), kMemoryMin, 2});
    ASSERT_OK(sort.Finish());
    EXPECT_EQ(sort.rows(), 0u);
    EXPECT_TRUE(All(sort).empty());
}

TEST_F(RowSortTest, SaysThatItsFolderIsMissing) {
    RowSort sort({folder_.Path("none"), kMemoryMin, 1});
    Status status;
    for (int i = 0; i < 100 && status.ok(); ++i) {
        status = sort.Add(0, 1, std::to_string(i), Bytes(50'000));
    }
    EXPECT_EQ(status.code(), Code::kUnavailable);
    EXPECT_EQ(status.reason(), reason::kFolderFailed);
}

}  // namespace
}  // namespace kessai::rowsort
