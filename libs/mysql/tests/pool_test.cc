#include "kessai/mysql/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "database_fixture.h"
#include "kessai/testing/tcp_proxy.h"

namespace kessai::mysql {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Refuses;

class PoolTest : public DatabaseFixture {
 protected:
    std::int64_t ConnectionOf(const Lease& lease) {
        return NumberFrom(*lease, "SELECT CONNECTION_ID()");
    }
    void Kill(std::int64_t connection) {
        auto admin = Session::Connect(schema_->admin_options());
        ASSERT_OK(admin);
        const std::string sql = "KILL " + std::to_string(connection);
        ASSERT_OK((*admin)->Execute(Query{"test.kill", sql}));
        // The server ends it in its own time.
        ASSERT_EVENTUALLY(NumberFrom(**admin,
                                     "SELECT COUNT(*) FROM information_schema.processlist "
                                     "WHERE id = " +
                                         std::to_string(connection)) == 0);
    }

    ManualClock clock_{Instant(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1))};
};

TEST_F(PoolTest, SessionsAreUsedAgain) {
    Pool pool(PoolOf(Options()));
    std::int64_t first = 0;
    for (int i = 0; i < 5; ++i) {
        ASSERT_OK_AND_ASSIGN(const Lease lease, pool.Acquire(seconds(1)));
        if (i == 0) first = ConnectionOf(lease);
        EXPECT_EQ(ConnectionOf(lease), first);
        EXPECT_EQ(pool.stats().in_use, 1);
    }
    const PoolStats stats = pool.stats();
    EXPECT_EQ(stats.opened_total, 1u);
    EXPECT_EQ(stats.idle, 1);
    EXPECT_EQ(stats.in_use, 0);
}

TEST_F(PoolTest, AnOpenTransactionIsRolledBackWhenTheLeaseEnds) {
    Pool pool(PoolOf(Options()));
    std::optional<Transaction> left_open;
    {
        ASSERT_OK_AND_ASSIGN(Lease lease, pool.Acquire(seconds(1)));
        ASSERT_OK_AND_ASSIGN(auto transaction, Transaction::Begin(*lease));
        ASSERT_OK(lease->Execute(kInsert, 1, 1));
        // Destroyed before the lease here; what counts is that the session comes back clean.
    }
    ASSERT_OK_AND_ASSIGN(Lease lease, pool.Acquire(seconds(1)));
    EXPECT_FALSE(lease->in_transaction());
    EXPECT_EQ(NumberFrom(*lease, "SELECT COUNT(*) FROM account"), 0);
}

// Goal: the bound holds, and who waits too long or behind too many is told so.
TEST_F(PoolTest, AnExhaustedPoolRefuses) {
    auto options = PoolOf(Options(), 2);
    options.waiters_max = 1;
    Pool pool(options);
    ASSERT_OK_AND_ASSIGN(std::optional<Lease> first, pool.Acquire(seconds(1)));
    ASSERT_OK_AND_ASSIGN(Lease second, pool.Acquire(seconds(1)));
    const auto exhausted = Refuses(Code::kResourceExhausted, reason::kPoolExhausted);
    EXPECT_THAT(pool.Acquire(Duration::zero()), exhausted);
    EXPECT_THAT(pool.Acquire(milliseconds(20)), exhausted);

    std::atomic<bool> served{false};
    std::thread waiter([&] {
        EXPECT_OK(pool.Acquire(seconds(60)));
        served = true;
    });
    ASSERT_EVENTUALLY(pool.stats().waiting == 1);
    EXPECT_THAT(pool.Acquire(seconds(60)), exhausted) << "one may wait, not two";
    EXPECT_FALSE(served);
    first.reset();
    waiter.join();
    EXPECT_TRUE(served);
    EXPECT_EQ(pool.stats().opened_total, 2u);
    EXPECT_EQ(pool.stats().exhausted_total, 3u);
}

TEST_F(PoolTest, AClosedPoolWakesItsWaitersAndRefuses) {
    Pool pool(PoolOf(Options(), 1));
    ASSERT_OK_AND_ASSIGN(std::optional<Lease> lease, pool.Acquire(seconds(1)));
    const auto closed = Refuses(Code::kFailedPrecondition, reason::kPoolClosed);
    std::thread waiter([&] { EXPECT_THAT(pool.Acquire(seconds(60)), closed); });
    ASSERT_EVENTUALLY(pool.stats().waiting == 1);
    pool.Close();
    waiter.join();
    EXPECT_THAT(pool.Acquire(seconds(1)), closed);
    EXPECT_EQ(NumberFrom(**lease, "SELECT 7"), 7);
    lease.reset();
    EXPECT_EQ(pool.stats().closed_total, 1u);
}

