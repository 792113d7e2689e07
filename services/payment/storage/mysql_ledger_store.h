#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "app/ledger_store.h"
#include "kessai/mysql/pool.h"

namespace kessai::payment::storage {

/// The ledger in MySQL. Each transaction takes a session of the pool, so give the pool at least one
/// session per executor.
class MysqlLedgerStore final : public app::LedgerStore {
 public:
    /// `pool` must outlive it. `on_events` is called after each commit that put events into the
    /// outbox, with a bit for each shard (outbox::Relay::Notify), on the committing thread.
    explicit MysqlLedgerStore(mysql::Pool& pool, std::function<void(unsigned)> on_events = {})
        : pool_(pool), on_events_(std::move(on_events)) {}

    Result<std::unique_ptr<app::LedgerTransaction>> Begin(int slot) override;

    /// Takes part in a transaction that is open on `session` (an inbox batch): locks the gate row,
    /// and Store writes at once. Commit only gives the wake-up; the transaction is the caller's.
    Result<std::unique_ptr<app::LedgerTransaction>> Join(mysql::Session& session, int slot);

 private:
    mysql::Pool& pool_;
    const std::function<void(unsigned)> on_events_;
};

/// Gate rows that V1 makes.
inline constexpr int kGateSlots = 64;

}  // namespace kessai::payment::storage
