#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/batch_executor.h"
#include "app/execute_batch.h"
#include "app/merchant_cache.h"
#include "kessai/digest/row_hash.h"
#include "kessai/digest/store.h"
#include "kessai/lease/lease_table.h"
#include "kessai/mysql/migration.h"
#include "kessai/mysql/pool.h"
#include "kessai/outbox/outbox_table.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/mysql_server.h"
#include "storage/migrations.h"
#include "storage/mysql_day_store.h"
#include "storage/mysql_ledger_store.h"
#include "storage/mysql_payment_reader.h"

namespace kessai::payment {

/// An event is its change's object and version: enough to count what was published.
class PlainEncoder final : public app::EventEncoder {
 public:
    std::string Encode(const domain::Change& change) const override {
        return std::to_string(change.object) + "/" + std::to_string(change.version);
    }
};

/// One generator, always held. Whoever makes ids beside another needs a worker number of its own.
class FixedIds final : public app::IdLease {
 public:
    explicit FixedIds(int worker = 1)
        : generator_(std::make_shared<IdGenerator>(worker, SystemClock())) {}
    std::shared_ptr<IdGenerator> Current() override { return generator_; }
    Status Confirm(const IdGenerator&) override { return OkStatus(); }

 private:
    const std::shared_ptr<IdGenerator> generator_;
};

class CountingObserver final : public app::ExecutorObserver {
 public:
    void OnBatch(std::size_t commands, std::size_t, std::size_t rows_recalled, Duration) override {
        const std::lock_guard lock(mutex_);
        ++batches;
        recalled += rows_recalled;
        largest_batch = std::max(largest_batch, commands);
    }
    void OnRetry(const Status& why) override {
        const std::lock_guard lock(mutex_);
        retries.push_back(why.ToString());
    }
    void OnGuessedWrong(const Status& why) override {
        const std::lock_guard lock(mutex_);
        guessed_wrong.push_back(why.ToString());
    }
    void OnSplit() override {
        const std::lock_guard lock(mutex_);
        ++splits;
    }
    void OnDropped() override {
        const std::lock_guard lock(mutex_);
        ++dropped;
    }
    void OnFailed(const Status& why) override {
        const std::lock_guard lock(mutex_);
        failed.push_back(why.ToString());
    }

    int batches = 0;
    int splits = 0;
    int dropped = 0;
    std::size_t largest_batch = 0;
    std::size_t recalled = 0;
    std::vector<std::string> guessed_wrong;
    std::vector<std::string> retries;
    std::vector<std::string> failed;

 private:
    std::mutex mutex_;
};

/// Gathers outcomes by tag, and waits for them.
class Gathered final : public app::ReplySink {
 public:
    void Deliver(std::uint64_t tag, Result<domain::Outcome> outcome) override {
        const std::lock_guard lock(mutex_);
        outcomes_.emplace_back(tag, std::move(outcome));
        arrived_.notify_all();
    }
    void Flush() override {}

    /// By tag. Fails the test when they do not all come.
    std::vector<Result<domain::Outcome>> Wait(std::size_t count) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(arrived_.wait_for(lock, std::chrono::seconds(60),
                                      [&] { return outcomes_.size() >= count; }));
        EXPECT_EQ(outcomes_.size(), count);
        std::sort(outcomes_.begin(), outcomes_.end(),
                  [](const auto& a, const auto& b) { return a.first < b.first; });
        std::vector<Result<domain::Outcome>> sorted;
        for (auto& [tag, outcome] : outcomes_) sorted.push_back(std::move(outcome));
        return sorted;
    }

 private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<std::pair<std::uint64_t, Result<domain::Outcome>>> outcomes_;
};

/// A migrated schema on a real MariaDB, and executors over it.
class LedgerTest : public ::testing::Test {
 protected:
    static constexpr domain::MerchantId kMerchant{7};

    LedgerTest()
        : schema_(testing::MysqlServer::Shared().CreateSchema()),
          pool_(mysql::PoolOptions{.connect = schema_->options(), .sessions_max = 16}),
          store_(pool_),
          reader_(pool_),
          days_(pool_, hasher_),
          merchants_(std::chrono::seconds(60), 100, SystemClock()) {
        policy_.development_funding = true;
        const mysql::MigrationSet sets[] = {lease::Migrations(), outbox::Migrations(),
                                            digest::Migrations(), storage::Migrations()};
        auto session = pool_.Acquire(std::chrono::seconds(5));
        KESSAI_CHECK(session.ok(), session.status().ToString());
        const Status migrated = mysql::Migrate(**session, sets);
        KESSAI_CHECK(migrated.ok(), migrated.ToString());
        const Status put = reader_.PutMerchant({kMerchant, "Kissa", false, true});
        KESSAI_CHECK(put.ok(), put.ToString());
    }

