#include "kessai/mysql/transaction.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "database_fixture.h"
#include "kessai/testing/tcp_proxy.h"

namespace kessai::mysql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Refuses;

using TransactionTest = DatabaseFixture;

TEST_F(TransactionTest, WhatIsNotCommittedIsRolledBack) {
    auto session = Connect();
    {
        ASSERT_OK_AND_ASSIGN(auto transaction, Transaction::Begin(*session));
        EXPECT_TRUE(session->in_transaction());
        ASSERT_OK(session->Execute(kInsert, 1, 100));
        EXPECT_EQ(NumberFrom(*session, "SELECT COUNT(*) FROM account"), 1);
        EXPECT_EQ(Number("SELECT COUNT(*) FROM account"), 0);
    }
    EXPECT_FALSE(session->in_transaction());
    EXPECT_EQ(NumberFrom(*session, "SELECT COUNT(*) FROM account"), 0);
    {
        ASSERT_OK_AND_ASSIGN(auto transaction, Transaction::Begin(*session));
        ASSERT_OK(session->Execute(kInsert, 1, 100));
        ASSERT_OK(transaction.Commit());
    }
    EXPECT_EQ(Number("SELECT COUNT(*) FROM account"), 1);
    // Outside of a transaction a statement commits itself again.
    ASSERT_OK(session->Execute(kInsert, 2, 100));
    EXPECT_EQ(Number("SELECT COUNT(*) FROM account"), 2);
}

TEST_F(TransactionTest, MovedTransactionsAreRolledBackOnce) {
    auto session = Connect();
    ASSERT_OK_AND_ASSIGN(auto first, Transaction::Begin(*session));
    ASSERT_OK(session->Execute(kInsert, 1, 100));
    {
        Transaction second = std::move(first);
        EXPECT_TRUE(session->in_transaction());
    }
    EXPECT_FALSE(session->in_transaction());
    first.Rollback();
    EXPECT_EQ(Number("SELECT COUNT(*) FROM account"), 0);
}

TEST_F(TransactionTest, AnEmptyTransactionCommits) {
    auto session = Connect();
    ASSERT_OK_AND_ASSIGN(auto transaction, Transaction::Begin(*session));
    EXPECT_OK(transaction.Commit());
    ASSERT_OK_AND_ASSIGN(transaction, Transaction::Begin(*session));
}

// Goal: nothing runs outside of a transaction that the server has given up.
// Method: let a statement time out on another's lock, then try to go on.
TEST_F(TransactionTest, AfterAnAbortOnlyRollbackIsLeft) {
    Run("INSERT INTO account VALUES (1, 0)");
    auto holder = Connect();
    ASSERT_OK_AND_ASSIGN(auto holding, Transaction::Begin(*holder));
    ASSERT_OK(holder->Execute(kAdd, 1, 1));

    auto session = Connect();
    {
        ASSERT_OK_AND_ASSIGN(auto transaction, Transaction::Begin(*session));
        ASSERT_OK(session->Execute(kInsert, 2, 0));
        const auto aborted = Refuses(Code::kAborted, reason::kLockTimeout);
        EXPECT_THAT(session->Execute(kAdd, 1, 1), aborted);
        EXPECT_THAT(session->Execute(kInsert, 3, 0), aborted);
        EXPECT_THAT(session->Select(Query{"q", "SELECT 1"}), aborted);
        EXPECT_THAT(transaction.Commit(), aborted);
    }
    EXPECT_TRUE(session->usable());
    EXPECT_EQ(NumberFrom(*session, "SELECT COUNT(*) FROM account"), 1);
}

// Goal: a deadlock is a refusal that says "again", and again it goes well.
// Method: two transactions lock two rows in opposite order, each after the other has its first.
TEST_F(TransactionTest, ADeadlockIsRunAgain) {
    Run("INSERT INTO account VALUES (1, 0), (2, 0)");
    Pool pool(PoolOf(Options()));
    std::barrier both_hold_one(2);
    std::atomic<int> attempts{0};
    std::atomic<int> deadlocks{0};
    const auto move = [&](int from, int to) {
        bool first = true;
        const Status status = InTransaction(pool, RetryPolicy{}, [&](Session& session) -> Status {
            ++attempts;
            KESSAI_RETURN_IF_ERROR(session.Execute(kAdd, -5, from));
            if (std::exchange(first, false)) both_hold_one.arrive_and_wait();
            const Status added = session.Execute(kAdd, 5, to).status();
            if (added.reason() == reason::kDeadlock) ++deadlocks;
            return added;
        });
        EXPECT_OK(status);
    };
    std::thread there([&] { move(1, 2); });
    move(2, 1);
    there.join();
    EXPECT_EQ(deadlocks, 1);
    EXPECT_EQ(attempts, 3);
    EXPECT_EQ(Number("SELECT SUM(balance) FROM account WHERE balance = 0"), 0);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM account WHERE balance = 0"), 2);
}

