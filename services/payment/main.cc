#include <memory>
#include <string>

#include "app/balance_books.h"
#include "app/batch_executor.h"
#include "app/day_closer.h"
#include "app/list_transactions.h"
#include "app/merchant_cache.h"
#include "kessai/auth/key_ring.h"
#include "kessai/auth/policy.h"
#include "kessai/auth/token.h"
#include "kessai/digest/row_hash.h"
#include "kessai/digest/store.h"
#include "kessai/inbox/consumer.h"
#include "kessai/inbox/dead_letter_desk.h"
#include "kessai/lease/lease_table.h"
#include "kessai/lease/leased_ids.h"
#include "kessai/log/log.h"
#include "kessai/mysql/migration.h"
#include "kessai/mysql/telemetry.h"
#include "kessai/outbox/outbox_table.h"
#include "kessai/outbox/relay.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/telemetry.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/runtime/main.h"
#include "options.h"
#include "storage/first_day.h"
#include "storage/leased_ids.h"
#include "storage/migrations.h"
#include "storage/mysql_book_reader.h"
#include "storage/mysql_day_store.h"
#include "storage/mysql_digest_repairs.h"
#include "storage/mysql_ledger_store.h"
#include "storage/mysql_payment_reader.h"
#include "storage/mysql_release_ledger.h"
#include "storage/mysql_transaction_reader.h"
#include "transport/book_service.h"
#include "transport/command_service.h"
#include "transport/day_service.h"
#include "transport/event_encoder.h"
#include "transport/executor_metrics.h"
#include "transport/method_policy.h"
#include "transport/published_digests.h"
#include "transport/query_service.h"
#include "transport/release_consumer.h"
#include "transport/repair_service.h"
#include "transport/transaction_service.h"

namespace kessai::payment {
namespace {

constexpr std::string_view kServiceName = "kessai.payment.v1.PaymentService";
constexpr int kEventPartitions = 12;
constexpr int kDeadLetterPartitions = 3;
// The release consumer's gate row: the executors take theirs from first_gate_slot upwards.
constexpr int kReleaseGateSlot = storage::kGateSlots - 1;

/// Nothing is dated to a day that has not come.
Result<BusinessDate> FirstDayOf(const Options& options, const Clock& clock) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate day, BusinessDate::Parse(options.first_day));
    if (day <= BusinessDate::OfJst(clock.Now())) return day;
    return Status(Code::kInvalidArgument, "FIRST_DAY_NOT_COME",
                  day.ToString() + " has not come yet in Japan");
}

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
    if (!options.first_day.empty()) {
        KESSAI_ASSIGN_OR_RETURN(const BusinessDate day, FirstDayOf(options, context.clock()));
        KESSAI_RETURN_IF_ERROR(storage::SetFirstDay(*session, day));
    }
    return OkStatus();
}

void LogFailure(std::string_view what, const Status& status) {
    log::Warn(what, {{"status", status}});
}

outbox::RelayOptions RelayOptions(const Options& options) {
    outbox::RelayOptions relay;
    relay.topics = {{"payment.events.v1", kEventPartitions},
                    {"payment.payout-events.dlq.v1", kDeadLetterPartitions}};
    relay.producer.connection = options.kafka;
    return relay;
}

inbox::ConsumerOptions ReleaseConsumerOptions(const Options& options) {
    inbox::ConsumerOptions consumer;
    consumer.client.connection = options.kafka;
    consumer.client.group = "payment";
    consumer.client.topic = "payout.events.v1";
    consumer.client.fetch_bytes_min = std::size_t{64} << 10;
    consumer.partitions = kEventPartitions;
    consumer.dead_letter_topic = 1;
    consumer.dead_letter_partitions = kDeadLetterPartitions;
    consumer.workers = 1;
    // Of this topic only a day's release matters here, and nobody waits for it.
    consumer.batch_every = std::chrono::seconds(2);
    return consumer;
}

