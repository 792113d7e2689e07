#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kessai/mysql/session.h"
#include "kessai/outbox/batch_writer.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"
#include "model/event_record.h"

// What libs/outbox and libs/inbox keep in every service's schema.
namespace kessai::audit {

/// Outbox rows that wait to be published. Times are the database's.
struct UnsentRows {
    static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

    std::int64_t rows = 0;
    std::int64_t entries = 0;
    /// When the oldest was written.
    std::int64_t oldest_us = kNone;
    /// The same by shard.
    std::array<std::int64_t, outbox::kShards> oldest_of_shard_us = NoneInAnyShard();

    /// Whether the event of something that was stored then may be among them. A shard's rows are
    /// published in order.
    bool MayHold(std::int64_t object, std::int64_t stored_at_us) const;

 private:
    static constexpr std::array<std::int64_t, outbox::kShards> NoneInAnyShard() {
        std::array<std::int64_t, outbox::kShards> none{};
        none.fill(kNone);
        return none;
    }
};
/// Those that were written at or before an instant.
Result<UnsentRows> CountUnsent(mysql::Session& session, Instant written_by);

/// How far a schema's consumer of a topic has come.
class ConsumerOffsets {
 public:
    struct Partition {
        std::int64_t next = 0;
        /// When it last moved, and the database's clock.
        std::int64_t moved_at_us = 0;
        std::int64_t read_at_us = 0;
    };
    /// The furthest, should there be several groups. Partitions without a row are absent: a group
    /// begins those at their beginning.
    std::map<int, Partition> partitions;

    bool HasPassed(int partition, std::int64_t offset) const {
        const auto found = partitions.find(partition);
        return found != partitions.end() && found->second.next > offset;
    }
};
Result<ConsumerOffsets> ReadOffsets(mysql::Session& session, const std::string& topic);

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
