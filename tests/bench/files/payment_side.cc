#include "bench/files/payment_side.h"

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "app/day_store.h"
#include "app/list_transactions.h"
#include "app/merchant_cache.h"
#include "kessai/auth/key_ring.h"
#include "kessai/auth/token.h"
#include "kessai/digest/store.h"
#include "kessai/event/bucket.h"
#include "kessai/ids/id_generator.h"
#include "kessai/inbox/consumer.h"
#include "kessai/lease/lease_table.h"
#include "kessai/mysql/migration.h"
#include "kessai/mysql/pool.h"
#include "kessai/mysql/transaction.h"
#include "kessai/outbox/outbox_table.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/worker_pool.h"
#include "storage/migrations.h"
#include "storage/mysql_day_store.h"
#include "storage/mysql_payment_reader.h"
#include "storage/mysql_transaction_reader.h"
#include "transport/transaction_service.h"

namespace kessai::bench {
namespace {

constexpr std::int64_t kRowsPerTransaction = 40'000;
constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr int kRefundEvery = 50;
constexpr int kListThreads = 4;

constexpr mysql::BulkTarget kJournal{
    "bench.load_journal", "journal",
    "object_id, version, event_id, kind, business_date, occurred_at_us, merchant_id, user_id, "
    "currency, amount, merchant_payment_id, store_id, terminal_id, order_receipt_number, "
    "order_amount, captured_total, refunded_before, payment_date, payment_accepted_at_us, "
    "refund_id, merchant_refund_id, source, bucket"};
constexpr mysql::BulkTarget kMerchants{
    "bench.load_merchants", "merchant",
    "merchant_id, name, suspended, multiple_refunds, changed_at_us"};
constexpr mysql::Query kForgetMerchants{"bench.forget_merchants", "DELETE FROM merchant"};
constexpr mysql::Query kCloseDay{"bench.close_day", R"sql(
    INSERT INTO business_day (business_date, state, closing_at_us, mark_row_id, closed_at_us)
    VALUES (?, 4, ?, 0, ?))sql"};
constexpr mysql::Query kAnalyze{"bench.analyze", "ANALYZE TABLE journal"};

std::string Padded(const char* prefix, std::int64_t number, int digits) {
    char text[48];
    const int size = std::snprintf(text, sizeof text, "%s%0*lld", prefix, digits,
                                   static_cast<long long>(number));
    return {text, static_cast<std::size_t>(size)};
}

/// An id that was made at `micros` of the day; the sequence keeps those of a millisecond apart.
std::int64_t IdAt(BusinessDate date, std::int64_t micros, std::int64_t number) {
    return IdGenerator::LowestAt(date.StartsAt() + Duration(micros)) + number % 4'096;
}

void AddRow(const FilesDay& day, std::int64_t number, mysql::BulkRows& rows) {
    const std::int64_t micros =
        static_cast<std::int64_t>(static_cast<double>(kMicrosPerDay) * static_cast<double>(number) /
                                  static_cast<double>(day.rows));
    const bool is_refund = number % kRefundEvery == 0;
    const BusinessDate paid_on = is_refund ? day.date.PlusDays(-7) : day.date;
    const std::int64_t id = IdAt(paid_on, micros, number);
    const std::int64_t amount = 1 + number * 7'919 % 30'000;
    const std::int64_t at = ToMicros(day.date.StartsAt()) + micros;
    rows.Add(id, is_refund ? 2 : 1, id + 1, is_refund ? 3 : 1, day.date, at,
             1 + number % day.merchants, 1 + number % 1'000'003, "JPY", amount,
             Padded("order-", number, 12), Padded("shop-", number % 97, 4),
             Padded("POS-", number % 13, 2), Padded("R-", number % 1'000'000, 6), amount, amount, 0,
             paid_on, at, is_refund ? id : 0, is_refund ? Padded("back-", number, 12) : "", "",
             event::BucketOf(id));
}

Status LoadMerchants(mysql::Pool& pool, std::int64_t count) {
    return mysql::InTransaction(pool, {}, [&](mysql::Session& session) -> Status {
        KESSAI_RETURN_IF_ERROR(session.Execute(kForgetMerchants).status());
        mysql::BulkRows rows = session.NewBulkRows();
        for (std::int64_t merchant = 1; merchant <= count; ++merchant) {
            rows.Add(merchant, "カフェ決済 " + std::to_string(merchant), 0, 1, 0);
            if (rows.size() == kRowsPerTransaction || merchant == count) {
                KESSAI_RETURN_IF_ERROR(session.StoreBulk(kMerchants, rows));
                rows.Clear();
            }
        }
        return OkStatus();
    });
}

mysql::PoolOptions ForLoading(const mysql::ConnectOptions& connect) {
    mysql::PoolOptions options;
    options.connect = connect;
    options.connect.bulk_load = true;
    options.connect.read_timeout = std::chrono::minutes(10);
    return options;
}

}  // namespace

Status MigratePayment(const mysql::ConnectOptions& connect) {
    KESSAI_ASSIGN_OR_RETURN(const auto session, mysql::Session::Connect(connect));
    const mysql::MigrationSet sets[] = {lease::Migrations(), outbox::Migrations(),
                                        inbox::Migrations(), digest::Migrations(),
                                        payment::storage::Migrations()};
    return mysql::Migrate(*session, sets);
}

Status LoadFilesDay(const mysql::ConnectOptions& connect, const FilesDay& day, int threads) {
    mysql::Pool pool(ForLoading(connect));
    KESSAI_RETURN_IF_ERROR(LoadMerchants(pool, day.merchants));
    std::atomic<std::int64_t> next{0};
    std::vector<Status> outcomes(static_cast<std::size_t>(threads));
    {
        std::vector<std::jthread> loaders;
        for (Status& outcome : outcomes) {
            loaders.emplace_back([&pool, &day, &next, &outcome] {
                for (std::int64_t from = next.fetch_add(kRowsPerTransaction);
                     from < day.rows && outcome.ok(); from = next.fetch_add(kRowsPerTransaction)) {
                    const std::int64_t to = std::min(day.rows, from + kRowsPerTransaction);
                    outcome = mysql::InTransaction(pool, {}, [&](mysql::Session& session) {
                        mysql::BulkRows rows = session.NewBulkRows();
                        for (std::int64_t i = from; i < to; ++i) AddRow(day, i, rows);
                        return session.StoreBulk(kJournal, rows);
                    });
                }
            });
        }
    }
    for (const Status& outcome : outcomes) KESSAI_RETURN_IF_ERROR(outcome);
    KESSAI_ASSIGN_OR_RETURN(auto session, pool.Acquire(std::chrono::seconds(10)));
    const std::int64_t end = ToMicros(day.date.Next().StartsAt());
    KESSAI_RETURN_IF_ERROR(session->Select(kAnalyze).status());
    return session->Execute(kCloseDay, day.date, end, end).status();
}

Status LoadFilesMerchants(const mysql::ConnectOptions& connect, const FilesDay& day) {
    mysql::Pool pool(ForLoading(connect));
    return LoadMerchants(pool, day.merchants);
}

struct ServedPayment::Impl {
    explicit Impl(const mysql::ConnectOptions& connect)
        : pool(mysql::PoolOptions{.connect = connect}),
          days(pool, hasher),
          reader(pool),
          transactions(pool),
          list(transactions, days),
          names(std::chrono::seconds(30), 200'000, SystemClock()),
          service(list, reader, names),
          keys(auth::KeyRing::Parse(kBenchKeys).value()),
          verifier(keys, SystemClock(), {.audience = "payment"}),
          workers({.name = "lists", .threads = kListThreads}),
          server({}, SystemClock(), verifier, nullptr) {
        rpc::Service methods(payment::transport::kTransactionServiceName,
                             payment::transport::TransactionPolicy());
        service.Register(methods, workers);
        server.Add(std::move(methods));
        const Status started = server.Start();
        if (started.ok()) {
            port = server.port();
        } else {
            std::fprintf(stderr, "%s\n", started.ToString().c_str());
        }
    }
    ~Impl() {
        server.Stop(std::chrono::seconds(5));
        workers.Stop();
    }

    mysql::Pool pool;
    const digest::RowHasher hasher{digest::RowHasher::Key{}};
    payment::storage::MysqlDayStore days;
    payment::storage::MysqlPaymentReader reader;
    payment::storage::MysqlTransactionReader transactions;
    payment::app::ListTransactions list;
    payment::app::MerchantCache names;
    payment::transport::TransactionService service;
    const auth::FixedKeyRing keys;
    auth::TokenVerifier verifier;
    rpc::WorkerPool workers;
    rpc::Server server;
    int port = 0;
};

ServedPayment::ServedPayment(const mysql::ConnectOptions& connect)
    : impl_(std::make_unique<Impl>(connect)) {}
ServedPayment::~ServedPayment() = default;

int ServedPayment::port() const {
    return impl_->port;
}

int ServePayment(const mysql::ConnectOptions& connect) {
    const ServedPayment payment(connect);
    if (payment.port() == 0) return 1;
    std::printf("%d\n", payment.port());
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
    return 0;
}

}  // namespace kessai::bench
