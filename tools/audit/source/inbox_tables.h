#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"
#include "model/event_record.h"

// What libs/outbox and libs/inbox keep in every service's schema.
namespace kessai::audit {

/// Rows that were written at or before an instant (of the database's clock) and wait to be
/// published.
struct UnsentRows {
    std::int64_t rows = 0;
    std::int64_t entries = 0;
};
Result<UnsentRows> CountUnsent(mysql::Session& session, Instant written_by);

/// By partition: how far the schema's consumer of a topic has come; the furthest, should there be
/// several groups. Partitions without a row are absent.
Result<std::map<int, std::int64_t>> ReadOffsets(mysql::Session& session, const std::string& topic);

/// A message that waits: a dead letter that nobody has settled, or an event parked behind one.
struct WaitingMessage {
    MessageId id;
    std::string group;
    std::int64_t object_id = 0;
    bool parked = false;
    /// Of dead letters.
    std::string reason;
};
/// All of the schema, at most `limit`, in the order of their ids.
Result<std::vector<WaitingMessage>> ReadWaiting(mysql::Session& session, int limit);

/// Dead letters that were replayed or discarded, at most `limit`.
Result<std::set<MessageId>> ReadSettled(mysql::Session& session, int limit);

/// Whether the schema has the table.
Result<bool> HasTable(mysql::Session& session, const std::string& table);

}  // namespace kessai::audit
