#pragma once

#include <cstdint>

#include "kessai/digest/row_hash.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"

namespace kessai::bench {

struct UpkeepRecipe {
    /// Rows that a writer stores at once.
    std::int64_t batch = 1'000;
    /// Writers that share the buckets out: partitions of a topic, or shards of an outbox.
    int writers = 12;
    std::int64_t rows = 1'000'000;
};

struct Upkeep {
    std::int64_t rows = 0;
    /// Processor time of this process: hashing, adding up, and sending what was added up.
    double client_cpu_seconds = 0;
};

/// Does to the digest of a day what its writers do batch by batch, and nothing else: hashes rows
/// and adds them up, then upserts a row a bucket. Several batches go in one transaction, because in
/// the services the upsert is part of a transaction that is there anyway. `connect` is of a schema
/// with the table of libs/digest; the rows are of a day of their own, which is removed again.
Result<Upkeep> KeepDigests(const mysql::ConnectOptions& connect, const UpkeepRecipe& recipe,
                           const digest::RowHasher& hasher);

}  // namespace kessai::bench
