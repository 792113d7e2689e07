#pragma once

#include <cstdint>
#include <string>

#include "kessai/digest/row_hash.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"

namespace kessai::bench {

struct DigestCostRecipe {
    std::int64_t payments = 100'000;
    std::int64_t merchants = 1'000;
    /// Of users and orders, one a round.
    std::uint64_t seed = 1;
    /// Whether payment's relay keeps the day's digest, as the service's does.
    bool keeps_digests = true;
    /// "host:port,…" and a topic that nobody reads, with its partitions.
    std::string brokers;
    std::string topic;
    int partitions = 0;
};

struct DigestCost {
    /// Payments, cancels and refunds.
    std::int64_t changes = 0;
    /// From the first command until the outbox is empty.
    double seconds = 0;
    /// Processor time of this process: executor and relay.
    double cpu_seconds = 0;
};

/// Trades in a schema of payment's that nobody else uses, by payment's executor, and publishes what
/// comes of it by payment's relay, with or without keeping the digest: all that differs is the
/// relay's hook. Makes what the schema lacks.
Result<DigestCost> TradeAndPublish(const mysql::ConnectOptions& connect,
                                   const DigestCostRecipe& recipe, const digest::RowHasher& hasher);

}  // namespace kessai::bench
