#pragma once

#include "app/ledger_store.h"
#include "kessai/mysql/pool.h"
#include "kessai/time/clock.h"

namespace kessai::payout::storage {

class MysqlLedgerStore final : public app::LedgerStore {
 public:
    /// Both must outlive it. `clock` gives the day of journals.
    MysqlLedgerStore(mysql::Pool& pool, const Clock& clock) : pool_(pool), clock_(clock) {}

    Status InTransaction(const std::function<Status(app::LedgerTransaction&)>& work) override;
    Status StreamBatch(const app::TransferBatch& batch,
                       const std::function<Status(const app::BatchLine&)>& take) override;

 private:
    mysql::Pool& pool_;
    const Clock& clock_;
};

}  // namespace kessai::payout::storage
