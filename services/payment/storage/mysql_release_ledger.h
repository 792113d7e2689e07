#pragma once

#include "app/release_ledger.h"
#include "storage/mysql_ledger_store.h"

namespace kessai::payment::storage {

class MysqlReleaseLedger final : public app::ReleaseLedger {
 public:
    /// Uses gate row `slot`. `store` must outlive it.
    MysqlReleaseLedger(MysqlLedgerStore& store, int slot) : store_(store), slot_(slot) {}

    Result<std::vector<app::ClearedRelease>> FindCleared(
        mysql::Session& session, std::span<const std::int64_t> object_ids) override;
    Status StoreCleared(mysql::Session& session, const app::ClearedRelease& release) override;
    Result<std::unique_ptr<app::LedgerTransaction>> Join(mysql::Session& session) override;
    Status StoreEntries(mysql::Session& session, std::span<const outbox::Entry> entries,
                        std::int64_t row_id) override;

 private:
    MysqlLedgerStore& store_;
    const int slot_;
};

}  // namespace kessai::payment::storage
