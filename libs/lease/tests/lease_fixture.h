#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

#include "kessai/lease/lease_table.h"
#include "kessai/mysql/migration.h"
#include "kessai/mysql/pool.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/mysql_server.h"

namespace kessai::lease {

/// A schema with the lease table.
class LeaseFixture : public ::testing::Test {
 protected:
    LeaseFixture() : schema_(testing::MysqlServer::Shared().CreateSchema()), pool_(Options()) {
        session_ = Connect();
        const std::array sets{Migrations()};
        EXPECT_OK(mysql::Migrate(*session_, sets));
    }

    mysql::PoolOptions Options() const {
        mysql::PoolOptions options;
        options.connect = schema_->options();
        options.connect.lock_wait_timeout_s = 1;
        options.sessions_max = 64;
        return options;
    }
    std::unique_ptr<mysql::Session> Connect() const {
        auto session = mysql::Session::Connect(Options().connect);
        EXPECT_OK(session);
        return std::move(session).value();
    }
    /// One number out of the row of a lease.
    std::int64_t Column(const std::string& column, const std::string& name) {
        const std::string sql = "SELECT " + column + " FROM lease WHERE name = ?";
        auto rows = session_->Select(mysql::Query{"test.column", sql}, name);
        EXPECT_OK(rows);
        return rows->Next() ? rows->Int(0) : -1;
    }

    std::unique_ptr<testing::MysqlSchema> schema_;
    mysql::Pool pool_;
    std::unique_ptr<mysql::Session> session_;
};

}  // namespace kessai::lease
