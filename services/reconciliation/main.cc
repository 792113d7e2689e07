#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/change_discrepancy.h"
#include "app/check_payout.h"
#include "app/compare_day.h"
#include "app/decide_match.h"
#include "app/enquiries.h"
#include "app/file_templates.h"
#include "app/import_statement.h"
#include "app/look_again.h"
#include "app/match_changes.h"
#include "app/match_outside.h"
#include "app/merchant_files.h"
#include "app/note_holds.h"
#include "app/note_transfers.h"
#include "app/order_files.h"
#include "app/order_repair.h"
#include "app/outside_enquiries.h"
#include "app/record_conflicts.h"
#include "app/run_files.h"
#include "domain/outside_record.h"
#include "kessai/auth/key_ring.h"
#include "kessai/auth/token.h"
#include "kessai/digest/row_hash.h"
#include "kessai/digest/store.h"
#include "kessai/filestore/options.h"
#include "kessai/inbox/consumer.h"
#include "kessai/inbox/dead_letter_desk.h"
#include "kessai/lease/lease.h"
#include "kessai/lease/lease_table.h"
#include "kessai/lease/leased_ids.h"
#include "kessai/log/log.h"
#include "kessai/mysql/migration.h"
#include "kessai/mysql/telemetry.h"
#include "kessai/outbox/outbox_table.h"
#include "kessai/outbox/relay.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/telemetry.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/runtime/main.h"
#include "options.h"
#include "storage/audit_chain.h"
#include "storage/migrations.h"
#include "storage/mysql_books.h"
#include "storage/mysql_file_books.h"
#include "storage/mysql_outside_books.h"
#include "transport/claim_consumer.h"
#include "transport/day_run_worker.h"
#include "transport/file_metrics.h"
#include "transport/file_service.h"
#include "transport/file_worker.h"
#include "transport/grpc_file_rows.h"
#include "transport/grpc_merchant_directory.h"
#include "transport/grpc_payout_day_book.h"
#include "transport/grpc_peer_book.h"
#include "transport/grpc_repair_peers.h"
#include "transport/outside_metrics.h"
#include "transport/outside_worker.h"
#include "transport/reconciliation_metrics.h"
#include "transport/reconciliation_service.h"
#include "transport/repair_metrics.h"
#include "transport/repair_service.h"
#include "transport/repair_worker.h"
#include "transport/statement_service.h"

