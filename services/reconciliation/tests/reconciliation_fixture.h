#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <span>

#include "app/match_changes.h"
#include "kessai/digest/store.h"
#include "kessai/lease/lease_table.h"
#include "kessai/lease/leased_ids.h"
#include "kessai/mysql/migration.h"
#include "kessai/mysql/pool.h"
#include "kessai/outbox/outbox_table.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/mysql_server.h"
#include "kessai/time/clock.h"
#include "storage/migrations.h"
#include "storage/mysql_books.h"
#include "tests/claims.h"

namespace kessai::reconciliation::testing {

/// A migrated schema of its own in a real MariaDB, with a pool and leased ids.
class ReconciliationSchema {
 public:
    ReconciliationSchema()
        : schema_(kessai::testing::MysqlServer::Shared().CreateSchema()),
          pool_({.connect = schema_->options()}) {
        auto session = pool_.Acquire(std::chrono::seconds(5));
        KESSAI_CHECK(session.ok(), session.status().ToString());
        const std::array sets{storage::Migrations(), digest::Migrations(), outbox::Migrations(),
                              lease::Migrations()};
        const Status migrated = mysql::Migrate(**session, sets);
        KESSAI_CHECK(migrated.ok(), migrated.ToString());
        ids_ = std::make_unique<lease::LeasedIds>(pool_, SystemClock(), [](const Status&) {});
        ids_->Start();
        KESSAI_CHECK(kessai::testing::Eventually([this] { return ids_->Ready().ok(); }),
                     "ids come");
        transactions_ =
            std::make_unique<storage::MysqlTransactions>(pool_, *ids_, SystemClock(), chain_);
    }
    ~ReconciliationSchema() { ids_->Stop(); }

    mysql::Pool& pool() { return pool_; }
    const mysql::ConnectOptions& options() const { return schema_->options(); }
    lease::LeasedIds& ids() { return *ids_; }
    app::Transactions& transactions() { return *transactions_; }
    storage::MysqlRunLeases& leases() { return leases_; }
    const storage::AuditChain& chain() const { return chain_; }

    /// One number, for looking into tables.
    std::int64_t Count(std::string_view sql) {
        auto session = pool_.Acquire(std::chrono::seconds(5));
        KESSAI_CHECK(session.ok(), session.status().ToString());
        auto rows = (*session)->Select(mysql::Query{"test.count", sql});
        KESSAI_CHECK(rows.ok(), rows.status().ToString());
        KESSAI_CHECK(rows->Next(), "a count is one row");
        return rows->Int(0);
    }
    void Execute(std::string_view sql) {
        auto session = pool_.Acquire(std::chrono::seconds(5));
        KESSAI_CHECK(session.ok(), session.status().ToString());
        const auto done = (*session)->Execute(mysql::Query{"test.execute", sql});
        KESSAI_CHECK(done.ok(), done.status().ToString());
    }

 private:
    std::unique_ptr<kessai::testing::MysqlSchema> schema_;
    mysql::Pool pool_;
    std::unique_ptr<lease::LeasedIds> ids_;
    const storage::AuditChain chain_{storage::AuditChain::Key{1, 2, 3}};
    std::unique_ptr<storage::MysqlTransactions> transactions_;
    storage::MysqlRunLeases leases_{pool_, SystemClock()};
};

}  // namespace kessai::reconciliation::testing