TEST_F(TransactionTest, ARefusalOfTheWorkIsReturnedAndRolledBack) {
    Pool pool(PoolOf(Options()));
    int attempts = 0;
    const Status status = InTransaction(pool, RetryPolicy{}, [&](Session& session) -> Status {
        ++attempts;
        KESSAI_RETURN_IF_ERROR(session.Execute(kInsert, 1, 1));
        return Status(Code::kFailedPrecondition, "NOT_TODAY", "no");
    });
    EXPECT_THAT(status, Refuses(Code::kFailedPrecondition, "NOT_TODAY"));
    EXPECT_EQ(attempts, 1);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM account"), 0);
}

TEST_F(TransactionTest, AttemptsAndTimeAreBounded) {
    Pool pool(PoolOf(Options()));
    RetryPolicy policy;
    policy.attempts_max = 3;
    policy.backoff_first = milliseconds(1);
    int attempts = 0;
    const auto work = [&](Session&) {
        ++attempts;
        return Status(Code::kAborted, "AGAIN", "again");
    };
    EXPECT_THAT(InTransaction(pool, policy, work), Refuses(Code::kAborted, "AGAIN"));
    EXPECT_EQ(attempts, 3);

    policy.attempts_max = 1'000'000;
    policy.deadline = SystemClock().SteadyNow() + milliseconds(100);
    EXPECT_THAT(InTransaction(pool, policy, work), Refuses(Code::kAborted, "AGAIN"));
    EXPECT_LT(attempts, 1000);

    std::stop_source stop;
    policy.deadline.reset();
    policy.backoff_first = policy.backoff_max = seconds(600);
    policy.stop = stop.get_token();
    std::thread stopper([&] { stop.request_stop(); });
    EXPECT_THAT(InTransaction(pool, policy, work), Refuses(Code::kAborted, "AGAIN"));
    stopper.join();
}

/// The pool's connections go through a proxy; `direct_` does not.
class LostConnectionTest : public DatabaseFixture {
 protected:
    LostConnectionTest() : proxy_(schema_->options().host, schema_->options().port) {
        auto options = Options();
        options.port = proxy_.port();
        options.read_timeout = seconds(2);
        pool_ = std::make_unique<Pool>(PoolOf(options));
        // Connect now: setting READ COMMITTED is not the COMMIT that the tests wait for.
        EXPECT_OK(pool_->Acquire(seconds(1)));
    }
    Status InsertOne(const RetryPolicy& policy, int* attempts = nullptr) {
        return InTransaction(*pool_, policy, [&](Session& session) -> Status {
            if (attempts != nullptr) ++*attempts;
            return session
                .Execute(Query{"account.insert_once", "INSERT IGNORE INTO account VALUES (1, 1)"})
                .status();
        });
    }

    testing::TcpProxy proxy_;
    std::unique_ptr<Pool> pool_;
};

// Goal: the caller is told that it cannot know, and it is not run again behind its back.
// Method: a proxy passes COMMIT on and drops the answer: it was stored.
TEST_F(LostConnectionTest, ALostCommitReplyIsUnknown) {
    proxy_.LoseReplyTo("COMMIT");
    int attempts = 0;
    EXPECT_THAT(InsertOne(RetryPolicy{}, &attempts),
                Refuses(Code::kUnknown, reason::kCommitUnknown));
    EXPECT_EQ(attempts, 1);
    EXPECT_EQ(proxy_.cuts(), 1);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM account"), 1);
    // The pool goes on with another connection.
    EXPECT_OK(InsertOne(RetryPolicy{}));
    EXPECT_EQ(pool_->stats().broken_total, 1u);
}

TEST_F(LostConnectionTest, ALostCommitRequestIsUnknownToo) {
    proxy_.LoseRequest("COMMIT");
    EXPECT_THAT(InsertOne(RetryPolicy{}), Refuses(Code::kUnknown, reason::kCommitUnknown));
    EXPECT_EQ(Number("SELECT COUNT(*) FROM account"), 0);
}

