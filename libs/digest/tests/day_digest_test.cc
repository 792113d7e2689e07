#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include "kessai/digest/store.h"
#include "kessai/mysql/migration.h"
#include "kessai/mysql/transaction.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/mysql_server.h"

namespace kessai::digest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::MysqlServer;

const BusinessDate kDay = *BusinessDate::Parse("2026-11-22");

class DayDigestTest : public ::testing::Test {
 protected:
    DayDigestTest() {
        auto session = mysql::Session::Connect(schema_->options());
        EXPECT_THAT(session, IsOk());
        session_ = std::move(session).value();
        const std::vector<mysql::MigrationSet> sets{Migrations()};
        EXPECT_THAT(mysql::Migrate(*session_, sets), IsOk());
    }
    Row RandomRow() {
        return {.object_id = static_cast<std::int64_t>(random_() >> 1),
                .version = static_cast<std::uint32_t>(random_() % 5 + 1),
                .business_date = kDay,
                .merchant_id = static_cast<std::int64_t>(random_() % 1000 + 1),
                .signed_gross = static_cast<std::int64_t>(random_() % 2'000'001) - 1'000'000};
    }

    const std::unique_ptr<testing::MysqlSchema> schema_ = MysqlServer::Shared().CreateSchema();
    std::unique_ptr<mysql::Session> session_;
    std::mt19937_64 random_{20261122};
    const RowHasher hasher_{RowHasher::Key{1, 2, 3}};
};

// Goal: what the table adds up equals what memory adds up, carries and all.
// Method: many small accumulations over several slots, against one accumulator.
TEST_F(DayDigestTest, AddsUpInSql) {
    Accumulator whole(hasher_);
    for (int round = 0; round < 40; ++round) {
        Accumulator part(hasher_);
        for (int i = 0; i < 300; ++i) {
            const Row row = RandomRow();
            part.Add(row);
            whole.Add(row);
        }
        ASSERT_OK_AND_ASSIGN(auto transaction, mysql::Transaction::Begin(*session_));
        ASSERT_OK(AddToDay(*session_, part, round % 4));
        ASSERT_OK(transaction.Commit());
    }
    ASSERT_OK_AND_ASSIGN(const DayDigest stored, LoadDay(*session_, kDay));
    EXPECT_THAT(UnequalBuckets(stored, whole.Day(kDay)), IsEmpty());

    Row one = RandomRow();
    Accumulator late(hasher_);
    late.Add(one);
    ASSERT_OK(AddToDay(*session_, late, 9));
    ASSERT_OK_AND_ASSIGN(const DayDigest more, LoadDay(*session_, kDay));
    EXPECT_THAT(UnequalBuckets(more, whole.Day(kDay)), ElementsAre(BucketOf(one.object_id)));

    ASSERT_OK(RemoveDay(*session_, kDay));
    ASSERT_OK_AND_ASSIGN(const DayDigest removed, LoadDay(*session_, kDay));
    EXPECT_EQ(removed, DayDigest(kBuckets));
}

// Goal: limbs that are far beyond 32 bits are read back modulo 2^128.
// Method: limbs near the end of BIGINT, against 128-bit arithmetic done here.
TEST_F(DayDigestTest, NormalizesWideLimbs) {
    static constexpr mysql::Query kInsert{
        "test.insert", "INSERT INTO day_digest VALUES (?, 5, 0, 7, -3, ?, ?, ?, ?)"};
    const std::int64_t limbs[4] = {9'223'372'036'854'775'807, 9'000'000'000'000'000'001,
                                   8'888'888'888'888'888'888, 7'777'777'777'777'777'777};
    ASSERT_OK(session_->Execute(kInsert, kDay, limbs[0], limbs[1], limbs[2], limbs[3]));
    __extension__ using Wide = unsigned __int128;
    Wide expected = 0;
    for (int i = 0; i < 4; ++i) expected += static_cast<Wide>(limbs[i]) << (32 * i);
    ASSERT_OK_AND_ASSIGN(const DayDigest day, LoadDay(*session_, kDay));
    EXPECT_EQ(day[5].hash_sum, (Sum128{.high = static_cast<std::uint64_t>(expected >> 64),
                                       .low = static_cast<std::uint64_t>(expected)}));
    EXPECT_EQ(day[5].count, 7);
    EXPECT_EQ(day[5].signed_gross, -3);
}

