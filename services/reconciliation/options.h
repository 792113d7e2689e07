#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/run_files.h"
#include "domain/outside_record.h"
#include "kessai/config/schema.h"
#include "kessai/filestore/options.h"
#include "kessai/kafka/connection.h"
#include "kessai/mysql/pool.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/tls.h"
#include "transport/day_run_worker.h"
#include "transport/file_worker.h"
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

/// Accounts at banks and networks, and what is taken in of their statements.
struct OutsideOptions {
    std::vector<domain::OutsideAccount> accounts;
    std::size_t file_bytes_max = std::size_t{3} << 20;
    std::int64_t run_items_max = 200'000;
    std::int64_t run_suggestions_max = 10'000;
    Duration poll_every = std::chrono::seconds(30);
};

/// How merchants' files are made and served.
struct FileTuning {
    app::RunFilesOptions run;
    /// How long it is known which files there were, by their days.
    std::chrono::hours keep_records = std::chrono::days(400);
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
    std::string audit_key;
    transport::RepairWorkerOptions repairs;
    /// Names of kinds, as they are configured.
    std::vector<std::string> automatic_repairs;
    Duration repair_call_timeout = std::chrono::seconds(25);
    /// Buckets that a run compares side by side.
    int compare_threads = 2;
    OutsideOptions outside;
    filestore::Options file_store;
    FileTuning files;
    int query_threads = 4;
    /// Bank business days after a transfer's date until which its result is due.
    int result_bank_days = 2;
};

void Describe(config::Schema& schema, Options& options);

}  // namespace kessai::reconciliation