TEST_F(LostConnectionTest, IdempotentWorkMayBeRunAgain) {
    for (const bool stored : {false, true}) {
        ASSERT_OK(pool_->Acquire(seconds(1)));
        if (stored) {
            proxy_.LoseReplyTo("COMMIT");
        } else {
            proxy_.LoseRequest("COMMIT");
        }
        RetryPolicy policy;
        policy.rerun_unknown = true;
        int attempts = 0;
        EXPECT_OK(InsertOne(policy, &attempts));
        EXPECT_EQ(attempts, 2);
        EXPECT_EQ(Number("SELECT COUNT(*) FROM account"), 1);
    }
}

TEST_F(LostConnectionTest, ABatchThatCommitsIsUnknown) {
    auto session = pool_->Acquire(seconds(1));
    ASSERT_OK(session);
    ASSERT_OK_AND_ASSIGN(auto transaction, Transaction::Begin(**session));
    StatementBatch batch("account.batch");
    ASSERT_OK(batch.Add(kInsert, 1, 1));
    proxy_.LoseReplyTo("COMMIT");
    // The server answers each statement: whether it came to the COMMIT is not known here either.
    EXPECT_THAT(transaction.CommitWith(batch), Refuses(Code::kUnknown, reason::kCommitUnknown));
}

// Goal: lost before the commit, nothing is stored, and it runs again.
TEST_F(LostConnectionTest, ALossInsideATransactionRunsAgain) {
    int attempts = 0;
    proxy_.LoseReplyTo("INSERT IGNORE");
    EXPECT_OK(InsertOne(RetryPolicy{}, &attempts));
    EXPECT_EQ(attempts, 2);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM account"), 1);
}

TEST_F(LostConnectionTest, AStatementThatCommitsItselfIsUnknown) {
    ASSERT_OK_AND_ASSIGN(auto session, pool_->Acquire(seconds(1)));
    proxy_.LoseReplyTo("INSERT INTO account");
    EXPECT_THAT(session->Execute(kInsert, 1, 1), Refuses(Code::kUnknown, reason::kCommitUnknown));
    EXPECT_FALSE(session->usable());
    EXPECT_THAT(session->Select(Query{"q", "SELECT 1"}),
                Refuses(Code::kUnavailable, reason::kConnectionLost));
    EXPECT_THAT(Transaction::Begin(*session), Refuses(Code::kUnavailable, reason::kConnectionLost));
}

// Goal: a server that accepts and never answers is given up after the read time-out.
TEST_F(LostConnectionTest, ASilentServerIsGivenUp) {
    ASSERT_OK_AND_ASSIGN(auto session, pool_->Acquire(seconds(1)));
    proxy_.Freeze(true);
    const SteadyInstant begin = SystemClock().SteadyNow();
    EXPECT_THAT(session->Select(Query{"q", "SELECT 1"}),
                Refuses(Code::kUnavailable, reason::kConnectionLost));
    const auto took = SystemClock().SteadyNow() - begin;
    EXPECT_GE(took, milliseconds(1500));
    EXPECT_LT(took, seconds(20));
    proxy_.Freeze(false);
}

// Goal: connecting is bounded too, though somebody accepts and then says nothing.
TEST_F(LostConnectionTest, ASilentServerIsGivenUpWhileConnecting) {
    proxy_.Freeze(true);
    auto options = Options();
    options.port = proxy_.port();
    options.connect_timeout = seconds(1);
    options.read_timeout = seconds(60);
    const SteadyInstant begin = SystemClock().SteadyNow();
    EXPECT_THAT(Session::Connect(options), Refuses(Code::kUnavailable, reason::kConnectionLost));
    EXPECT_LT(SystemClock().SteadyNow() - begin, seconds(20));
    proxy_.Freeze(false);
}

// Goal: rows that end with a lost connection are not taken for the whole result.
TEST_F(LostConnectionTest, AStreamCutShortIsNotItsEnd) {
    Run("INSERT INTO account SELECT seq, 0 FROM seq_1_to_200000");
    ASSERT_OK_AND_ASSIGN(auto session, pool_->Acquire(seconds(1)));
    std::size_t count = 0;
    {
        ASSERT_OK_AND_ASSIGN(auto rows, session->SelectStreamed(Query{
                                            "account.all", "SELECT id, balance FROM account"}));
        while (rows.Next()) {
            if (++count == 1000) proxy_.CutAll();
        }
        EXPECT_THAT(rows.status(), Refuses(Code::kUnavailable, reason::kConnectionLost));
    }
    EXPECT_LT(count, 200'000u);
    EXPECT_FALSE(session->usable());
}

}  // namespace
}  // namespace kessai::mysql
