#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "item.h"
#include "kessai/inbox/dead_letters.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::inbox {

/// One partition as one group sees it.
struct PartitionKey {
    std::string_view group;
    std::string_view topic;
    int partition = 0;
};

/// A message to be stored as dead letter, with why.
struct Failed {
    const Item* item = nullptr;
    Status why;
    int attempt = 1;
};

// --- consumer_offset

Result<std::optional<std::int64_t>> ReadOffset(mysql::Session& session, const PartitionKey& key);
/// Stores where a group begins; leaves it as it is if another member was first.
Status BeginOffset(mysql::Session& session, const PartitionKey& key, std::int64_t next_offset);
/// True if the offset was `from` and is `to` now; the row stays locked until the transaction ends.
Result<bool> AdvanceOffset(mysql::Session& session, const PartitionKey& key, std::int64_t from,
                           std::int64_t to);
/// Locks the row as AdvanceOffset does, without changing it. False: there is none.
Result<bool> LockOffset(mysql::Session& session, const PartitionKey& key);

// --- dead_letter and parked_event. A partition's rows are written by whoever has its offset row
// locked: the consumer's batch or a replay.

/// Of which objects of `items` nothing may be applied; perhaps with others that are blocked.
Result<std::set<std::int64_t>> FindBlocked(mysql::Session& session, const PartitionKey& key,
                                           std::span<const Item* const> items);
Status StoreDeadLetters(mysql::Session& session, const PartitionKey& key,
                        std::span<const Failed> failed, Instant now);
Status StoreParked(mysql::Session& session, const PartitionKey& key,
                   std::span<const Item* const> items, Instant now);

// --- For a replay, with the offset row locked.

/// A message as the tables hold it, owning its bytes.
struct Kept {
    std::int64_t offset = 0;
    std::string key;
    std::string value;
    std::string traceparent;
};

struct Head {
    Kept message;
    std::int64_t object_id = 0;
    DeadLetterState state = DeadLetterState::kOpen;
    bool blocking = false;
    int attempts = 0;
};

Result<std::optional<Head>> ReadHead(mysql::Session& session, const PartitionKey& key,
                                     std::int64_t offset);
/// The first `limit` parked events of an object.
Result<std::vector<Kept>> ReadParked(mysql::Session& session, const PartitionKey& key,
                                     std::int64_t object_id, int limit);
Result<std::int64_t> CountParked(mysql::Session& session, const PartitionKey& key,
                                 std::int64_t object_id);
Status DeleteParked(mysql::Session& session, const PartitionKey& key,
                    std::span<const std::int64_t> offsets);
/// The open dead letter was refused once more.
Status CountFailure(mysql::Session& session, const PartitionKey& key, const Failed& failed,
                    Instant now);
/// It is not open any more.
Status Settle(mysql::Session& session, const PartitionKey& key, std::int64_t offset,
              DeadLetterState state, std::string_view by, std::string_view note);
/// Nothing is parked behind it any more.
Status Unblock(mysql::Session& session, const PartitionKey& key, std::int64_t offset);
/// Adds to the dead letter's history; `action.at` is when.
Status RecordAction(mysql::Session& session, const PartitionKey& key, std::int64_t offset,
                    const DeadLetterAction& action);
/// What blocks an object.
Result<std::optional<DeadLetterId>> FindBlocking(mysql::Session& session, std::string_view group,
                                                 std::string_view topic, std::int64_t object_id);

/// The value of a dead-letter topic's message, kessai.event.v1.DeadLetter.
std::string SealDeadLetter(const PartitionKey& key, const Failed& failed, Instant now);

/// At most `size` bytes of UTF-8: what is none becomes '?'.
std::string CleanText(std::string_view text, std::size_t size);

}  // namespace kessai::inbox
