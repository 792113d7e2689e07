#include "storage/mysql_book_reader.h"

#include <array>

#include "kessai/mysql/query.h"
#include "storage/row_mapping.h"

namespace kessai::payout::storage {
namespace {

constexpr Duration kAcquireTimeout = std::chrono::seconds(5);

constexpr mysql::Query kStanding{"ledger_gate.standing_of_day", R"sql(
    SELECT g.business_date,
           (SELECT state FROM payout_day WHERE business_date = ?),
           EXISTS (SELECT 1 FROM merchant_hold WHERE business_date = ? AND released_round IS NULL),
           (SELECT COUNT(*) FROM release_round
            WHERE business_date = ? AND finished_at_us IS NOT NULL),
           (SELECT COALESCE(SUM(gross), 0) FROM release_round
            WHERE business_date = ? AND finished_at_us IS NOT NULL)
    FROM ledger_gate g WHERE g.id = 1)sql"};
constexpr mysql::Query kGroupFees{"accrual.group_fees", R"sql(
    SELECT plan_id, plan_version, tax_class, kind, COUNT(*), SUM(gross <> 0), SUM(gross), SUM(fee)
    FROM accrual FORCE INDEX (PRIMARY) WHERE business_date = ? AND bucket BETWEEN ? AND ?
    GROUP BY plan_id, plan_version, tax_class, kind ORDER BY NULL)sql"};
constexpr mysql::Query kSumAccrued{"merchant_day_total.sum_day", R"sql(
    SELECT tax_class, SUM(gross), SUM(fee), SUM(item_count)
    FROM merchant_day_total FORCE INDEX (PRIMARY) WHERE business_date = ?
    GROUP BY tax_class ORDER BY NULL)sql"};
constexpr mysql::Query kSumReleased{"merchant_release.sum_day", R"sql(
    SELECT tax_class, SUM(gross), SUM(fee), SUM(tax), SUM(net)
    FROM merchant_release FORCE INDEX (PRIMARY) WHERE business_date = ?
    GROUP BY tax_class ORDER BY NULL)sql"};
constexpr mysql::Query kSumJournals{"merchant_journal.sum_day", R"sql(
    SELECT kind, COUNT(*), SUM(fee <> 0 OR tax <> 0), SUM(amount), SUM(fee), SUM(tax)
    FROM merchant_journal FORCE INDEX (merchant_journal_day) WHERE business_date = ?
    GROUP BY kind ORDER BY kind)sql"};
// Whatever has totals or releases has a row of payout_day.
constexpr mysql::Query kDaysBefore{"payout_day.before", R"sql(
    SELECT business_date FROM payout_day WHERE business_date < ?
    UNION
    SELECT DISTINCT business_date FROM merchant_journal FORCE INDEX (merchant_journal_day)
    WHERE business_date < ?
    ORDER BY 1)sql"};
constexpr mysql::Query kKept{"ledger_day.through", R"sql(
    SELECT business_date, account, amount FROM ledger_day WHERE business_date <= ?
    ORDER BY business_date, account)sql"};
// Who keeps it second has the same sums.
constexpr mysql::Query kKeep{"ledger_day.keep", R"sql(
    INSERT IGNORE INTO ledger_day (business_date, account, amount, kept_at_us) VALUES {rows})sql"};

}  // namespace

Result<app::DayStanding> MysqlBookReader::StandingOf(BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kStanding, day, day, day, day));
    if (!rows.Next()) return Status(Code::kInternal, "GATE_MISSING", "ledger_gate is empty");
    app::DayStanding standing;
    standing.ledger_date = rows.Date(0);
    if (!rows.IsNull(1)) standing.state = static_cast<domain::DayState>(rows.Int(1));
    standing.has_holds = rows.Bool(2);
    standing.released_count = rows.Int(3);
    standing.released_gross = rows.Int(4);
    return standing;
}

Result<std::vector<domain::FeeGroup>> MysqlBookReader::GroupFees(BusinessDate day, int first_bucket,
                                                                 int last_bucket) {
    KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kGroupFees, day, first_bucket, last_bucket));
    std::vector<domain::FeeGroup> groups;
    groups.reserve(rows.size());
    while (rows.Next()) {
        groups.push_back({.plan = domain::PlanId(rows.Int(0)),
                          .plan_version = static_cast<std::uint32_t>(rows.Int(1)),
                          .tax_class = ReadTaxClass(rows, 2),
                          .kind = static_cast<domain::ChangeKind>(rows.Int(3)),
                          .accrual_count = rows.Int(4),
                          .moving_count = rows.Int(5),
                          .gross = rows.Int(6),
                          .fee = rows.Int(7)});
    }
    return groups;
}

Result<app::DaySums> MysqlBookReader::SumDay(BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
    app::DaySums sums;
    KESSAI_ASSIGN_OR_RETURN(auto accrued, session->Select(kSumAccrued, day));
    while (accrued.Next()) {
        sums.accrued[ReadTaxClass(accrued, 0)] = {accrued.Int(1), accrued.Int(2), accrued.Int(3)};
    }
    KESSAI_ASSIGN_OR_RETURN(auto released, session->Select(kSumReleased, day));
    while (released.Next()) {
        sums.released[ReadTaxClass(released, 0)] = {released.Int(1), released.Int(2),
                                                    released.Int(3), released.Int(4)};
    }
    KESSAI_ASSIGN_OR_RETURN(auto journals, session->Select(kSumJournals, day));
    while (journals.Next()) {
        sums.journals.push_back({.sum = {.kind = static_cast<domain::JournalKind>(journals.Int(0)),
                                         .amount = journals.Int(3),
                                         .fee = journals.Int(4),
                                         .tax = journals.Int(5)},
                                 .count = journals.Int(1),
                                 .priced_count = journals.Int(2)});
    }
    return sums;
}

Result<std::vector<BusinessDate>> MysqlBookReader::DaysBefore(BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kDaysBefore, day, day));
    std::vector<BusinessDate> days;
    while (rows.Next()) days.push_back(rows.Date(0));
    return days;
}

Result<std::map<BusinessDate, domain::TrialBalance>> MysqlBookReader::KeptThrough(
    BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kKept, day));
    std::map<BusinessDate, domain::TrialBalance> kept;
    while (rows.Next()) {
        const domain::Posting moved{static_cast<domain::Account>(rows.Int(1)), rows.Int(2)};
        KESSAI_RETURN_IF_ERROR(kept[rows.Date(0)].Add(std::array{moved}));
    }
    return kept;
}

Status MysqlBookReader::Keep(BusinessDate day, const domain::TrialBalance& moved, Instant at) {
    KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
    mysql::RowList rows;
    for (int account = 0; account < domain::kAccounts; ++account) {
        rows.Add(day, account, moved.Of(static_cast<domain::Account>(account)), at);
    }
    return internal::TakeStatus(session->Execute(kKeep, rows));
}

}  // namespace kessai::payout::storage