namespace kessai::reconciliation {
namespace {

// As proto/topics.yaml declares them.
constexpr int kEventPartitions = 12;
constexpr int kDeadLetterPartitions = 3;
constexpr int kPaymentDeadLetters = 1;
constexpr int kPayoutDeadLetters = 2;

Status Migrate(const Options& options, runtime::Context& context) {
    mysql::ConnectOptions connect = options.mysql.connect;
    connect.read_timeout = std::chrono::minutes(30);
    KESSAI_ASSIGN_OR_RETURN(const auto session, mysql::Session::Connect(connect));
    const mysql::MigrationSet sets[] = {lease::Migrations(), outbox::Migrations(),
                                        inbox::Migrations(), digest::Migrations(),
                                        storage::Migrations()};
    mysql::MigrationReport report;
    KESSAI_RETURN_IF_ERROR(mysql::Migrate(*session, sets, &report));
    for (const std::string& step : report.applied) log::Info("migrated", {{"step", step}});
    KESSAI_ASSIGN_OR_RETURN(const auto chain, storage::AuditChain::FromHex(options.audit_key));
    return storage::ChainOlderSteps(*session, chain, context.clock());
}

outbox::RelayOptions RelayOptions(const Options& options) {
    outbox::RelayOptions relay;
    relay.topics = {{"reconciliation.events.v1", kEventPartitions},
                    {"reconciliation.payment-events.dlq.v1", kDeadLetterPartitions},
                    {"reconciliation.payout-events.dlq.v1", kDeadLetterPartitions}};
    relay.producer.connection = options.kafka;
    return relay;
}

/// Payment's changes of a partition are applied first, payout's answers right behind them: so
/// nearly all of payment's are new, which is what makes them cheap (ClaimConsumer::RefusesRepeats).
/// What is published in between waits for the next time, as do its answers.
Duration PhaseOf(domain::Source source, Duration batch_every) {
    return source == domain::Source::kPayment ? Duration::zero()
                                              : batch_every / kEventPartitions / 4;
}

inbox::ConsumerOptions ConsumerOptions(const Options& options, domain::Source source,
                                       std::string topic, int dead_letters) {
    inbox::ConsumerOptions consumer;
    consumer.client.connection = options.kafka;
    consumer.client.group = "reconciliation";
    consumer.client.topic = std::move(topic);
    consumer.client.fetch_bytes_min = std::size_t{64} << 10;
    consumer.partitions = kEventPartitions;
    consumer.dead_letter_topic = dead_letters;
    consumer.dead_letter_partitions = kDeadLetterPartitions;
    consumer.workers = options.consumer.workers;
    consumer.batch_events_max = options.consumer.batch_events_max;
    consumer.batch_every = options.consumer.batch_every;
    consumer.batch_phase = PhaseOf(source, options.consumer.batch_every);
    return consumer;
}

Result<rpc::Channel> ChannelTo(const Upstream& upstream, const Options& options, const Clock& clock,
                               rpc::CallTelemetry& calls) {
    rpc::ChannelOptions channel;
    channel.target = upstream.target;
    channel.tls = options.tls;
    channel.server_name = upstream.server_name;
    return rpc::Channel::Create(std::move(channel), clock, &calls);
}

/// What both sides' consumers and the runs share.
struct Core {
    mysql::Pool& pool;
    lease::LeasedIds& ids;
    const digest::RowHasher& hasher;
    const storage::AuditChain& chain;
    app::Transactions& transactions;
    transport::ReconciliationMetrics& metrics;
    inbox::DeadLetterDesk& dead_letters;
};

Result<Core> BuildCore(const Options& options, runtime::Context& context) {
    const Clock& clock = context.clock();
    KESSAI_ASSIGN_OR_RETURN(const auto hasher, digest::RowHasher::FromHex(options.digest_key));

    KESSAI_ASSIGN_OR_RETURN(const auto key, storage::AuditChain::FromHex(options.audit_key));
    const auto& chain = context.Own(std::make_unique<storage::AuditChain>(key));

    auto& queries = context.Own(std::make_unique<mysql::QueryTelemetry>(context.metrics()));
    auto& pool = context.Own(std::make_unique<mysql::Pool>(options.mysql, clock, &queries));
    context.Keep(mysql::ExposePool(context.metrics(), pool));
    context.Add({.name = "mysql", .stop = [&pool] { pool.Close(); }});

    auto& ids = context.Own(std::make_unique<lease::LeasedIds>(pool, clock, [](const Status& why) {
        log::Warn("reconciliation.no_worker_number", {{"status", why}});
    }));
    context.Add({.name = "ids",
                 .start = [&ids]() -> Status {
                     ids.Start();
                     return OkStatus();
                 },
                 .ready = [&ids] { return ids.Ready(); },
                 .stop = [&ids] { ids.Stop(); }});

    return Core{pool,
                ids,
                context.Own(std::make_unique<digest::RowHasher>(hasher)),
                chain,
                context.Own(std::make_unique<storage::MysqlTransactions>(pool, ids, clock, chain)),
                context.Own(std::make_unique<transport::ReconciliationMetrics>(context.metrics())),
                context.Own(std::make_unique<inbox::DeadLetterDesk>(pool, clock))};
}

void BuildRelay(const Options& options, runtime::Context& context, const Core& core) {
    auto& relay = context.Own(
        std::make_unique<outbox::Relay>(RelayOptions(options), core.pool, context.metrics(),
                                        outbox::DeleteHook(), context.clock()));
    context.Add({.name = "relay",
                 .start = [&relay]() -> Status {
                     relay.Start();
                     return OkStatus();
                 },
                 .stop = [&relay] { relay.Stop(); }});
}

template <class Handler>
void BuildConsumer(std::string name, inbox::ConsumerOptions options,
                   const transport::ConsumerServices& services, runtime::Context& context,
                   const Core& core) {
    auto& handler = context.Own(std::make_unique<Handler>(services));
    core.dead_letters.Add(options, handler);
    options.tracer = &context.tracer();
    auto& consumer = context.Own(std::make_unique<inbox::Consumer>(
        std::move(options), core.pool, handler, context.metrics(), context.clock()));
    context.Add({.name = std::move(name),
                 .start = [&consumer] { return consumer.Start(); },
                 .stop = [&consumer] { consumer.Stop(); }});
}

/// Accounts outside: what is expected of them, taken in and matched.
struct Outside {
    const domain::OutsideAccounts& accounts;
    transport::StatementService& service;
};

Result<Outside> BuildOutside(const Options& options, runtime::Context& context, const Core& core) {
    const Clock& clock = context.clock();
    KESSAI_ASSIGN_OR_RETURN(auto made, domain::OutsideAccounts::Make(options.outside.accounts));
    const auto& accounts = context.Own(std::make_unique<domain::OutsideAccounts>(std::move(made)));
    auto& transactions =
        context.Own(std::make_unique<storage::MysqlOutsideTransactions>(core.pool, core.ids));
    auto& enquiries =
        context.Own(std::make_unique<app::OutsideEnquiries>(transactions, accounts, clock));
    auto& import = context.Own(std::make_unique<app::ImportStatement>(
        app::ImportStatement::Options{.file_bytes_max = options.outside.file_bytes_max},
        transactions, accounts, clock));
    auto& match = context.Own(std::make_unique<app::MatchOutside>(
        app::MatchOutside::Options{.items_max = options.outside.run_items_max}, transactions,
        accounts, clock));
    auto& decide = context.Own(std::make_unique<app::DecideMatch>(transactions, clock));
    auto& metrics =
        context.Own(std::make_unique<transport::OutsideMetrics>(context.metrics(), accounts));
    if (!accounts.empty()) {
        auto& worker = context.Own(std::make_unique<transport::OutsideWorker>(
            options.outside.poll_every, match, enquiries, metrics));
        context.Add({.name = "outside",
                     .start = [&worker]() -> Status {
                         worker.Start();
                         return OkStatus();
                     },
                     .stop = [&worker] { worker.Stop(); }});
    }
    return Outside{
        accounts,
        context.Own(std::make_unique<transport::StatementService>(transport::StatementServices{
            enquiries, import, match, decide, accounts, metrics, clock}))};
}

void BuildConsumers(const Options& options, runtime::Context& context, const Core& core,
                    const Outside& outside) {
    const Clock& clock = context.clock();
    const auto& match = context.Own(std::make_unique<app::MatchChanges>(core.hasher, clock));
    const auto& note_holds = context.Own(std::make_unique<app::NoteHolds>(clock));
    const auto& note_transfers = context.Own(std::make_unique<app::NoteTransfers>(clock));
    const auto& record_conflicts = context.Own(std::make_unique<app::RecordConflicts>(clock));
    const transport::ConsumerServices services{
        .on_books =
            [&ids = core.ids, &clock, &chain = core.chain](mysql::Session& session,
                                                           const auto& work) {
                storage::MysqlBooks books(session, ids, clock, chain);
                return work(books.books());
            },
        .store_dead_letters =
            [&ids = core.ids, &clock](mysql::Session& session, auto entries) {
                return storage::StoreDeadLetters(session, entries, ids, clock);
            },
        .match = match,
        .note_holds = note_holds,
        .note_transfers = note_transfers,
        .record_conflicts = record_conflicts,
        .metrics = core.metrics,
        .outside_accounts = outside.accounts.empty() ? nullptr : &outside.accounts,
        .on_outside =
            [&ids = core.ids](mysql::Session& session, const auto& work) {
                storage::MysqlOutsideBooks books(session, ids);
                return work(books);
            }};
    BuildConsumer<transport::PaymentEventConsumer>(
        "payment_events",
        ConsumerOptions(options, domain::Source::kPayment, "payment.events.v1",
                        kPaymentDeadLetters),
        services, context, core);
    BuildConsumer<transport::PayoutEventConsumer>(
        "payout_events",
        ConsumerOptions(options, domain::Source::kPayout, "payout.events.v1", kPayoutDeadLetters),
        services, context, core);
}

/// What compares and repairs days.
struct Days {
    transport::DayRunWorker& runs;
    app::OrderRepair& repairs;
};

/// The replica that holds the lease carries repairs on.
app::OrderRepair& BuildRepairs(const Options& options, runtime::Context& context, const Core& core,
                               const app::RepairPorts& ports) {
    auto& lease = context.Own(std::make_unique<lease::Lease>(
        core.pool, lease::LeaseOptions{.name = "reconciliation.repairs", .owner = {}},
        context.clock()));
    auto& metrics = context.Own(std::make_unique<transport::RepairMetrics>(context.metrics()));
    auto& worker = context.Own(std::make_unique<transport::RepairWorker>(
        options.repairs, ports, metrics, [&lease] { return lease.Held(); }));
    context.Add({.name = "repairs",
                 .start = [&lease, &worker]() -> Status {
                     lease.Start();
                     worker.Start();
                     return OkStatus();
                 },
                 .stop =
                     [&lease, &worker] {
                         worker.Stop();
                         lease.Stop();
                     }});
    return context.Own(std::make_unique<app::OrderRepair>(ports));
}

/// The other services, and what is shown to them.
struct Peers {
    auth::TokenSigner& signer;
    rpc::Channel to_payment;
    rpc::Channel to_payout;
};

Result<Peers> BuildPeers(const Options& options, runtime::Context& context,
                         const auth::KeyRingSource& keys) {
    const Clock& clock = context.clock();
    auto& signer = context.Own(std::make_unique<auth::TokenSigner>(keys, clock));
    std::vector<std::string_view> contracts = transport::PeerContracts();
    for (const auto& more : {transport::RepairContracts(), transport::FileRowContracts()}) {
        contracts.insert(contracts.end(), more.begin(), more.end());
    }
    auto& calls = context.Own(std::make_unique<rpc::CallTelemetry>(
        context.metrics(), contracts, &context.tracer(), rpc::Side::kClient));
    KESSAI_ASSIGN_OR_RETURN(auto to_payment, ChannelTo(options.payment, options, clock, calls));
    KESSAI_ASSIGN_OR_RETURN(auto to_payout, ChannelTo(options.payout, options, clock, calls));
    return Peers{signer, std::move(to_payment), std::move(to_payout)};
}

Days BuildDays(const Options& options, runtime::Context& context, const Core& core,
               const Peers& peers) {
    const Clock& clock = context.clock();
    auto& payment = context.Own(std::make_unique<transport::GrpcPaymentBook>(
        peers.to_payment, peers.signer, options.peers));
    auto& payout = context.Own(
        std::make_unique<transport::GrpcPayoutBook>(peers.to_payout, peers.signer, options.peers));
    auto& leases = context.Own(std::make_unique<storage::MysqlRunLeases>(core.pool, clock));
    auto& payout_day = context.Own(std::make_unique<transport::GrpcPayoutDayBook>(
        peers.to_payout, peers.signer, options.peers));
    auto& compare = context.Own(std::make_unique<app::CompareDay>(
        app::CompareDayPorts{core.transactions, leases, payment, payout, core.hasher, clock,
                             &payout_day},
        options.compare_threads));
    auto& check = context.Own(std::make_unique<app::CheckPayout>(
        app::CheckPayoutPorts{core.transactions, leases, payout_day, core.hasher, clock}));
    auto& overdue = context.Own(std::make_unique<app::FindOverdueResults>(
        core.transactions, clock, options.result_bank_days));
    auto& runs = context.Own(std::make_unique<transport::DayRunWorker>(
        options.day_run, core.transactions, compare, core.metrics, clock,
        transport::AgainstPayout{&check, &overdue}));
    context.Add({.name = "day_runs",
                 .start = [&runs]() -> Status {
                     runs.Start();
                     return OkStatus();
                 },
                 .stop = [&runs] { runs.Stop(); }});
    auto& repair_peers = context.Own(std::make_unique<transport::GrpcRepairPeers>(
        peers.to_payment, peers.to_payout, peers.signer, core.transactions,
        options.repair_call_timeout));
    const auto& look = context.Own(std::make_unique<app::LookAgain>(
        core.transactions, payment, payout, repair_peers, core.hasher));
    return Days{runs, BuildRepairs(options, context, core,
                                   {core.transactions, repair_peers, look, core.hasher, clock})};
}

/// Merchants' files: what makes and keeps them, and what serves them.
struct Files {
    transport::FileService& service;
    rpc::WorkerPool& slow;
};

Files BuildFiles(const Options& options, runtime::Context& context, const Core& core,
                 const Peers& peers) {
    const Clock& clock = context.clock();
    auto& store = context.Own(filestore::OpenStore(options.file_store, clock));
    auto& transactions =
        context.Own(std::make_unique<storage::MysqlFileTransactions>(core.pool, core.ids));
    auto& leases = context.Own(std::make_unique<storage::MysqlFileRunLeases>(core.pool, clock));
    auto& rows = context.Own(std::make_unique<transport::GrpcFileRows>(
        peers.to_payment, peers.to_payout, peers.signer, clock));
    auto& merchants = context.Own(
        std::make_unique<transport::GrpcMerchantDirectory>(peers.to_payment, peers.signer));
    // It was checked with the options.
    const auto schedule_at = domain::ParseTimeOfDay(options.files.schedule_at).value();
    auto& templates = context.Own(
        std::make_unique<app::FileTemplates>(transactions, merchants, rows, clock, schedule_at));
    auto& orders = context.Own(std::make_unique<app::OrderFiles>(transactions, merchants, clock,
                                                                 options.files.keep_records));
    auto& runs = context.Own(std::make_unique<app::RunFiles>(transactions, leases, rows, store,
                                                             clock, options.files.run));
    auto& files = context.Own(std::make_unique<app::MerchantFiles>(transactions, store, clock,
                                                                   options.files.keep_records));
    auto& metrics = context.Own(std::make_unique<transport::FileMetrics>(context.metrics()));
    auto& worker = context.Own(std::make_unique<transport::FileWorker>(
        options.files.worker,
        transport::FileWorker::Ports{transactions, templates, orders, runs, files, store}, metrics,
        clock));
    context.Add({.name = "files",
                 .start = [&worker]() -> Status {
                     worker.Start();
                     return OkStatus();
                 },
                 .stop = [&worker] { worker.Stop(); }});
    auto& slow = context.Own(std::make_unique<rpc::WorkerPool>(rpc::WorkerPool::Options{
        .name = "files", .threads = static_cast<std::size_t>(options.files.serve_threads)}));
    context.Keep(rpc::Observe(context.metrics(), slow));
    return {context.Own(std::make_unique<transport::FileService>(templates, orders, files, worker)),
            slow};
}

void BuildServer(const Options& options, runtime::Context& context, const Core& core,
                 const auth::KeyRingSource& keys, const Days& days, const Outside& outside,
                 const Files& files) {
    const Clock& clock = context.clock();
    const auto& verifier = context.Own(std::make_unique<auth::TokenVerifier>(
        keys, clock, auth::TokenVerifier::Options{.audience = "reconciliation"}));
    auto& workers = context.Own(std::make_unique<rpc::WorkerPool>(rpc::WorkerPool::Options{
        .name = "queries", .threads = static_cast<std::size_t>(options.query_threads)}));
    // Those who wait for a run hold no database session.
    auto& run_workers = context.Own(std::make_unique<rpc::WorkerPool>(
        rpc::WorkerPool::Options{.name = "runs", .threads = 4, .queue_max = 16}));
    context.Keep(rpc::Observe(context.metrics(), workers));
    context.Keep(rpc::Observe(context.metrics(), run_workers));
    context.Keep(rpc::Observe(context.metrics(), verifier));
    auto& enquiries = context.Own(std::make_unique<app::Enquiries>(core.transactions));
    auto& change = context.Own(std::make_unique<app::ChangeDiscrepancy>(core.transactions, clock));
    auto& service = context.Own(
        std::make_unique<transport::ReconciliationService>(enquiries, change, days.runs));
    auto& repair_service =
        context.Own(std::make_unique<transport::RepairService>(days.repairs, enquiries));
    auto& calls = context.Own(std::make_unique<rpc::CallTelemetry>(
        context.metrics(),
        std::vector<std::string_view>{transport::kServiceName, transport::kRepairServiceName,
                                      transport::kStatementServiceName, transport::kFileServiceName,
                                      inbox::kDeadLetterServiceName},
        &context.tracer()));

    rpc::ServerOptions server_options = options.grpc;
    server_options.tls = options.tls;
    // A statement file and what stands around it.
    server_options.receive_bytes_max = std::max<std::size_t>(
        server_options.receive_bytes_max, options.outside.file_bytes_max + 64 * 1'024);
    auto& server =
        context.Own(std::make_unique<rpc::Server>(server_options, clock, verifier, &calls));
    rpc::Service methods(transport::kServiceName, transport::Policy());
    service.Register(methods, workers, run_workers);
    server.Add(std::move(methods));
    rpc::Service repair_methods(transport::kRepairServiceName, transport::RepairPolicy());
    repair_service.Register(repair_methods, workers, run_workers);
    server.Add(std::move(repair_methods));
    // Imports and runs hold a database session each, and have threads of their own.
    auto& outside_workers = context.Own(std::make_unique<rpc::WorkerPool>(
        rpc::WorkerPool::Options{.name = "outside", .threads = 2, .queue_max = 16}));
    context.Keep(rpc::Observe(context.metrics(), outside_workers));
    rpc::Service statements(transport::kStatementServiceName, transport::StatementPolicy());
    outside.service.Register(statements, workers, outside_workers);
    server.Add(std::move(statements));
    rpc::Service file_methods(transport::kFileServiceName, transport::FilePolicy());
    files.service.Register(file_methods, workers, run_workers, files.slow);
    server.Add(std::move(file_methods));
    server.Add(core.dead_letters.MakeService(workers));
    context.Add({.name = "grpc",
                 .start = [&server]() -> Status {
                     KESSAI_RETURN_IF_ERROR(server.Start());
                     server.SetServing(true);
                     return OkStatus();
                 },
                 .drain =
                     [&server, &clock](SteadyInstant deadline) {
                         server.Stop(
                             std::chrono::duration_cast<Duration>(deadline - clock.SteadyNow()));
                     }});
}

Status Build(const Options& options, runtime::Context& context) {
    KESSAI_ASSIGN_OR_RETURN(const Core core, BuildCore(options, context));
    KESSAI_ASSIGN_OR_RETURN(auto key_file,
                            auth::KeyRingFile::Open({.path = options.internal_token_key_file}));
    const auto& keys = context.Own(std::move(key_file));
    BuildRelay(options, context, core);
    KESSAI_ASSIGN_OR_RETURN(const Outside outside, BuildOutside(options, context, core));
    BuildConsumers(options, context, core, outside);
    KESSAI_ASSIGN_OR_RETURN(const Peers peers, BuildPeers(options, context, keys));
    const Days days = BuildDays(options, context, core, peers);
    const Files files = BuildFiles(options, context, core, peers);
    BuildServer(options, context, core, keys, days, outside, files);
    return OkStatus();
}

}  // namespace
}  // namespace kessai::reconciliation

int main(int argc, char** argv) {
    namespace reconciliation = kessai::reconciliation;
    reconciliation::Options options;
    return kessai::runtime::Main(
        argc, argv,
        {.name = "reconciliation",
         .describe =
             [&](kessai::config::Schema& schema) { reconciliation::Describe(schema, options); },
         .migrate =
             [&](kessai::runtime::Context& context) {
                 return reconciliation::Migrate(options, context);
             },
         .build =
             [&](kessai::runtime::Context& context) {
                 return reconciliation::Build(options, context);
             }});
}