TEST_F(PoolTest, LeasesMayOutliveTheirPool) {
    auto pool = std::make_unique<Pool>(PoolOf(Options()));
    ASSERT_OK_AND_ASSIGN(Lease lease, pool->Acquire(seconds(1)));
    pool.reset();
    EXPECT_EQ(NumberFrom(*lease, "SELECT 7"), 7);
}

// Goal: a session that the server closed while it was idle is not given out.
TEST_F(PoolTest, SessionsAreValidatedAfterIdleness) {
    Pool pool(PoolOf(Options()), clock_);
    std::int64_t first = 0;
    {
        ASSERT_OK_AND_ASSIGN(const Lease lease, pool.Acquire(seconds(1)));
        first = ConnectionOf(lease);
    }
    Kill(first);
    clock_.Advance(seconds(3));
    ASSERT_OK_AND_ASSIGN(const Lease lease, pool.Acquire(seconds(1)));
    EXPECT_NE(ConnectionOf(lease), first);
    EXPECT_EQ(pool.stats().broken_total, 1u);
}

// Goal: after one loss every other idle session is validated, however briefly it was idle.
TEST_F(PoolTest, AfterALossAllSessionsAreValidated) {
    Pool pool(PoolOf(Options()), clock_);
    std::vector<std::int64_t> connections;
    {
        std::vector<Lease> leases;
        for (int i = 0; i < 3; ++i) {
            ASSERT_OK_AND_ASSIGN(Lease lease, pool.Acquire(seconds(1)));
            connections.push_back(ConnectionOf(lease));
            leases.push_back(std::move(lease));
        }
    }
    for (const auto connection : connections) Kill(connection);
    // The clock stands still: only the first session is found dead by its user.
    {
        ASSERT_OK_AND_ASSIGN(const Lease lease, pool.Acquire(seconds(1)));
        EXPECT_THAT(lease->Select(Query{"q", "SELECT 1"}),
                    Refuses(Code::kUnavailable, reason::kConnectionLost));
    }
    std::vector<Lease> leases;
    for (int i = 0; i < 3; ++i) {
        ASSERT_OK_AND_ASSIGN(Lease lease, pool.Acquire(seconds(1)));
        EXPECT_OK(lease->Select(Query{"q", "SELECT 1"}));
        leases.push_back(std::move(lease));
    }
    EXPECT_EQ(pool.stats().broken_total, 3u);
}

// Goal: addresses are looked up again: no session lives longer than its time, idle or in use.
TEST_F(PoolTest, OldSessionsAreReplaced) {
    Pool pool(PoolOf(Options()), clock_);
    std::int64_t first = 0;
    {
        ASSERT_OK_AND_ASSIGN(const Lease lease, pool.Acquire(seconds(1)));
        first = ConnectionOf(lease);
        clock_.Advance(minutes(16));
    }
    EXPECT_EQ(pool.stats().idle, 0);
    std::int64_t second = 0;
    {
        ASSERT_OK_AND_ASSIGN(const Lease lease, pool.Acquire(seconds(1)));
        second = ConnectionOf(lease);
        EXPECT_NE(second, first);
    }
    clock_.Advance(seconds(50));
    ASSERT_OK_AND_ASSIGN(const Lease lease, pool.Acquire(seconds(1)));
    EXPECT_NE(ConnectionOf(lease), second) << "idle for longer than idle_max";
}

// Goal: a failure to connect is told, and leaves no place in the pool taken.
TEST_F(PoolTest, AFailedConnectLeavesTheBoundAsItWas) {
    testing::TcpProxy proxy(schema_->options().host, schema_->options().port);
    auto options = Options();
    options.port = proxy.port();
    Pool pool(PoolOf(options, 1));
    proxy.Refuse(true);
    for (int i = 0; i < 5; ++i) {
        EXPECT_THAT(pool.Acquire(seconds(1)), Refuses(Code::kUnavailable, reason::kConnectionLost));
    }
    proxy.Refuse(false);
    EXPECT_OK(pool.Acquire(seconds(1)));
    EXPECT_EQ(pool.stats().in_use, 0);
    EXPECT_EQ(pool.stats().idle, 1);
}

// Goal: many threads on few sessions: the bound holds and each gets its turn.
TEST_F(PoolTest, ManyThreadsShareFewSessions) {
    Pool pool(PoolOf(Options(), 3));
    Run("INSERT INTO account VALUES (1, 0)");
    constexpr int kThreads = 12;
    constexpr int kRounds = 30;
    std::atomic<int> in_use{0};
    std::atomic<bool> above{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < kRounds; ++i) {
                auto lease = pool.Acquire(seconds(60));
                ASSERT_OK(lease);
                if (++in_use > 3) above = true;
                EXPECT_OK((*lease)->Execute(kAdd, 1, 1));
                --in_use;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_FALSE(above);
    EXPECT_EQ(Number("SELECT balance FROM account"), kThreads * kRounds);
    EXPECT_LE(pool.stats().opened_total, 3u);
}

}  // namespace
}  // namespace kessai::mysql
