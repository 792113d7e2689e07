#include "bench/recon/digest_cost.h"

#include <sys/resource.h>

#include <functional>

#include "bench/recon/live_books.h"
#include "kessai/digest/store.h"
#include "kessai/inbox/consumer.h"
#include "kessai/lease/lease_table.h"
#include "kessai/metrics/registry.h"
#include "kessai/mysql/migration.h"
#include "kessai/mysql/pool.h"
#include "kessai/outbox/outbox_table.h"
#include "kessai/outbox/relay.h"
#include "kessai/time/clock.h"
#include "storage/migrations.h"
#include "transport/published_digests.h"

namespace kessai::bench {
namespace {

constexpr Duration kEmptyWithin = std::chrono::minutes(3);
constexpr std::int64_t kFirstMerchant = 50'000'000'000;

constexpr mysql::Query kMerchant{"bench.merchant", R"sql(
    INSERT IGNORE INTO merchant (merchant_id, name, suspended, multiple_refunds, changed_at_us)
    VALUES (?, 'bench', 0, 1, 0))sql"};
constexpr mysql::Query kMerchants{"bench.merchants", "SELECT COUNT(*) FROM merchant"};
constexpr mysql::Query kWaiting{"bench.outbox", "SELECT COUNT(*) FROM outbox"};

double CpuSeconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Status Prepare(mysql::Session& session, std::int64_t merchants) {
    const mysql::MigrationSet sets[] = {lease::Migrations(), outbox::Migrations(),
                                        inbox::Migrations(), digest::Migrations(),
                                        payment::storage::Migrations()};
    KESSAI_RETURN_IF_ERROR(mysql::Migrate(session, sets));
    KESSAI_ASSIGN_OR_RETURN(auto known, session.Select(kMerchants));
    if (known.Next() && known.Int(0) >= merchants) return OkStatus();
    for (std::int64_t i = 0; i < merchants; ++i) {
        KESSAI_RETURN_IF_ERROR(session.Execute(kMerchant, kFirstMerchant + i).status());
    }
    return OkStatus();
}

Status WaitForEmptyOutbox(mysql::Session& session) {
    const SteadyInstant deadline = SystemClock().SteadyNow() + kEmptyWithin;
    while (true) {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kWaiting));
        if (rows.Next() && rows.Int(0) == 0) return OkStatus();
        if (SystemClock().SteadyNow() > deadline) {
            return Status(Code::kDeadlineExceeded, "OUTBOX_NOT_EMPTY",
                          "the relay did not publish all that was traded");
        }
        SystemClock().SleepFor(std::chrono::milliseconds(20));
    }
}

}  // namespace

Result<DigestCost> TradeAndPublish(const mysql::ConnectOptions& connect,
                                   const DigestCostRecipe& recipe,
                                   const digest::RowHasher& hasher) {
    KESSAI_ASSIGN_OR_RETURN(const auto session, mysql::Session::Connect(connect));
    KESSAI_RETURN_IF_ERROR(Prepare(*session, recipe.merchants));
    mysql::Pool pool({.connect = connect, .sessions_max = 16});
    outbox::RelayOptions options;
    options.topics = {{recipe.topic, recipe.partitions}};
    options.producer.connection.brokers = recipe.brokers;
    outbox::DeleteHook hook;
    if (recipe.keeps_digests) {
        hook = [&hasher](mysql::Session& of, std::span<const outbox::Published> published) {
            return payment::transport::AddPublishedToDigests(of, published, hasher);
        };
    }
    metrics::Registry metrics;
    outbox::Relay relay(options, pool, metrics, std::move(hook));
    relay.Start();
    KESSAI_RETURN_IF_ERROR(WaitForEmptyOutbox(*session));

    const SteadyInstant begin = SystemClock().SteadyNow();
    const double cpu = CpuSeconds();
    TradeRecipe trade;
    trade.payments = recipe.payments;
    trade.first_merchant = kFirstMerchant;
    trade.merchants = recipe.merchants;
    trade.seed = recipe.seed;
    trade.on_events = [&relay](unsigned shards) { relay.Notify(shards); };
    KESSAI_ASSIGN_OR_RETURN(const TradeFacts facts, Trade(connect, trade));
    KESSAI_RETURN_IF_ERROR(WaitForEmptyOutbox(*session));
    DigestCost cost;
    cost.seconds = std::chrono::duration<double>(SystemClock().SteadyNow() - begin).count();
    cost.cpu_seconds = CpuSeconds() - cpu;
    cost.changes = facts.payments + facts.canceled + facts.refunded;
    relay.Stop();
    return cost;
}

}  // namespace kessai::bench
