#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "kessai/mysql/error.h"
#include "kessai/mysql/pool.h"
#include "kessai/mysql/session.h"
#include "kessai/mysql/transaction.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/mysql_server.h"

namespace kessai::mysql {

/// A schema on the shared server with a small table of accounts.
class DatabaseFixture : public ::testing::Test {
 protected:
    DatabaseFixture() : DatabaseFixture(testing::MysqlServer::Shared()) {}
    explicit DatabaseFixture(testing::MysqlServer& server) : schema_(server.CreateSchema()) {
        direct_ = Connect();
        Run("CREATE TABLE account (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL)");
    }

    ConnectOptions Options() const {
        ConnectOptions options = schema_->options();
        options.lock_wait_timeout_s = 1;
        return options;
    }
    PoolOptions PoolOf(ConnectOptions connect, int sessions_max = 4) const {
        PoolOptions options;
        options.connect = std::move(connect);
        options.sessions_max = sessions_max;
        return options;
    }
    std::unique_ptr<Session> Connect() const {
        auto session = Session::Connect(Options());
        EXPECT_OK(session);
        return std::move(session).value();
    }
    void Run(std::string_view sql) { ASSERT_OK(direct_->Execute(Query{"test.run", sql})); }
    /// Through the connection that no test disturbs.
    std::int64_t Number(std::string_view sql) { return NumberFrom(*direct_, sql); }
    static std::int64_t NumberFrom(Session& session, std::string_view sql) {
        auto rows = session.Select(Query{"test.number", sql});
        EXPECT_OK(rows);
        return rows.ok() && rows->Next() ? rows->Int(0) : -1;
    }

    static constexpr Query kInsert{"account.insert", "INSERT INTO account VALUES (?, ?)"};
    static constexpr Query kAdd{"account.add",
                                "UPDATE account SET balance = balance + ? WHERE id = ?"};

    std::unique_ptr<testing::MysqlSchema> schema_;
    std::unique_ptr<Session> direct_;
};

}  // namespace kessai::mysql
