#pragma once

#include <string>

#include "app/run_files.h"
#include "kessai/config/schema.h"
#include "kessai/filestore/options.h"
#include "kessai/kafka/connection.h"
#include "kessai/mysql/pool.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/tls.h"
#include "transport/day_run_worker.h"
#include "transport/file_worker.h"
#include "transport/grpc_peer_book.h"

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

/// How merchants' files are made and served.
struct FileTuning {
    app::RunFilesOptions run;
    transport::FileWorkerOptions worker;
    std::string schedule_at = "01:30";
    int serve_threads = 8;
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
    filestore::Options file_store;
    FileTuning files;
    int query_threads = 4;
};

void Describe(config::Schema& schema, Options& options);

}  // namespace kessai::reconciliation
