#pragma once

#include <string>

#include "app/batch_executor.h"
#include "app/day_closer.h"
#include "domain/commands.h"
#include "kessai/config/schema.h"
#include "kessai/kafka/connection.h"
#include "kessai/mysql/pool.h"
#include "kessai/rpc/server.h"

namespace kessai::payment {

/// Threads that make reports for accounting: few ask, and payments go first.
inline constexpr int kReportThreads = 2;
/// Threads that list transactions for merchants' files, each on a connection of its own; and the
/// merchants' names that they keep.
inline constexpr int kListThreads = 4;
inline constexpr Duration kNamesLifetime = std::chrono::seconds(30);
inline constexpr std::size_t kNamesMax = 200'000;

/// The payment service's own keys; the libraries' sections are composed in.
struct Options {
    mysql::PoolOptions mysql;
    kafka::ConnectionOptions kafka;
    rpc::ServerOptions grpc;
    rpc::TlsFiles tls;
    std::string internal_token_key_file;
    std::string digest_key;
    domain::Policy policy;
    app::ExecutorOptions executor;
    app::DayCloserOptions day;
    /// "2026-11-22", or empty: the day of the first migration.
    std::string first_day;
    int query_threads = 8;
    Duration merchant_cache_lifetime = std::chrono::seconds(5);
    std::size_t merchant_cache_entries_max = 100'000;
};

void Describe(config::Schema& schema, Options& options);

}  // namespace kessai::payment
