#pragma once

#include <string>
#include <vector>

#include "kessai/config/schema.h"
#include "kessai/kafka/connection.h"
#include "kessai/mysql/pool.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/tls.h"
#include "transport/day_run_worker.h"
#include "transport/grpc_peer_book.h"
#include "transport/repair_worker.h"

namespace kessai::reconciliation {

/// Where another service answers.
struct Upstream {
    std::string target;
    std::string server_name;
};

/// How the consumers of both topics gather.
struct ConsumerTuning {
    int workers = 2;
    int batch_events_max = 1'000;
    Duration batch_every = std::chrono::milliseconds(50);
};

/// The reconciliation service's own keys; the libraries' sections are composed in.
struct Options {
    mysql::PoolOptions mysql;
    kafka::ConnectionOptions kafka;
    rpc::ServerOptions grpc;
    rpc::TlsFiles tls;
    std::string internal_token_key_file;
    std::string digest_key;
    Upstream payment{.target = {}, .server_name = "payment"};
    Upstream payout{.target = {}, .server_name = "payout"};
    transport::PeerBookOptions peers;
    ConsumerTuning consumer;
    transport::DayRunWorkerOptions day_run;
    std::string audit_key;
    transport::RepairWorkerOptions repairs;
    /// Names of kinds, as they are configured.
    std::vector<std::string> automatic_repairs;
    Duration repair_call_timeout = std::chrono::seconds(25);
    int query_threads = 4;
};

void Describe(config::Schema& schema, Options& options);

}  // namespace kessai::reconciliation
