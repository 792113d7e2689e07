#pragma once

#include <functional>
#include <utility>

#include "app/event_encoder.h"
#include "app/ledger_store.h"
#include "kessai/mysql/pool.h"
#include "kessai/time/clock.h"

namespace kessai::payout::storage {

class MysqlLedgerStore final : public app::LedgerStore {
 public:
    /// All must outlive it. `clock` gives the day of journals; `on_events` hears of each shard of
    /// the outbox that has something to publish.
    MysqlLedgerStore(mysql::Pool& pool, const Clock& clock, const app::EventEncoder& events,
                     std::function<void(unsigned)> on_events = {})
        : pool_(pool), clock_(clock), events_(events), on_events_(std::move(on_events)) {}

    Status InTransaction(const std::function<Status(app::LedgerTransaction&)>& work) override;
    Result<app::DueDateFacts> FindDueDateFacts() override;
    Status StreamBatch(const app::TransferBatch& batch,
                       const std::function<Status(const app::BatchLine&)>& take) override;

 private:
    mysql::Pool& pool_;
    const Clock& clock_;
    const app::EventEncoder& events_;
    const std::function<void(unsigned)> on_events_;
};

}  // namespace kessai::payout::storage