// Goal: addition never wraps unseen.
TEST_F(DayDigestTest, OverflowIsRefused) {
    Accumulator first(hasher_);
    first.Add(RandomRow());
    ASSERT_OK(AddToDay(*session_, first, 0));
    static constexpr mysql::Query kFill{"test.fill",
                                        "UPDATE day_digest SET row_count = 9223372036854775807"};
    ASSERT_OK(session_->Execute(kFill));
    EXPECT_EQ(AddToDay(*session_, first, 0).code(), Code::kInternal);
}

// Goal: a bucket's digest is what its rows give, once by its key, and what others add meanwhile
// counts.
TEST_F(DayDigestTest, ABucketIsComputedAgain) {
    Accumulator rows(hasher_);
    const Row row = RandomRow();
    const int bucket = BucketOf(row.object_id);
    rows.Add(row);
    ASSERT_OK(AddToDay(*session_, rows, 1));
    ASSERT_OK(AddToDay(*session_, rows, 2));  // Counted twice: what is to be repaired.
    const BucketDigest right = rows.Day(kDay)[static_cast<std::size_t>(bucket)];
    const auto recompute = [&](std::string_view key, const BucketDigest& of_rows) {
        return RecomputeBucket(*session_, kDay, bucket, key, SystemClock().Now(),
                               [&]() -> Result<BucketDigest> { return of_rows; });
    };
    ASSERT_OK_AND_ASSIGN(const RecomputedBucket dry, recompute("", right));
    EXPECT_EQ(dry.before.count, 2);
    EXPECT_EQ(dry.after, right);
    ASSERT_OK_AND_ASSIGN(auto day, LoadDay(*session_, kDay));
    EXPECT_EQ(day[static_cast<std::size_t>(bucket)].count, 2) << "nothing was changed";

    EXPECT_THAT(recompute("r-1", right), testing::IsOkAnd(dry));
    ASSERT_OK_AND_ASSIGN(day, LoadDay(*session_, kDay));
    EXPECT_EQ(day[static_cast<std::size_t>(bucket)], right);
    ASSERT_OK(AddToDay(*session_, rows, 2));
    EXPECT_THAT(recompute("r-1", right), testing::IsOkAnd(dry)) << "the same tells what was done";
    ASSERT_OK_AND_ASSIGN(day, LoadDay(*session_, kDay));
    EXPECT_EQ(day[static_cast<std::size_t>(bucket)].count, 2);

    // A slot that came while the rows were read.
    const auto moved = RecomputeBucket(*session_, kDay, bucket, "r-2", SystemClock().Now(),
                                       [&]() -> Result<BucketDigest> {
                                           KESSAI_RETURN_IF_ERROR(AddToDay(*session_, rows, 7));
                                           return right;
                                       });
    EXPECT_THAT(moved.status(), testing::Refuses(Code::kAborted, "DIGEST_MOVED"));
    EXPECT_THAT(
        RecomputeBucket(*session_, kDay, (bucket + 1) % kBuckets, "r-1", SystemClock().Now(),
                        [&]() -> Result<BucketDigest> { return right; })
            .status(),
        testing::Refuses(Code::kAlreadyExists, "REPAIR_KEY_REUSED"));
    EXPECT_THAT(recompute("with blank", right).status(),
                testing::Refuses(Code::kInvalidArgument, "REPAIR_KEY_INVALID"));
}

}  // namespace
}  // namespace kessai::digest
