// Goal: a process may start before its database can give it a worker number; it says that it is not
// ready, goes on asking, and then makes ids that may be committed.
// Method: all numbers of a real table are taken, until one is given back.
#include "kessai/lease/leased_ids.h"

#include <gtest/gtest.h>

#include <atomic>

#include "kessai/testing/eventually.h"
#include "lease_fixture.h"

namespace kessai::lease {
namespace {

using testing::IsOk;
using testing::Refuses;

class LeasedIdsTest : public LeaseFixture {
 protected:
    void Run(std::string_view sql) { ASSERT_OK(session_->Execute(mysql::Query{"test.run", sql})); }
};

TEST_F(LeasedIdsTest, WaitsForANumberAndThenMakesIds) {
    mysql::RowList rows;
    for (int i = 0; i < IdGenerator::kWorkers; ++i) {
        char name[32];
        std::snprintf(name, sizeof name, "worker/%04d", i);
        rows.Add(name, "somebody", 1, std::int64_t{4'000'000'000'000'000}, 0);
    }
    ASSERT_OK(session_->Execute(
        mysql::Query{"test.take",
                     "INSERT INTO lease (name, owner, fence, expires_at_us, data) VALUES {rows}"},
        rows));
    std::atomic<int> failures = 0;
    LeasedIds ids(pool_, SystemClock(), [&](const Status&) { ++failures; });
    EXPECT_THAT(ids.Ready(), Refuses(Code::kUnavailable, kNumberNotHeld));
    ids.Start();
    ASSERT_EVENTUALLY(failures > 0);
    EXPECT_THAT(ids.Ready(), Refuses(Code::kUnavailable, kNumberNotHeld));
    EXPECT_THAT(ids.Current(), Refuses(Code::kUnavailable, kNumberNotHeld));
    EXPECT_THAT(ids.Next(), Refuses(Code::kUnavailable, kNumberNotHeld));
    EXPECT_EQ(ids.generator(), nullptr);

    Run("DELETE FROM lease WHERE name = 'worker/0007'");
    ASSERT_EVENTUALLY(ids.Ready().ok());
    ASSERT_OK_AND_ASSIGN(const std::int64_t first, ids.Next());
    ASSERT_OK_AND_ASSIGN(const std::int64_t second, ids.Next());
    EXPECT_LT(first, second);
    ASSERT_OK_AND_ASSIGN(const auto generator, ids.Current());
    EXPECT_GT(generator->Next(), second);
    EXPECT_THAT(ids.Confirm(*generator), IsOk());

    ids.Stop();
    EXPECT_THAT(ids.Ready(), Refuses(Code::kUnavailable, kNumberNotHeld));
}

}  // namespace
}  // namespace kessai::lease
