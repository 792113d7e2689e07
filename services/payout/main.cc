// kessai-payout: wiring only.

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "app/accrue_payments.h"
#include "app/assign_fee_plan.h"
#include "app/balance_books.h"
#include "app/check_fees.h"
#include "app/close_day.h"
#include "app/day_keeper.h"
#include "app/fix_month_volumes.h"
#include "app/issue_statements.h"
#include "app/keep_due_dates.h"
#include "app/manage_merchant_profiles.h"
#include "app/preview_fee_plan.h"
#include "app/put_fee_plan.h"
#include "app/release_day.h"
#include "app/report_fees.h"
#include "app/trace_funds.h"
#include "kessai/auth/key_ring.h"
#include "kessai/auth/token.h"
#include "kessai/digest/row_hash.h"
#include "kessai/digest/store.h"
#include "kessai/inbox/consumer.h"
#include "kessai/inbox/dead_letter_desk.h"
#include "kessai/lease/lease.h"
#include "kessai/lease/lease_table.h"
#include "kessai/log/log.h"
#include "kessai/mysql/migration.h"
#include "kessai/mysql/telemetry.h"
#include "kessai/outbox/outbox_table.h"
#include "kessai/outbox/relay.h"
#include "kessai/pdf/font.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/telemetry.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/runtime/main.h"
#include "options.h"
#include "storage/migrations.h"
#include "storage/mysql_accrual_transaction.h"
#include "storage/mysql_book_reader.h"
#include "storage/mysql_check_reader.h"
#include "storage/mysql_day_store.h"
#include "storage/mysql_file_row_reader.h"
#include "storage/mysql_funds_reader.h"
#include "storage/mysql_hold_steps.h"
#include "storage/mysql_ledger_reader.h"
#include "storage/mysql_ledger_store.h"
#include "storage/mysql_payout_reader.h"
#include "storage/mysql_plan_store.h"
#include "storage/mysql_release_store.h"
#include "storage/mysql_restoring_store.h"
#include "storage/mysql_statement_store.h"
#include "storage/mysql_told_releases.h"
#include "transport/check_service.h"
#include "transport/csv_result_format.h"
#include "transport/csv_statement_format.h"
#include "transport/due_date_telemetry.h"
#include "transport/file_row_service.h"
#include "transport/http_account_verifier.h"
#include "transport/payment_event_handler.h"
#include "transport/payout_service.h"
#include "transport/pdf_statement_format.h"
#include "transport/proto_event_encoder.h"
#include "transport/release_telemetry.h"
#include "transport/repair_service.h"
#include "transport/statement_result_format.h"
#include "transport/statement_service.h"
#include "transport/transfer_service.h"

