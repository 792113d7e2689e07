#include "bench/release/release_bench.h"

#include <algorithm>
#include <memory>

#include "bench/release/bulk_day.h"
#include "bench/release/ingested_day.h"
#include "bench/release/old_design.h"
#include "bench/release/one_sql.h"
#include "bench/release/process_memory.h"
#include "bench/release/spark_rival.h"
#include "domain/reason.h"
#include "domain/tax.h"
#include "kessai/mysql/migration.h"
#include "load/process_time.h"
#include "storage/running_balances.h"

namespace kessai::bench {
namespace {

constexpr double kPageMib = 16.0 / 1024;
constexpr Duration kTurnPoll = std::chrono::milliseconds(50);
constexpr double kWarmShare = 0.01;
// A burst of page writes by what was done before is not to be measured with the release.
constexpr double kDirtyShare = 0.15;

constexpr mysql::Query kAccrued{
    "bench.accrued", "SELECT COUNT(*), SUM(gross), SUM(fee) FROM accrual WHERE business_date = ?"};
constexpr mysql::Query kTotals{"bench.totals", R"sql(
    SELECT merchant_id, tax_class, SUM(gross), SUM(fee) FROM merchant_day_total
    WHERE business_date = ? GROUP BY merchant_id, tax_class ORDER BY merchant_id, tax_class)sql"};
constexpr payout::domain::MerchantRange kEverybody{payout::domain::kLowestMerchant,
                                                   payout::domain::kHighestMerchant};
constexpr mysql::Query kStatus{"bench.show_status", "SHOW GLOBAL STATUS LIKE ?"};
constexpr mysql::Query kVariables{"bench.show_variables", R"sql(
    SHOW GLOBAL VARIABLES WHERE Variable_name IN
        ('version', 'innodb_flush_log_at_trx_commit', 'innodb_doublewrite', 'innodb_flush_method',
         'innodb_buffer_pool_size', 'innodb_log_file_size', 'log_bin', 'sync_binlog', 'local_infile',
         'pid_file'))sql"};

double SecondsSince(SteadyInstant start) {
    return std::chrono::duration<double>(SystemClock().SteadyNow() - start).count();
}

double Seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

Result<std::int64_t> StatusOf(mysql::Session& session, std::string_view name) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kStatus, name));
    return rows.Next() ? std::stoll(rows.Text(1)) : 0;
}

mysql::PoolOptions PoolOf(mysql::ConnectOptions connect, int threads) {
    connect.bulk_load = true;
    connect.read_timeout = std::chrono::hours(2);
    connect.wait_timeout_s = 4 * 3'600;
    return {.connect = std::move(connect), .sessions_max = threads + 6};
}

class Bench {
 public:
    Bench(const ReleaseOptions& options, const mysql::ConnectOptions& connect)
        : options_(options),
          connect_(connect),
          day_(options.recipe),
          pool_(PoolOf(connect, options.threads)) {
        report_.recipe = options.recipe;
        report_.bulk = options.bulk;
        report_.later_day = options.later_day;
        report_.threads = options.threads;
        report_.machine = DescribeMachine();
    }

