#include "bench/release/one_sql.h"

#include "bench/release/measured_payout.h"
#include "kessai/mysql/transaction.h"

namespace kessai::bench {
namespace {

constexpr std::string_view kReleases = "bench_one_sql_release";

// The day's tax of a cycle that begins with it, rounded toward zero as DIV does.
constexpr mysql::Query kRelease{"bench.one_sql_release", R"sql(
    INSERT INTO bench_one_sql_release (business_date, merchant_id, tax_class, round, currency,
                                       gross, fee, tax, net, item_count)
    SELECT ?, merchant_id, tax_class, 0, 'JPY', gross, fee, tax, gross - fee - tax, item_count
    FROM (SELECT merchant_id, tax_class, SUM(gross) AS gross, SUM(fee) AS fee,
                 SUM(fee) * CASE tax_class WHEN 1 THEN 8 WHEN 2 THEN 10 ELSE 0 END DIV 100 AS tax,
                 COUNT(*) AS item_count
          FROM accrual WHERE business_date = ? GROUP BY merchant_id, tax_class) AS sums)sql"};

}  // namespace

Result<Contender> OneSql::Run(const Contest& contest) {
    KESSAI_ASSIGN_OR_RETURN(auto session, contest.pool.Acquire(kSessionWithin));
    const std::string releases(kReleases);
    KESSAI_RETURN_IF_ERROR(MakeScratchTable(*session, releases, "merchant_release"));
    KESSAI_RETURN_IF_ERROR(RunSql(
        *session, "SET SESSION tmp_table_size = 4294967296, max_heap_table_size = 4294967296"));

    Contender result{.name = std::string(name()),
                     .what = "one INSERT … SELECT … GROUP BY",
                     .note = "temporary tables of up to 4 GiB stay in memory"};
    const SteadyInstant start = SystemClock().SteadyNow();
    {
        KESSAI_ASSIGN_OR_RETURN(auto transaction, mysql::Transaction::Begin(*session));
        KESSAI_RETURN_IF_ERROR(session->Execute(kRelease, contest.day, contest.day));
        KESSAI_RETURN_IF_ERROR(transaction.Commit());
    }
    result.seconds = std::chrono::duration<double>(SystemClock().SteadyNow() - start).count();
    KESSAI_ASSIGN_OR_RETURN(result.equal, HoldTheSame(*session, contest.day, releases));
    KESSAI_RETURN_IF_ERROR(RunSql(*session, "DROP TABLE " + releases));
    return result;
}

}  // namespace kessai::bench
