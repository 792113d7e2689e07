#pragma once

#include <cstdint>
#include <functional>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"

namespace kessai::bench {

/// Trade of the open day.
struct TradeRecipe {
    std::int64_t payments = 200'000;
    /// Merchants that there are: of these ids, one after the other.
    std::int64_t first_merchant = 0;
    std::int64_t merchants = 20;
    /// Of users, orders and amounts; another trade on the same books needs another one.
    std::uint64_t seed = 1;
    int executors = 2;
    /// Told of the outbox's shards with each batch, as a relay beside it is; may be empty.
    std::function<void(unsigned)> on_events = {};
};

struct TradeFacts {
    std::int64_t payments = 0;
    std::int64_t canceled = 0;
    std::int64_t refunded = 0;
};

/// Trades in a running stack's payment schema, by payment's own executor and with its batches, but
/// without the way through gateway and gRPC: so everything else of the stack does what it always
/// does with it. Users top up by the development funding source, pay, and of fifty payments one is
/// cancelled and two are refunded in part. Refusals: the executor's; what was done until then
/// stays.
Result<TradeFacts> Trade(const mysql::ConnectOptions& payment, const TradeRecipe& recipe);

}  // namespace kessai::bench