namespace kessai::payout {
namespace {

// As declared in proto/topics.yaml.
constexpr std::string_view kPaymentEvents = "payment.events.v1";
constexpr std::string_view kPayoutEvents = "payout.events.v1";
constexpr std::string_view kDeadLetters = "payout.payment-events.dlq.v1";
constexpr int kPartitions = 12;
constexpr int kDeadLetterPartitions = 3;
// Positions in the relay's topics.
constexpr int kDeadLetterTopic = 1;

std::array<mysql::MigrationSet, 5> AllMigrations() {
    return {lease::Migrations(), outbox::Migrations(), inbox::Migrations(), digest::Migrations(),
            storage::Migrations()};
}

Status Migrate(const Options& options, runtime::Context& context) {
    mysql::ConnectOptions connect = options.mysql.connect;
    connect.read_timeout = std::chrono::minutes(30);
    KESSAI_ASSIGN_OR_RETURN(const auto session, mysql::Session::Connect(connect, context.clock()));
    mysql::MigrationReport report;
    KESSAI_RETURN_IF_ERROR(mysql::Migrate(*session, AllMigrations(), &report));
    for (const std::string& step : report.applied) {
        log::Info("migration.applied", {{"step", step}});
    }
    return OkStatus();
}

mysql::Pool& AddPool(runtime::Context& context, std::string name, mysql::PoolOptions options,
                     mysql::QueryObserver& observer) {
    auto& pool =
        context.Own(std::make_unique<mysql::Pool>(std::move(options), context.clock(), &observer));
    context.Keep(mysql::ExposePool(context.metrics(), pool, name));
    context.Add({.name = std::move(name), .stop = [&pool] { pool.Close(); }});
    return pool;
}

/// For questions and jobs over whole days: their statements take long.
mysql::PoolOptions BulkPool(const Options& options) {
    mysql::PoolOptions bulk = options.mysql;
    bulk.sessions_max =
        std::max(options.days.release.threads, options.days.release.recount.threads) +
        options.slow_threads + 2;
    bulk.connect.read_timeout = std::chrono::minutes(2);
    bulk.connect.bulk_load = true;
    return bulk;
}

/// For the consumer's batches, which are large when it is behind.
mysql::PoolOptions ConsumerPool(const Options& options) {
    mysql::PoolOptions pool = options.mysql;
    pool.sessions_max = options.consumer.workers + 1;
    pool.connect.bulk_load = true;
    return pool;
}

/// What the parts share. References into what the context owns.
struct Core {
    mysql::Pool& pool;
    mysql::Pool& bulk;
    mysql::Pool& consumer;
    const digest::RowHasher& hasher;
    const app::EventEncoder& events;
    app::PlanCache& plans;
    app::PlanStore& plan_store;
    app::ReleaseStore& releases;
    outbox::Relay& relay;
    inbox::DeadLetterDesk& dead_letters;
};

storage::InboxName InboxOf(const Options& options) {
    return {options.consumer.group, std::string(kPaymentEvents)};
}

Core BuildCore(const Options& options, runtime::Context& context, digest::RowHasher hasher) {
    auto& telemetry = context.Own(std::make_unique<mysql::QueryTelemetry>(context.metrics()));
    auto& pool = AddPool(context, "mysql", options.mysql, telemetry);
    auto& bulk = AddPool(context, "mysql_bulk", BulkPool(options), telemetry);
    auto& consumer = AddPool(context, "mysql_consumer", ConsumerPool(options), telemetry);
    outbox::RelayOptions relay;
    relay.topics = {{std::string(kPayoutEvents), kPartitions},
                    {std::string(kDeadLetters), kDeadLetterPartitions}};
    relay.producer.connection = options.kafka;
    auto& running = context.Own(std::make_unique<outbox::Relay>(
        std::move(relay), pool, context.metrics(), outbox::DeleteHook(), context.clock()));
    context.Add({.name = "relay",
                 .start =
                     [&running] {
                         running.Start();
                         return OkStatus();
                     },
                 .stop = [&running] { running.Stop(); }});
    return {pool,
            bulk,
            consumer,
            context.Own(std::make_unique<digest::RowHasher>(hasher)),
            context.Own(std::make_unique<transport::ProtoEventEncoder>(domain::TaxTable::Japan(),
                                                                       kPartitions)),
            context.Own(std::make_unique<app::PlanCache>()),
            context.Own(std::make_unique<storage::MysqlPlanStore>(pool)),
            context.Own(std::make_unique<storage::MysqlReleaseStore>(
                bulk, InboxOf(options), context.clock(),
                [&running](unsigned shards) { running.Notify(shards); })),
            running,
            context.Own(std::make_unique<inbox::DeadLetterDesk>(pool, context.clock()))};
}

app::ReleaseDay& BuildDays(const Options& options, runtime::Context& context, const Core& core,
                           app::DayKeeper*& keeper) {
    auto& days = context.Own(std::make_unique<storage::MysqlDayStore>(
        core.bulk, InboxOf(options),
        [&relay = core.relay](unsigned shards) { relay.Notify(shards); }));
    app::CloseDayOptions close = options.days.close;
    close.payment_partitions = kPartitions;
    close.payout_partitions = kPartitions;
    auto& close_day =
        context.Own(std::make_unique<app::CloseDay>(close, days, core.events, context.clock()));
    auto& telemetry = context.Own(std::make_unique<transport::ReleaseTelemetry>(context.metrics()));
    auto& release_day = context.Own(std::make_unique<app::ReleaseDay>(
        options.days.release, core.releases, core.plans, domain::TaxTable::Japan(), core.events,
        context.clock(), telemetry.Observer()));
    auto& fix_month_volumes =
        context.Own(std::make_unique<app::FixMonthVolumes>(core.plan_store, context.clock()));
    auto& running = context.Own(std::make_unique<app::DayKeeper>(
        options.days.keeper, close_day, fix_month_volumes, release_day, days, context.clock(),
        app::DayKeeper::Observer{
            .on_error = [&telemetry](const Status& why) { telemetry.OnError(why); },
            .on_late = [&telemetry](Duration by) { telemetry.OnLate(by); }}));
    context.Add({.name = "day_keeper",
                 .start =
                     [&running] {
                         running.Start();
                         return OkStatus();
                     },
                 .ready = [&running] { return running.Ready(); },
                 .stop = [&running] { running.Stop(); }});
    keeper = &running;
    return release_day;
}

void BuildConsumer(const Options& options, runtime::Context& context, const Core& core,
                   app::DayKeeper& keeper) {
    auto& accrue =
        context.Own(std::make_unique<app::AccruePayments>(core.plans, domain::TaxTable::Japan()));
    transport::PaymentEventHandler::Ports ports;
    ports.join = [core](mysql::Session& session, int partition) {
        return std::make_unique<storage::MysqlAccrualTransaction>(session, partition, core.hasher,
                                                                  core.events);
    };
    ports.store_dead_letters = storage::StoreDeadLetters;
    ports.on_events = [&relay = core.relay] { relay.Notify((1u << outbox::kShards) - 1); };
    ports.on_mark = [&keeper] { keeper.Notify(); };
    auto& handler = context.Own(std::make_unique<transport::PaymentEventHandler>(
        std::move(ports), accrue, kPartitions, transport::AccrualMetrics(context.metrics()),
        context.clock()));

    inbox::ConsumerOptions consumer;
    consumer.client.connection = options.kafka;
    consumer.client.group = options.consumer.group;
    consumer.client.topic = kPaymentEvents;
    consumer.client.fetch_bytes_min = std::size_t{64} << 10;
    consumer.partitions = kPartitions;
    consumer.dead_letter_topic = kDeadLetterTopic;
    consumer.dead_letter_partitions = kDeadLetterPartitions;
    consumer.workers = options.consumer.workers;
    consumer.batch_events_max = options.consumer.batch_events_max;
    consumer.batch_every = options.consumer.batch_every;
    // Partitions one after the other, and between two of those that reconciliation applies, so that
    // what is accrued here is not there before the payment itself.
    consumer.batch_phase = options.consumer.batch_every / kPartitions / 2;
    consumer.tracer = &context.tracer();
    core.dead_letters.Add(consumer, handler);
    auto& running = context.Own(std::make_unique<inbox::Consumer>(
        std::move(consumer), core.consumer, handler, context.metrics(), context.clock()));
    context.Add({.name = "consumer",
                 .start = [&running] { return running.Start(); },
                 .stop = [&running] { running.Stop(); }});
}

/// Due dates by themselves; of the replicas the one that holds the lease drives.
void BuildDueDates(const Options& options, runtime::Context& context, const Core& core,
                   app::CreateTransfers& create, app::SendTransfers& send,
                   app::LedgerStore& store) {
    auto& lease = context.Own(std::make_unique<lease::Lease>(
        core.pool, lease::LeaseOptions{.name = "payout.due_dates", .owner = {}}, context.clock()));
    auto& telemetry = context.Own(std::make_unique<transport::DueDateTelemetry>(context.metrics()));
    auto& keeper = context.Own(std::make_unique<app::KeepDueDates>(
        options.transfers.due_dates, create, send, store, [&lease] { return lease.Held(); },
        context.clock(), telemetry.Observer()));
    if (!options.transfers.due_dates.at && !options.transfers.due_dates.files_at) return;
    context.Add({.name = "due_dates",
                 .start =
                     [&lease, &keeper] {
                         lease.Start();
                         keeper.Start();
                         return OkStatus();
                     },
                 .stop =
                     [&lease, &keeper] {
                         keeper.Stop();
                         lease.Stop();
                     }});
}

/// Null where no bank can be asked.
Result<app::AccountVerifier*> BuildVerifier(const AccountSettings& settings,
                                            runtime::Context& context) {
    if (settings.verifier_url.empty()) return nullptr;
    transport::HttpAccountVerifier::Options options;
    KESSAI_ASSIGN_OR_RETURN(options.url, http::Url::Parse(settings.verifier_url));
    options.token = settings.verifier_token;
    options.timeout = settings.verifier_timeout;
    options.ca_file = settings.verifier_ca_file;
    KESSAI_ASSIGN_OR_RETURN(
        auto verifier, transport::HttpAccountVerifier::Create(std::move(options), context.clock()));
    return &context.Own(std::move(verifier));
}

app::RepublishEvents& BuildRepublish(runtime::Context& context, const Core& core,
                                     app::LedgerStore& store) {
    const auto notify = [&relay = core.relay](unsigned shards) { relay.Notify(shards); };
    auto& holds =
        context.Own(std::make_unique<storage::MysqlHoldSteps>(core.pool, core.events, notify));
    auto& releases =
        context.Own(std::make_unique<storage::MysqlToldReleases>(core.pool, core.events, notify));
    return context.Own(std::make_unique<app::RepublishEvents>(store, holds, releases));
}

Result<transport::TransferService*> BuildTransfers(const Options& options,
                                                   runtime::Context& context, const Core& core,
                                                   app::LedgerStore& store,
                                                   app::RepublishEvents& republish) {
    KESSAI_ASSIGN_OR_RETURN(app::SendTransfersOptions sending, SendingOf(options.transfers));
    KESSAI_ASSIGN_OR_RETURN(app::AccountVerifier* const verifier,
                            BuildVerifier(options.accounts, context));
    auto& reader = context.Own(std::make_unique<storage::MysqlLedgerReader>(core.pool));
    auto& funds = context.Own(std::make_unique<storage::MysqlFundsReader>(core.pool, core.bulk));
    auto& books = context.Own(std::make_unique<storage::MysqlBookReader>(core.bulk));
    auto& csv = context.Own(std::make_unique<transport::CsvResultFormat>());
    std::optional<zengin::Account> paying;
    if (!options.transfers.originator_code.empty()) paying = sending.originator.account;
    auto& statement = context.Own(std::make_unique<transport::StatementResultFormat>(
        options.transfers.statement_years, std::move(paying)));
    const domain::TaxTable& taxes = domain::TaxTable::Japan();
    auto& create =
        context.Own(std::make_unique<app::CreateTransfers>(options.transfers.create, store, taxes));
    auto& send = context.Own(std::make_unique<app::SendTransfers>(std::move(sending), store));
    BuildDueDates(options, context, core, create, send, store);
    return &context.Own(
        std::make_unique<transport::TransferService>(transport::TransferService::UseCases{
            reader,
            context.Own(std::make_unique<app::ManageBankAccounts>(store, options.accounts.accounts,
                                                                  verifier)),
            context.Own(std::make_unique<app::ManagePayoutTerms>(store)), create,
            context.Own(std::make_unique<app::RequestPayout>(store, taxes)),
            context.Own(std::make_unique<app::CancelTransfer>(store)), send,
            context.Own(std::make_unique<app::ImportResults>(
                options.transfers.import, store,
                std::vector<const app::BankResultFormat*>{&csv, &statement})),
            context.Own(std::make_unique<app::AdjustBalance>(store)),
            context.Own(std::make_unique<app::TraceFunds>(funds, context.clock())),
            context.Own(std::make_unique<app::BalanceBooks>(books, store, context.clock())),
            context.Own(std::make_unique<app::ReportFees>(
                app::ReportFees::Options{.threads = options.days.release.recount.threads}, books,
                store, core.releases, core.plans, context.clock())),
            republish}));
}

Result<transport::StatementService*> BuildStatements(const Options& options,
                                                     runtime::Context& context, const Core& core,
                                                     app::LedgerStore& ledger) {
    KESSAI_ASSIGN_OR_RETURN(auto font, pdf::Font::Open(options.statements.font_file));
    const std::vector<const app::StatementFormat*> formats{
        &context.Own(std::make_unique<transport::CsvStatementFormat>()),
        &context.Own(std::make_unique<transport::PdfStatementFormat>(std::move(font)))};
    auto& store =
        context.Own(std::make_unique<storage::MysqlStatementStore>(core.pool, context.clock()));
    return &context.Own(std::make_unique<transport::StatementService>(
        context.Own(std::make_unique<app::ManageMerchantProfiles>(ledger, store, formats)),
        context.Own(std::make_unique<app::IssueStatements>(options.statements.issuer, ledger, store,
                                                           formats, domain::TaxTable::Japan()))));
}

Status BuildServer(const Options& options, runtime::Context& context, const Core& core,
                   app::ReleaseDay& release_day) {
    auto& ledger = context.Own(std::make_unique<storage::MysqlLedgerStore>(
        core.pool, context.clock(), core.events,
        [&relay = core.relay](unsigned shards) { relay.Notify(shards); }));
    app::RepublishEvents& republish = BuildRepublish(context, core, ledger);
    KESSAI_ASSIGN_OR_RETURN(transport::TransferService* const transfers,
                            BuildTransfers(options, context, core, ledger, republish));
    KESSAI_ASSIGN_OR_RETURN(transport::StatementService* const statements,
                            BuildStatements(options, context, core, ledger));
    auto& reader = context.Own(std::make_unique<storage::MysqlPayoutReader>(
        core.pool, core.bulk, core.hasher, domain::TaxTable::Japan()));
    auto& put_fee_plan =
        context.Own(std::make_unique<app::PutFeePlan>(core.plan_store, context.clock()));
    auto& assign_fee_plan =
        context.Own(std::make_unique<app::AssignFeePlan>(core.plan_store, context.clock()));
    auto& preview_fee_plan = context.Own(
        std::make_unique<app::PreviewFeePlan>(app::PreviewFeePlan::Options(), core.releases,
                                              core.plan_store, core.plans, context.clock()));
    auto& methods = context.Own(std::make_unique<transport::PayoutService>(
        reader,
        transport::PayoutService::FeePlanCases{put_fee_plan, assign_fee_plan, preview_fee_plan},
        release_day));

    auto& checks = context.Own(std::make_unique<transport::CheckService>(
        context.Own(std::make_unique<storage::MysqlCheckReader>(core.bulk, core.hasher)),
        context.Own(std::make_unique<app::CheckFees>(options.days.release.recount, core.releases,
                                                     core.plans, domain::TaxTable::Japan())),
        context.Own(std::make_unique<app::TraceFunds>(
            context.Own(std::make_unique<storage::MysqlFundsReader>(core.pool, core.bulk)),
            context.clock())),
        context.clock()));
    auto& file_row_reader = context.Own(std::make_unique<storage::MysqlFileRowReader>(core.pool));
    auto& file_rows =
        context.Own(std::make_unique<transport::FileRowService>(file_row_reader, reader));

    KESSAI_ASSIGN_OR_RETURN(auto keys, auth::KeyRingFile::Open({.path = options.token_key_file}));
    auto& ring = context.Own(std::move(keys));
    auto& verifier = context.Own(std::make_unique<auth::TokenVerifier>(
        ring, context.clock(), auth::TokenVerifier::Options{.audience = "payout"}));
    auto& telemetry = context.Own(std::make_unique<rpc::CallTelemetry>(
        context.metrics(),
        std::vector<std::string_view>{transport::kServiceName, transport::kTransferServiceName,
                                      transport::kStatementServiceName,
                                      transport::kRepairServiceName, transport::kCheckServiceName,
                                      transport::kFileRowServiceName,
                                      inbox::kDeadLetterServiceName},
        &context.tracer()));
    context.Keep(rpc::Observe(context.metrics(), verifier));

    const auto add_workers = [&](std::string name, int threads) -> rpc::WorkerPool& {
        rpc::WorkerPool::Options pool;
        pool.name = std::move(name);
        pool.threads = static_cast<std::size_t>(threads);
        auto& workers = context.Own(std::make_unique<rpc::WorkerPool>(pool));
        context.Keep(rpc::Observe(context.metrics(), workers));
        context.Add({.name = pool.name, .stop = [&workers] { workers.Stop(); }});
        return workers;
    };
    auto& quick = add_workers("quick", options.quick_threads);
    auto& slow = add_workers("slow", options.slow_threads);

    rpc::ServerOptions server_options = options.grpc;
    server_options.tls = options.tls;
    // With what is around a result file.
    server_options.receive_bytes_max = std::max<std::size_t>(
        server_options.receive_bytes_max, options.transfers.import.file_bytes_max + 64 * 1'024);
    auto& server = context.Own(std::make_unique<rpc::Server>(
        std::move(server_options), context.clock(), verifier, &telemetry));
    rpc::Service service(transport::kServiceName, transport::Policy());
    methods.Register(service, quick, slow);
    server.Add(std::move(service));
    rpc::Service transfer_service(transport::kTransferServiceName, transport::TransferPolicy());
    transfers->Register(transfer_service, quick, slow);
    server.Add(std::move(transfer_service));
    rpc::Service statement_service(transport::kStatementServiceName, transport::StatementPolicy());
    statements->Register(statement_service, quick, slow);
    server.Add(std::move(statement_service));
    auto& restoring = context.Own(std::make_unique<storage::MysqlRestoringStore>(
        core.pool, kPartitions, core.hasher, core.events, context.clock(),
        [&relay = core.relay](unsigned shards) { relay.Notify(shards); }));
    auto& repairs = context.Own(std::make_unique<transport::RepairService>(
        restoring,
        context.Own(std::make_unique<app::RestoreAccrual>(restoring, core.plans,
                                                          domain::TaxTable::Japan(), core.events,
                                                          core.hasher, context.clock())),
        context.Own(std::make_unique<app::AdjustBalance>(ledger)), ledger, republish));
    rpc::Service repair_service(transport::kRepairServiceName, transport::RepairPolicy());
    repairs.Register(repair_service, quick, slow);
    server.Add(std::move(repair_service));
    rpc::Service check_service(transport::kCheckServiceName, transport::CheckPolicy());
    checks.Register(check_service, slow);
    server.Add(std::move(check_service));
    rpc::Service file_row_service(transport::kFileRowServiceName, transport::FileRowPolicy());
    file_rows.Register(file_row_service, slow);
    server.Add(std::move(file_row_service));
    server.Add(core.dead_letters.MakeService(slow));
    context.Add({.name = "grpc",
                 .start =
                     [&server] {
                         KESSAI_RETURN_IF_ERROR(server.Start());
                         server.SetServing(true);
                         return OkStatus();
                     },
                 .drain =
                     [&server, &methods, &checks, &file_rows, transfers,
                      &clock = context.clock()](SteadyInstant deadline) {
                         methods.StopReleases();
                         checks.Stop();
                         transfers->StopRuns();
                         file_rows.StopLists();
                         (void)server.Stop(
                             std::chrono::duration_cast<Duration>(deadline - clock.SteadyNow()));
                     }});
    return OkStatus();
}

Status Build(const Options& options, runtime::Context& context) {
    KESSAI_ASSIGN_OR_RETURN(const digest::RowHasher hasher,
                            digest::RowHasher::FromHex(options.digest_key));
    const Core core = BuildCore(options, context, hasher);
    app::DayKeeper* keeper = nullptr;
    app::ReleaseDay& release_day = BuildDays(options, context, core, keeper);
    BuildConsumer(options, context, core, *keeper);
    return BuildServer(options, context, core, release_day);
}

}  // namespace
}  // namespace kessai::payout

int main(int argc, char** argv) {
    using namespace kessai;  // NOLINT
    payout::Options options;
    return runtime::Main(
        argc, argv,
        {.name = "payout",
         .describe = [&](config::Schema& schema) { payout::Describe(schema, options); },
         .migrate = [&](runtime::Context& context) { return payout::Migrate(options, context); },
         .build = [&](runtime::Context& context) { return payout::Build(options, context); }});
}
