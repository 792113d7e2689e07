#pragma once

#include <memory>
#include <span>
#include <vector>

#include "app/ledger_store.h"
#include "kessai/inbox/handler.h"

namespace kessai::payment::app {

/// The ledger's side of one inbox transaction.
class ReleaseLedger {
 public:
    virtual ~ReleaseLedger() = default;
    /// The effects among `keys` that are stored.
    virtual Status FindEffects(mysql::Session& session, std::span<const inbox::EffectKey> keys,
                               std::vector<inbox::Effect>& found) = 0;
    virtual Status StoreEffect(mysql::Session& session, const inbox::Effect& effect) = 0;
    /// A ledger transaction that takes part in the session's.
    virtual Result<std::unique_ptr<LedgerTransaction>> Join(mysql::Session& session) = 0;
    /// Puts entries into the outbox, under a gate row, in the session's transaction.
    virtual Status StoreEntries(mysql::Session& session, std::span<const outbox::Entry> entries,
                                std::int64_t row_id) = 0;
};

}  // namespace kessai::payment::app