    Result<ReleaseReport> Run() {
        KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kSessionWithin));
        session_ = &*session;
        KESSAI_RETURN_IF_ERROR(mysql::Migrate(*session_, PayoutMigrations()));
        KESSAI_RETURN_IF_ERROR(ReadVariables());
        KESSAI_RETURN_IF_ERROR(Fill());
        KESSAI_RETURN_IF_ERROR(Close());
        if (options_.later_day) KESSAI_RETURN_IF_ERROR(GiveBalances());
        KESSAI_RETURN_IF_ERROR(Settle());
        if (options_.damage > 0) {
            KESSAI_RETURN_IF_ERROR(ReleaseDamaged());
            return std::move(report_);
        }
        KESSAI_RETURN_IF_ERROR(Release());
        KESSAI_RETURN_IF_ERROR(CheckRows());
        if (options_.kills > 0) {
            KESSAI_RETURN_IF_ERROR(ReleaseUnderKills());
        } else if (options_.rivals && !options_.later_day) {
            KESSAI_RETURN_IF_ERROR(Compete());
        }
        return std::move(report_);
    }

 private:
    void Tell(const std::string& line) const {
        if (options_.tell) options_.tell(line);
    }
    void Wrong(bool is_wrong, const std::string& what) {
        if (is_wrong) report_.wrong.push_back(what);
    }

    Status ReadVariables() {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_->Select(kVariables));
        while (rows.Next()) report_.mysql[rows.Text(0)] = rows.Text(1);
        return OkStatus();
    }

    Status Fill() {
        const SteadyInstant start = SystemClock().SteadyNow();
        if (options_.bulk) {
            Tell("loading the day straight into the tables");
            KESSAI_ASSIGN_OR_RETURN(report_.facts, LoadDay(pool_, day_, options_.threads));
        } else {
            Tell("sending the day through Kafka and payout's consumer");
            KESSAI_ASSIGN_OR_RETURN(
                const IngestedDay ingested,
                IngestDay(pool_, day_,
                          {.brokers = options_.brokers,
                           .topic = options_.topic,
                           .server_cpu_seconds = [this] { return ServerCpuSeconds(); }}));
            report_.facts = ingested.facts;
            report_.ingest_seconds = ingested.seconds;
            report_.ingest_client_cpu_seconds = ingested.client_cpu_seconds;
            report_.ingest_server_cpu_seconds = ingested.server_cpu_seconds;
        }
        report_.load_seconds = SecondsSince(start);
        return OkStatus();
    }

    Status Close() {
        Tell("closing it");
        payout_ = std::make_unique<MeasuredPayout>(pool_, options_.threads);
        const SteadyInstant start = SystemClock().SteadyNow();
        KESSAI_ASSIGN_OR_RETURN(const int closed, payout_->close_day().RunOnce());
        report_.close_seconds = SecondsSince(start);
        Wrong(closed != 1, "not one day was closed, but " + std::to_string(closed));
        return OkStatus();
    }

    /// What the day before would have left, had it been like this one.
    Status GiveBalances() {
        Tell("giving merchants balances of the cycle");
        std::vector<payout::domain::RunningBalance> balances;
        {
            KESSAI_ASSIGN_OR_RETURN(auto rows,
                                    session_->SelectStreamed(kTotals, options_.recipe.day));
            while (rows.Next()) {
                const std::int64_t fee = rows.Int(3);
                const std::int64_t net = rows.Int(2) - fee - fee / 10;
                balances.push_back({payout::domain::MerchantId(rows.Int(0)),
                                    static_cast<payout::domain::TaxClass>(rows.Int(1)),
                                    payout::domain::CycleStart(options_.recipe.day), fee, net});
                net_before_ += net;
            }
            KESSAI_RETURN_IF_ERROR(rows.status());
        }
        const BusinessDate before = options_.recipe.day.Previous();
        KESSAI_RETURN_IF_ERROR(
            payout::storage::InsertBalances(*session_, before, kEverybody, balances));
        return payout::storage::TurnToBalancesOf(*session_, before);
    }

    /// Reads every row once, as whoever has just ingested it, and waits for the writes of pages
    /// that the loading left.
    Status Settle() {
        Tell("waiting for the database to have written it");
        {
            KESSAI_ASSIGN_OR_RETURN(auto sums, session_->Select(kAccrued, options_.recipe.day));
            const bool known = sums.Next();
            Wrong(!known || sums.Int(0) != options_.recipe.accruals,
                  "the table has not as many accruals as were asked for");
            const DayFacts& facts = report_.facts;
            Wrong(!known || sums.Int(0) != facts.accruals || sums.Int(1) != facts.gross ||
                      sums.Int(2) != facts.fee,
                  "the accruals do not sum to what was generated");
        }
        KESSAI_ASSIGN_OR_RETURN(
            const auto bytes,
            NumberOf(*session_,
                     "SELECT data_length + index_length FROM information_schema.tables WHERE "
                     "table_schema = DATABASE() AND table_name = 'accrual'"));
        report_.accrual_mib = bytes >> 20;
        KESSAI_ASSIGN_OR_RETURN(const auto pages,
                                StatusOf(*session_, "Innodb_buffer_pool_pages_total"));
        for (int second = 0; second < options_.settle_seconds_max; ++second) {
            KESSAI_ASSIGN_OR_RETURN(const auto dirty,
                                    StatusOf(*session_, "Innodb_buffer_pool_pages_dirty"));
            if (static_cast<double>(dirty) < kDirtyShare * static_cast<double>(pages)) break;
            KESSAI_RETURN_IF_ERROR(RunSql(*session_, "DO SLEEP(1)"));
        }
        return OkStatus();
    }

    std::optional<double> ServerCpuSeconds() const {
        const auto pid = ProcessOfServer(report_.mysql);
        if (!pid) return std::nullopt;
        const auto time = load::ProcessorTimeOf(*pid);
        if (!time.ok()) return std::nullopt;
        return Seconds(*time);
    }

    static double MachineBusySeconds() {
        const auto time = load::ProcessorTimeOfMachine();
        return time.ok() ? Seconds(time->busy) : 0;
    }

    Status Release() {
        Tell("releasing it");
        ForgetPeakMemory();
        KESSAI_ASSIGN_OR_RETURN(const auto read_before,
                                StatusOf(*session_, "Innodb_buffer_pool_reads"));
        const auto server_before = ServerCpuSeconds();
        const double client_before = CpuSecondsOfThisProcess();
        const double machine_before = MachineBusySeconds();
        const SteadyInstant start = SystemClock().SteadyNow();
        KESSAI_ASSIGN_OR_RETURN(const auto sums,
                                payout_->release_day().Run(options_.recipe.day, /*deep=*/false));
        report_.release_seconds = SecondsSince(start);
        report_.machine_busy_seconds = MachineBusySeconds() - machine_before;
        report_.client_cpu_seconds = CpuSecondsOfThisProcess() - client_before;
        if (const auto after = ServerCpuSeconds(); after && server_before) {
            report_.server_cpu_seconds = *after - *server_before;
        }
        report_.peak_rss_mib = PeakMemoryMib();
        report_.times = payout_->times();
        KESSAI_ASSIGN_OR_RETURN(const auto read_after,
                                StatusOf(*session_, "Innodb_buffer_pool_reads"));
        report_.pages_read = read_after - read_before;
        report_.buffer_pool_warm = static_cast<double>(report_.pages_read) * kPageMib <
                                   kWarmShare * static_cast<double>(report_.accrual_mib) + 1;
        const DayFacts& facts = report_.facts;
        Wrong(sums.merchant_count != facts.merchants || sums.held_back_count != 0,
              std::to_string(sums.merchant_count) + " merchants were released, " +
                  std::to_string(sums.held_back_count) + " held back, of " +
                  std::to_string(facts.merchants));
        Wrong(sums.gross != facts.gross || sums.fee != facts.fee ||
                  sums.net != sums.gross - sums.fee - sums.tax,
              "the release does not sum to what was accrued");
        Wrong(report_.times.rows != facts.accruals,
              "the recount saw " + std::to_string(report_.times.rows) + " accruals");
        tax_ = sums.tax;
        return OkStatus();
    }

    /// The rows themselves, whatever the release says of them.
    Status CheckRows() {
        Tell("checking its rows");
        const DayFacts& facts = report_.facts;
        const std::string day = options_.recipe.day.ToString();
        struct Expected {
            std::string what;
            std::string sql;
            std::int64_t value;
        };
        const std::string releases = " FROM merchant_release WHERE business_date = '" + day + "'";
        const std::int64_t net = facts.gross - facts.fee - tax_;
        for (const Expected& expected : {
                 Expected{"merchants with release rows",
                          "SELECT COUNT(DISTINCT merchant_id)" + releases, facts.merchants},
                 Expected{"released accruals", "SELECT SUM(item_count)" + releases, facts.accruals},
                 Expected{"released gross", "SELECT SUM(gross)" + releases, facts.gross},
                 Expected{"released fees", "SELECT SUM(fee)" + releases, facts.fee},
                 Expected{"released tax", "SELECT SUM(tax)" + releases, tax_},
                 Expected{"released money", "SELECT SUM(net)" + releases, net},
                 Expected{"rows whose net is wrong",
                          "SELECT SUM(net <> gross - fee - tax)" + releases, 0},
                 Expected{
                     "chunks that are not done",
                     "SELECT SUM(done = 0) FROM release_chunk WHERE business_date = '" + day + "'",
                     0},
             }) {
            KESSAI_ASSIGN_OR_RETURN(const auto value, NumberOf(*session_, expected.sql));
            Wrong(value != expected.value, expected.what + ": " + std::to_string(value) + ", not " +
                                               std::to_string(expected.value));
        }
        return CheckBalances(net_before_ + net);
    }

    Status CheckBalances(std::int64_t released) {
        KESSAI_ASSIGN_OR_RETURN(const auto balances,
                                payout::storage::LoadBalances(*session_, kEverybody));
        std::int64_t merchants = 0;
        std::int64_t sum = 0;
        payout::domain::MerchantId last;
        for (const payout::domain::RunningBalance& balance : balances) {
            if (balance.merchant != last) ++merchants;
            last = balance.merchant;
            sum += balance.released;
        }
        Wrong(merchants != report_.facts.merchants || sum != released,
              "running balances of " + std::to_string(merchants) + " merchants sum to " +
                  std::to_string(sum) + ", not " + std::to_string(released));
        return OkStatus();
    }

    Status ReleaseDamaged() {
        Tell("damaging it in " + std::to_string(options_.damage) + " places");
        KESSAI_ASSIGN_OR_RETURN(
            report_.damage,
            ProveDamageIsFound(*session_, *payout_, options_.recipe.day, options_.damage,
                               options_.recipe.seed, [this](const auto& line) { Tell(line); }));
        report_.release_seconds = report_.damage->release_seconds;
        TakeWrong(report_.damage->wrong);
        return Audit();
    }

    Status ReleaseUnderKills() {
        Tell("releasing it again, killed at " + std::to_string(options_.kills) + " random points");
        const KillOptions kills{.command = options_.releaser,
                                .kills = options_.kills,
                                .seed = options_.recipe.seed,
                                .recount_seconds = report_.times.recount_seconds,
                                .write_seconds = report_.times.write_seconds};
        KESSAI_ASSIGN_OR_RETURN(report_.kills,
                                ProveKillsChangeNothing(*session_, options_.recipe.day, kills,
                                                        [this](const auto& line) { Tell(line); }));
        TakeWrong(report_.kills->wrong);
        KESSAI_RETURN_IF_ERROR(CheckRows());
        return Audit();
    }

    Status Audit() {
        Tell("auditing it");
        KESSAI_ASSIGN_OR_RETURN(report_.audit, AuditPayout(connect_));
        for (const std::string& finding : report_.audit->found) Wrong(true, "audit: " + finding);
        return OkStatus();
    }

    void TakeWrong(const std::vector<std::string>& wrong) {
        report_.wrong.insert(report_.wrong.end(), wrong.begin(), wrong.end());
    }

    Status Compete() {
        std::vector<std::unique_ptr<Rival>> rivals;
        rivals.push_back(std::make_unique<OneSql>());
        if (!options_.spark_command.empty()) {
            rivals.push_back(std::make_unique<SparkRival>(options_.spark_command, connect_));
        }
        // Last: it adds an index to the accruals.
        rivals.push_back(std::make_unique<OldDesign>(day_, options_.old_sample));
        const Contest contest{pool_, options_.recipe.day, options_.recipe.accruals,
                              options_.recipe.merchants, options_.threads};
        for (const auto& rival : rivals) {
            KESSAI_RETURN_IF_ERROR(Settle());
            Tell("the same by a rival: " + std::string(rival->name()));
            KESSAI_ASSIGN_OR_RETURN(Contender contender, rival->Run(contest));
            Wrong(!contender.equal, "the rows of " + contender.name + " are not the release's");
            report_.contenders.push_back(std::move(contender));
        }
        return OkStatus();
    }

    const ReleaseOptions options_;
    const mysql::ConnectOptions connect_;
    const GeneratedDay day_;
    mysql::Pool pool_;
    mysql::Session* session_ = nullptr;
    std::unique_ptr<MeasuredPayout> payout_;
    ReleaseReport report_;
    std::int64_t tax_ = 0;
    std::int64_t net_before_ = 0;
};

}  // namespace

const Contender* ReleaseReport::Find(std::string_view name) const {
    const auto found = std::find_if(contenders.begin(), contenders.end(),
                                    [&](const Contender& one) { return one.name == name; });
    return found == contenders.end() ? nullptr : &*found;
}

Result<ReleaseReport> MeasureRelease(const ReleaseOptions& options,
                                     const mysql::ConnectOptions& connect) {
    return Bench(options, connect).Run();
}

Status ReleaseWaiting(const mysql::ConnectOptions& connect, BusinessDate day, int threads) {
    mysql::Pool pool(PoolOf(connect, threads));
    MeasuredPayout payout(pool, threads);
    while (true) {
        const auto sums = payout.release_day().Run(day, /*deep=*/false);
        if (sums.ok()) return OkStatus();
        if (sums.status().reason() != payout::domain::reason::kReleaseRunning) return sums.status();
        SystemClock().SleepFor(kTurnPoll);
    }
}

}  // namespace kessai::bench
