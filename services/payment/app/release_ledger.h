#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "app/ledger_store.h"
#include "kessai/event/envelope.h"

namespace kessai::mysql {
class Session;
}
namespace kessai::outbox {
struct Entry;
}

namespace kessai::payment::app {

/// A release that was cleared here: which event of payout said so.
struct ClearedRelease {
    std::int64_t object_id = 0;
    std::uint32_t version = 0;
    event::ContentHash content_hash{};
};

/// The ledger's side of an inbox transaction that is open on a session.
class ReleaseLedger {
 public:
    virtual ~ReleaseLedger() = default;
    /// Those of the objects (rising) that were cleared, in order of (object, version).
    virtual Result<std::vector<ClearedRelease>> FindCleared(
        mysql::Session& session, std::span<const std::int64_t> object_ids) = 0;
    virtual Status StoreCleared(mysql::Session& session, const ClearedRelease& release) = 0;
    /// A ledger transaction that takes part in the session's.
    virtual Result<std::unique_ptr<LedgerTransaction>> Join(mysql::Session& session) = 0;
    /// Puts entries into the outbox, under a gate row, in the session's transaction.
    virtual Status StoreEntries(mysql::Session& session, std::span<const outbox::Entry> entries,
                                std::int64_t row_id) = 0;
};

}  // namespace kessai::payment::app
