#include "storage/mysql_book_reader.h"

#include "kessai/digest/accumulator.h"
#include "kessai/mysql/query.h"

namespace kessai::payment::storage {
namespace {

constexpr Duration kAcquireTimeout = std::chrono::seconds(1);

// Those that ended, and the open one.
constexpr mysql::Query kDaysBefore{"business_day.before", R"sql(
    SELECT business_date FROM business_day WHERE business_date < ? ORDER BY business_date)sql"};
constexpr mysql::Query kOpenDay{"gate.open_day", R"sql(
    SELECT business_date FROM gate WHERE slot = 0)sql"};
// By domain::ChangeKind, in its order.
constexpr mysql::Query kSumPart{"journal.sum_buckets", R"sql(
    SELECT SUM(IF(kind = 1, amount, 0)), SUM(IF(kind = 2, amount, 0)),
           SUM(IF(kind = 3, amount, 0)), SUM(IF(kind = 4, amount, 0)),
           SUM(IF(kind = 5, amount, 0))
    FROM journal FORCE INDEX (by_day)
    WHERE business_date = ? AND bucket BETWEEN ? AND ?)sql"};
constexpr int kChangeKinds = 5;
constexpr mysql::Query kKept{"ledger_day.through", R"sql(
    SELECT business_date, part, account, amount FROM ledger_day FORCE INDEX (PRIMARY)
    WHERE business_date <= ? ORDER BY business_date, part, account)sql"};
// Who keeps it second has the same sums.
constexpr mysql::Query kKeep{"ledger_day.keep", R"sql(
    INSERT IGNORE INTO ledger_day (business_date, part, account, amount) VALUES {rows})sql"};

}  // namespace

Result<std::vector<BusinessDate>> MysqlBookReader::DaysBefore(BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    std::vector<BusinessDate> days;
    // The open day first: should it end now, it is among the others.
    KESSAI_ASSIGN_OR_RETURN(auto open, session->Select(kOpenDay));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kDaysBefore, day));
    while (rows.Next()) days.push_back(rows.Date(0));
    if (open.Next() && open.Date(0) < day && (days.empty() || days.back() < open.Date(0))) {
        days.push_back(open.Date(0));
    }
    return days;
}

Result<domain::TrialBalance> MysqlBookReader::SumPart(BusinessDate day, int part) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    const int first = digest::kBuckets * part / app::kDayParts;
    const int last = digest::kBuckets * (part + 1) / app::kDayParts - 1;
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kSumPart, day, first, last));
    domain::TrialBalance moved;
    // Without rows there are no sums.
    if (!rows.Next() || rows.IsNull(0)) return moved;
    for (int kind = 1; kind <= kChangeKinds; ++kind) {
        KESSAI_RETURN_IF_ERROR(
            moved.Add(static_cast<domain::ChangeKind>(kind), rows.Int(kind - 1)));
    }
    return moved;
}

Result<std::map<BusinessDate, app::BookReader::Parts>> MysqlBookReader::KeptThrough(
    BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kKept, day));
    std::map<BusinessDate, Parts> kept;
    while (rows.Next()) {
        KESSAI_RETURN_IF_ERROR(kept[rows.Date(0)][static_cast<int>(rows.Int(1))].Add(
            static_cast<domain::AccountKind>(rows.Int(2)), rows.Int(3)));
    }
    return kept;
}

Status MysqlBookReader::Keep(BusinessDate day, int part, const domain::TrialBalance& moved) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    mysql::RowList rows;
    for (int account = 1; account <= domain::kAccountKinds; ++account) {
        rows.Add(day, part, account, moved.Of(static_cast<domain::AccountKind>(account)));
    }
    return internal::TakeStatus(session->Execute(kKeep, rows));
}

}  // namespace kessai::payment::storage