Status Build(const Options& options, runtime::Context& context) {
    const Clock& clock = context.clock();
    auto hasher = digest::RowHasher::FromHex(options.digest_key);
    KESSAI_RETURN_IF_ERROR(hasher.status());
    const auto& row_hasher = context.Own(std::make_unique<digest::RowHasher>(*hasher));

    auto& queries = context.Own(std::make_unique<mysql::QueryTelemetry>(context.metrics()));
    auto& pool = context.Own(std::make_unique<mysql::Pool>(options.mysql, clock, &queries));
    context.Keep(mysql::ExposePool(context.metrics(), pool));
    context.Add({.name = "mysql", .stop = [&pool] { pool.Close(); }});

    auto& leased = context.Own(std::make_unique<lease::LeasedIds>(
        pool, clock, [](const Status& why) { LogFailure("payment.no_worker_number", why); }));
    context.Add({.name = "ids",
                 .start = [&leased]() -> Status {
                     leased.Start();
                     return OkStatus();
                 },
                 .ready = [&leased] { return leased.Ready(); },
                 .stop = [&leased] { leased.Stop(); }});
    auto& ids = context.Own(std::make_unique<storage::LeasedIds>(leased));

    auto& relay = context.Own(std::make_unique<outbox::Relay>(
        RelayOptions(options), pool, context.metrics(),
        [&row_hasher](mysql::Session& session, std::span<const outbox::Published> published) {
            return transport::AddPublishedToDigests(session, published, row_hasher);
        },
        clock));
    context.Add({.name = "relay",
                 .start = [&relay]() -> Status {
                     relay.Start();
                     return OkStatus();
                 },
                 .stop = [&relay] { relay.Stop(); }});
    const auto notify = [&relay](unsigned shards) { relay.Notify(shards); };

    auto& store = context.Own(std::make_unique<storage::MysqlLedgerStore>(pool, notify));
    auto& reader = context.Own(std::make_unique<storage::MysqlPaymentReader>(pool));
    auto& days = context.Own(std::make_unique<storage::MysqlDayStore>(pool, row_hasher, notify));
    auto& merchants = context.Own(std::make_unique<app::MerchantCache>(
        options.merchant_cache_lifetime, options.merchant_cache_entries_max, clock));
    auto& encoder = context.Own(std::make_unique<transport::ProtoEventEncoder>());
    const app::BatchServices services{merchants, ids, encoder, options.policy};

    auto& executor_metrics =
        context.Own(std::make_unique<transport::ExecutorMetrics>(context.metrics()));
    auto& executor = context.Own(std::make_unique<app::BatchExecutor>(
        options.executor, store, services, clock, executor_metrics));
    context.Keep(executor_metrics.ExposeQueue(context.metrics(), executor));
    context.Add({.name = "executor",
                 .start = [&executor]() -> Status {
                     executor.Start();
                     return OkStatus();
                 },
                 .stop = [&executor] { executor.Stop(); }});

    app::DayCloserOptions day_options = options.day;
    day_options.partition_count = kEventPartitions;
    auto& closer = context.Own(std::make_unique<app::DayCloser>(
        day_options, days, ids, transport::EncodeMark, clock,
        [](const Status& why) { LogFailure("payment.day_not_taken_further", why); }));
    context.Add({.name = "day_closer",
                 .start = [&closer]() -> Status {
                     closer.Start();
                     return OkStatus();
                 },
                 .stop = [&closer] { closer.Stop(); }});

    auto& release_ledger =
        context.Own(std::make_unique<storage::MysqlReleaseLedger>(store, kReleaseGateSlot));
    auto& release_handler =
        context.Own(std::make_unique<transport::ReleaseConsumer>(release_ledger, services));
    auto& dead_letters = context.Own(std::make_unique<inbox::DeadLetterDesk>(pool, clock));
    inbox::ConsumerOptions consumer = ReleaseConsumerOptions(options);
    consumer.tracer = &context.tracer();
    dead_letters.Add(consumer, release_handler);
    auto& releases = context.Own(std::make_unique<inbox::Consumer>(
        std::move(consumer), pool, release_handler, context.metrics(), clock));
    context.Add({.name = "release_consumer",
                 .start = [&releases] { return releases.Start(); },
                 .stop = [&releases] { releases.Stop(); }});

    KESSAI_ASSIGN_OR_RETURN(auto key_file,
                            auth::KeyRingFile::Open({.path = options.internal_token_key_file}));
    const auto& keys = context.Own(std::move(key_file));
    const auto& verifier = context.Own(std::make_unique<auth::TokenVerifier>(
        keys, clock, auth::TokenVerifier::Options{.audience = "payment"}));
    const auto& policy = context.Own(std::make_unique<auth::MethodPolicy>(transport::Policy()));

    const auto add_workers = [&](std::string name, int threads) -> rpc::WorkerPool& {
        auto& made = context.Own(std::make_unique<rpc::WorkerPool>(rpc::WorkerPool::Options{
            .name = std::move(name), .threads = static_cast<std::size_t>(threads)}));
        context.Keep(rpc::Observe(context.metrics(), made));
        return made;
    };
    auto& workers = add_workers("queries", options.query_threads);
    auto& reporters = add_workers("reports", kReportThreads);
    context.Keep(rpc::Observe(context.metrics(), verifier));
    auto& commands = context.Own(std::make_unique<transport::CommandService>(
        executor, verifier, policy, clock, context.tracer()));
    context.Keep(rpc::Observe(context.metrics(), commands.stream()));
    auto& questions =
        context.Own(std::make_unique<transport::QueryService>(reader, merchants, clock));
    auto& day_service =
        context.Own(std::make_unique<transport::DayService>(closer, days, reader, ids, encoder));
    auto& book_reader = context.Own(std::make_unique<storage::MysqlBookReader>(pool));
    auto& balance_books = context.Own(std::make_unique<app::BalanceBooks>(book_reader, days));
    auto& books =
        context.Own(std::make_unique<transport::BookService>(balance_books, book_reader, days));
    auto& listers = add_workers("lists", kListThreads);
    auto& transactions = context.Own(std::make_unique<storage::MysqlTransactionReader>(pool));
    auto& list_transactions =
        context.Own(std::make_unique<app::ListTransactions>(transactions, days));
    auto& names =
        context.Own(std::make_unique<app::MerchantCache>(kNamesLifetime, kNamesMax, clock));
    auto& lists = context.Own(
        std::make_unique<transport::TransactionService>(list_transactions, reader, names));
    rpc::Service service(kServiceName, policy);
    commands.Register(service);
    questions.Register(service, workers);
    day_service.Register(service, workers);
    rpc::Service book_service(transport::kBookServiceName, transport::BookPolicy());
    books.Register(book_service, reporters);
    auto& repairs = context.Own(std::make_unique<transport::RepairService>(
        reader, encoder, days,
        context.Own(std::make_unique<storage::MysqlDigestRepairs>(pool, row_hasher, clock))));
    rpc::Service repair_service(transport::kRepairServiceName, transport::RepairPolicy());
    repairs.Register(repair_service, reporters);
    rpc::Service list_service(transport::kTransactionServiceName, transport::TransactionPolicy());
    lists.Register(list_service, listers);

    auto& calls = context.Own(std::make_unique<rpc::CallTelemetry>(
        context.metrics(),
        std::vector<std::string_view>{
            kServiceName, transport::kBookServiceName, transport::kRepairServiceName,
            transport::kTransactionServiceName, inbox::kDeadLetterServiceName},
        &context.tracer()));
    rpc::ServerOptions server_options = options.grpc;
    server_options.tls = options.tls;
    auto& server =
        context.Own(std::make_unique<rpc::Server>(server_options, clock, verifier, &calls));
    server.Add(std::move(service));
    server.Add(std::move(book_service));
    server.Add(std::move(repair_service));
    server.Add(std::move(list_service));
    server.Add(dead_letters.MakeService(workers));
    context.Add({.name = "grpc",
                 .start = [&server]() -> Status {
                     KESSAI_RETURN_IF_ERROR(server.Start());
                     server.SetServing(true);
                     return OkStatus();
                 },
                 .drain =
                     [&server, &books, &lists, &clock](SteadyInstant deadline) {
                         books.StopReports();
                         lists.StopLists();
                         server.Stop(
                             std::chrono::duration_cast<Duration>(deadline - clock.SteadyNow()));
                     }});
    return OkStatus();
}

}  // namespace
}  // namespace kessai::payment

int main(int argc, char** argv) {
    kessai::payment::Options options;
    return kessai::runtime::Main(
        argc, argv,
        {.name = "payment",
         .describe =
             [&](kessai::config::Schema& schema) { kessai::payment::Describe(schema, options); },
         .migrate =
             [&](kessai::runtime::Context& context) {
                 return kessai::payment::Migrate(options, context);
             },
         .build =
             [&](kessai::runtime::Context& context) {
                 return kessai::payment::Build(options, context);
             }});
}
