#pragma once

#include "app/release_ledger.h"
#include "storage/mysql_ledger_store.h"

namespace kessai::payment::storage {

class MysqlReleaseLedger final : public app::ReleaseLedger {
 public:
    /// Uses gate row `slot`. `store` must outlive it.
    MysqlReleaseLedger(MysqlLedgerStore& store, int slot) : store_(store), slot_(slot) {}

    Status FindEffects(mysql::Session& session, std::span<const inbox::EffectKey> keys,
                       std::vector<inbox::Effect>& found) override;
    Status StoreEffect(mysql::Session& session, const inbox::Effect& effect) override;
    Result<std::unique_ptr<app::LedgerTransaction>> Join(mysql::Session& session) override;
    Status StoreEntries(mysql::Session& session, std::span<const outbox::Entry> entries,
                        std::int64_t row_id) override;

 private:
    MysqlLedgerStore& store_;
    const int slot_;
};

}  // namespace kessai::payment::storage
