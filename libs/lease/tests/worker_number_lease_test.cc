#include "kessai/lease/worker_number_lease.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <vector>

#include "kessai/testing/tcp_proxy.h"
#include "lease_fixture.h"

namespace kessai::lease {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Refuses;

WorkerNumberOptions Quick() {
    WorkerNumberOptions options;
    options.duration = milliseconds(600);
    options.renew_every = milliseconds(40);
    options.margin = milliseconds(100);
    options.ceiling_ahead = seconds(2);
    return options;
}

/// The wall clock is set by the test, and jumps; durations are real.
class JumpingClock final : public Clock {
 public:
    explicit JumpingClock(Instant start) : wall_(start) {}
    Instant Now() const override { return wall_.Now(); }
    SteadyInstant SteadyNow() const override { return SystemClock().SteadyNow(); }
    void SleepFor(Duration) const override { FAIL() << "the lease waits on its own"; }
    void Set(Instant to) { wall_.Set(to); }

 private:
    ManualClock wall_;
};

class WorkerNumberLeaseTest : public LeaseFixture {
 protected:
    /// Leaves only number 0 to be leased.
    void TakeAllButZero() {
        mysql::RowList rows;
        for (int i = 1; i < IdGenerator::kWorkers; ++i) {
            char name[32];
            std::snprintf(name, sizeof name, "worker/%04d", i);
            rows.Add(name, "somebody", 1, std::int64_t{4'000'000'000'000'000}, 0);
        }
        ASSERT_OK(session_->Execute(
            mysql::Query{"test.take",
                         "INSERT INTO lease (name, owner, fence, expires_at_us, data) "
                         "VALUES {rows}"},
            rows));
    }
    std::int64_t Ceiling(int number) {
        char name[32];
        std::snprintf(name, sizeof name, "worker/%04d", number);
        return Column("data", name);
    }
};

TEST_F(WorkerNumberLeaseTest, ProcessesGetDifferentNumbers) {
    std::vector<std::unique_ptr<WorkerNumberLease>> leases;
    std::set<int> numbers;
    for (int i = 0; i < 12; ++i) {
        leases.push_back(std::make_unique<WorkerNumberLease>(pool_, Quick()));
        ASSERT_OK(leases.back()->Start());
        EXPECT_TRUE(leases.back()->Held());
        numbers.insert(leases.back()->number());
        const auto ids = leases.back()->generator();
        EXPECT_EQ(IdGenerator::WorkerOf(ids->Next()), leases.back()->number());
        EXPECT_OK(leases.back()->Confirm(*ids));
    }
    EXPECT_EQ(numbers.size(), 12u);
}

TEST_F(WorkerNumberLeaseTest, WithoutAFreeNumberItIsRefused) {
    TakeAllButZero();
    WorkerNumberLease first(pool_, Quick());
    WorkerNumberLease second(pool_, Quick());
    ASSERT_OK(first.Start());
    EXPECT_THAT(second.Start(), Refuses(Code::kResourceExhausted, kNoFreeNumber));
    EXPECT_EQ(second.generator(), nullptr);
    first.Stop();
    EXPECT_OK(second.Start());
    EXPECT_EQ(second.number(), 0);
}

// Goal: no id may be committed that is above what is stored.
// Method: push the generator a day ahead by what it observes; it is refused until the renewal that
// the refusal asks for has stored a higher ceiling.
TEST_F(WorkerNumberLeaseTest, IdsBeyondTheStoredCeilingAreNotConfirmed) {
    auto options = Quick();
    // Renewed only when Confirm asks for it.
    options.duration = hours(1);
    options.renew_every = seconds(600);
    options.ceiling_ahead = seconds(1300);
    WorkerNumberLease lease(pool_, options);
    ASSERT_OK(lease.Start());
    const auto ids = lease.generator();
    ASSERT_OK(lease.Confirm(*ids));
    const std::int64_t before = Ceiling(lease.number());
    EXPECT_GE(before, ids->highest_ms());
    ids->Observe(IdGenerator::LowestAt(SystemClock().Now() + hours(24)));
    (void)ids->Next();
    EXPECT_THAT(lease.Confirm(*ids), Refuses(Code::kUnavailable, kNumberNotHeld));
    ASSERT_EVENTUALLY(lease.Confirm(*ids).ok());
    EXPECT_GE(Ceiling(lease.number()), ids->highest_ms());
    EXPECT_GT(Ceiling(lease.number()), before);
}

// Goal: after a clean stop the successor continues at the present, above what was used.
TEST_F(WorkerNumberLeaseTest, StopLeavesTheHighestTimeUsed) {
    TakeAllButZero();
    std::int64_t last = 0;
    for (int i = 0; i < 3; ++i) {
        WorkerNumberLease lease(pool_, Quick());
        ASSERT_OK(lease.Start());
        const auto ids = lease.generator();
        const std::int64_t id = ids->Next();
        EXPECT_GT(id, last);
        last = id;
        lease.Stop();
        EXPECT_EQ(Ceiling(0), ids->highest_ms());
        EXPECT_THAT(lease.Confirm(*ids), Refuses(Code::kUnavailable, kNumberNotHeld));
        EXPECT_LE(IdGenerator::TimeOf(id), SystemClock().Now() + milliseconds(10));
    }
}

// Goal: a holder that stood still while its number was taken over confirms nothing new, gets
// another number, and its ids go on rising.
TEST_F(WorkerNumberLeaseTest, ALostNumberIsReplaced) {
    WorkerNumberLease lease(pool_, Quick());
    ASSERT_OK(lease.Start());
    const auto old_ids = lease.generator();
    const std::int64_t last = old_ids->Next();
    const int old_number = lease.number();
    ASSERT_OK(
        session_->Execute(mysql::Query{"test.steal",
                                       "UPDATE lease SET owner = 'thief', fence = fence + 1, "
                                       "expires_at_us = 4000000000000000 WHERE owner <> ''"}));
    ASSERT_EVENTUALLY(lease.number() != old_number);
    EXPECT_THAT(lease.Confirm(*old_ids), Refuses(Code::kUnavailable, kNumberNotHeld));
    const auto ids = lease.generator();
    const std::int64_t next = ids->Next();
    EXPECT_GT(next, last);
    EXPECT_EQ(IdGenerator::WorkerOf(next), lease.number());
    EXPECT_OK(lease.Confirm(*ids));
}

// Goal: no id is committed twice, whatever happens to processes and their clocks.
// Method: one number, and one process after another on it: each makes ids and commits those that
// are confirmed (into a table whose primary key would refuse a repetition), its clock jumping
// minutes back and forth, observing foreign ids; then it is cut off from the database and "dies"
// without a word, in mid-renewal or not. The seed is printed.
TEST_F(WorkerNumberLeaseTest, NoIdIsCommittedTwice) {
    TakeAllButZero();
    ASSERT_OK(session_->Execute(
        mysql::Query{"test.create", "CREATE TABLE committed (id BIGINT PRIMARY KEY)"}));
    const unsigned seed = std::random_device{}();
    RecordProperty("seed", std::to_string(seed));
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    // To few moments, so that ids made twice would be the same ids.
    const auto jump = [&] { return seconds(100 * (static_cast<int>(random() % 7) - 3)); };
    Instant start = SystemClock().Now();

    int confirmed = 0;
    int refused = 0;
    for (int process = 0; process < 10; ++process) {
        // Each has some time that no id is of yet, and some that its predecessors used.
        start += seconds(200);
        testing::TcpProxy proxy(schema_->options().host, schema_->options().port);
        auto options = Options();
        options.connect.port = proxy.port();
        mysql::Pool pool(options);
        JumpingClock clock(start + jump());
        WorkerNumberLease lease(pool, Quick(), clock);
        ASSERT_EVENTUALLY(lease.Start().ok());
        for (int batch = 0; batch < 12; ++batch) {
            if (random() % 3 == 0) clock.Set(start + jump());
            const auto ids = lease.generator();
            if (random() % 5 == 0) ids->Observe(IdGenerator::LowestAt(start + jump()));
            mysql::RowList rows;
            for (int i = 0; i < 50; ++i) rows.Add(ids->Next());
            if (random() % 4 == 0) proxy.LoseReplyTo("GREATEST");
            if (!lease.Confirm(*ids).ok()) {
                ++refused;
                // As an executor does: these ids are given up, the next batch comes later.
                (void)testing::Eventually([&] { return lease.Confirm(*ids).ok(); },
                                          milliseconds(static_cast<int>(random() % 200)));
                continue;
            }
            ++confirmed;
            ASSERT_OK(session_->Execute(
                mysql::Query{"test.commit", "INSERT INTO committed VALUES {rows}"}, rows));
        }
        proxy.Refuse(true);
        proxy.CutAll();
    }
    EXPECT_GT(confirmed, 0);
    EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace kessai::lease