    /// What makes the events.
    virtual const app::EventEncoder& encoder() const { return encoder_; }
    app::BatchServices Services() { return {merchants_, ids_, encoder(), policy_}; }

    app::BatchExecutor& Start(app::ExecutorOptions options) {
        executors_.push_back(std::make_unique<app::BatchExecutor>(options, store_, Services(),
                                                                  SystemClock(), observer_));
        executors_.back()->Start();
        return *executors_.back();
    }

    std::vector<Result<domain::Outcome>> Execute(app::BatchExecutor& executor,
                                                 std::vector<domain::Command> commands,
                                                 Duration timeout = std::chrono::seconds(30)) {
        const auto reply = std::make_shared<Gathered>();
        std::vector<app::Submission> submissions;
        for (std::size_t i = 0; i < commands.size(); ++i) {
            submissions.push_back(
                {std::move(commands[i]), SystemClock().SteadyNow() + timeout, "", reply, i});
        }
        executor.Submit(submissions);
        return reply->Wait(commands.size());
    }
    Result<domain::Outcome> ExecuteOne(app::BatchExecutor& executor, domain::Command command) {
        return Execute(executor, {std::move(command)}).front();
    }

    static domain::CreateCode Order(const std::string& id, std::int64_t amount,
                                    std::uint32_t salt = 1) {
        domain::CreateCode command;
        command.merchant = kMerchant;
        command.merchant_payment_id = id;
        command.amount = Yen(amount);
        command.salt = salt;
        return command;
    }
    static const domain::Payment& PaymentOf(const Result<domain::Outcome>& outcome) {
        return std::get<domain::PaymentOutcome>(outcome.value()).payment;
    }
    static domain::PayCode Pay(const domain::Payment& payment, domain::UserId user) {
        return {user, {payment.id, payment.code_salt}, payment.amount};
    }
    void GivenBalance(app::BatchExecutor& executor, domain::UserId user, std::int64_t amount) {
        ASSERT_OK(ExecuteOne(executor, domain::OpenWallet{user}));
        ASSERT_OK(
            ExecuteOne(executor, domain::TopUpWallet{user, "given", Yen(amount), "development"}));
    }

    std::int64_t Number(std::string_view sql) {
        auto session = pool_.Acquire(std::chrono::seconds(5)).value();
        auto rows = session->Select(mysql::Query{"test.number", sql}).value();
        KESSAI_CHECK(rows.Next(), "one row");
        return rows.IsNull(0) ? 0 : rows.Int(0);
    }
    /// As the administrator of the schema.
    void Run(std::string_view sql) {
        auto session = mysql::Session::Connect(schema_->admin_options()).value();
        const auto done = session->Execute(mysql::Query{"test.run", sql});
        KESSAI_CHECK(done.ok(), done.status().ToString());
    }
    /// M1, M2 and M3 over the whole schema.
    void ExpectBooksBalance() {
        EXPECT_EQ(Number(R"sql(SELECT COUNT(*) FROM (SELECT object_id, version FROM posting
                     GROUP BY object_id, version, currency HAVING SUM(amount) <> 0) AS broken)sql"),
                  0);
        EXPECT_EQ(Number(R"sql(SELECT COUNT(*) FROM account LEFT JOIN
                     (SELECT kind, owner_id, SUM(amount) AS total FROM posting
                      GROUP BY kind, owner_id) AS sums USING (kind, owner_id)
                     WHERE balance <> COALESCE(total, 0) OR balance < 0)sql"),
                  0);
        EXPECT_EQ(Number("SELECT COUNT(*) FROM journal"),
                  Number("SELECT COUNT(DISTINCT object_id, version) FROM posting"));
    }

    std::unique_ptr<testing::MysqlSchema> schema_;
    mysql::Pool pool_;
    storage::MysqlLedgerStore store_;
    storage::MysqlPaymentReader reader_;
    const digest::RowHasher hasher_{digest::RowHasher::Key{1, 2, 3}};
    storage::MysqlDayStore days_;
    app::MerchantCache merchants_;
    FixedIds ids_;
    PlainEncoder encoder_;
    domain::Policy policy_;
    CountingObserver observer_;
    std::vector<std::unique_ptr<app::BatchExecutor>> executors_;
};

}  // namespace kessai::payment
