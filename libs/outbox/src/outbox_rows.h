#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kessai/mysql/session.h"
#include "kessai/outbox/relay.h"
#include "kessai/result/result.h"

namespace kessai::outbox {

/// An outbox row on its way: read, not yet deleted.
struct Row {
    int shard = 0;
    std::int64_t row_id = 0;
    BusinessDate business_date;
    Instant created_at;
    std::string packed;
    /// Views into `packed`.
    std::vector<Entry> entries;
    /// How many of them Kafka has not confirmed. Under the relay's mutex.
    std::size_t undelivered = 0;
};

/// The `limit` lowest rows of a shard that are not among `except`, rising.
Result<std::vector<std::unique_ptr<Row>>> ReadLowestRows(mysql::Session& session, int shard,
                                                         std::span<const std::int64_t> except,
                                                         int limit);

/// In one transaction: deletes the rows that are still there, and runs the hook for their messages.
/// Returns how many rows it deleted.
Result<std::size_t> DeleteRows(mysql::Session& session, std::span<const Row* const> rows,
                               const DeleteHook& hook);

}  // namespace kessai::outbox
