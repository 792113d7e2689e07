#include "storage/mysql_book_reader.h"

#include <array>
#include <string>

#include "kessai/mysql/query.h"
#include "storage/row_mapping.h"

namespace kessai::payment::storage {
namespace {

constexpr Duration kAcquireTimeout = std::chrono::seconds(1);
constexpr int kChangesPerPage = 1'000;

constexpr mysql::Query kSumBuckets{"journal.sum_buckets", R"sql(
    SELECT kind, COUNT(*), SUM(amount) FROM journal FORCE INDEX (by_day)
    WHERE business_date = ? AND bucket BETWEEN ? AND ? GROUP BY kind ORDER BY NULL)sql"};
// The object of a release's clearing is the day that was released.
constexpr mysql::Query kCleared{"journal.cleared_of_day", R"sql(
    SELECT COUNT(*), COALESCE(SUM(amount), 0) FROM journal FORCE INDEX (PRIMARY)
    WHERE object_id = ? AND kind = ?)sql"};
constexpr mysql::Query kDaysBefore{"business_day.before", R"sql(
    SELECT business_date FROM business_day WHERE business_date < ? ORDER BY business_date)sql"};
constexpr mysql::Query kKept{"ledger_day.through", R"sql(
    SELECT business_date, account, amount FROM ledger_day WHERE business_date <= ?
    ORDER BY business_date, account)sql"};
// Who keeps it second has the same sums.
constexpr mysql::Query kKeep{"ledger_day.keep", R"sql(
    INSERT IGNORE INTO ledger_day (business_date, account, amount, kept_at_us) VALUES {rows})sql"};
// In the index's own order, which the primary key ends.
constexpr mysql::Query kPage{"journal.page_of_day", "SELECT " KESSAI_JOURNAL_COLUMNS R"sql(
    FROM journal FORCE INDEX (by_day)
    WHERE business_date = ? AND
          (bucket > ? OR (bucket = ? AND object_id > ?) OR
           (bucket = ? AND object_id = ? AND version > ?))
    ORDER BY bucket, object_id, version LIMIT ?)sql"};

// The last of KESSAI_JOURNAL_COLUMNS.
constexpr int kBucketColumn = 22;
constexpr int kReleaseCleared = static_cast<int>(domain::ChangeKind::kReleaseCleared);

/// Buffered, so that a slow reader holds no session.
Result<mysql::Rows> SelectPage(mysql::Pool& pool, BusinessDate day,
                               const app::JournalPosition& from) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool.Acquire(kAcquireTimeout));
    return session->Select(kPage, day, from.bucket, from.bucket, from.object, from.bucket,
                           from.object, from.version, kChangesPerPage);
}

Status KindUnknown(BusinessDate day, std::int64_t number) {
    return Status(Code::kDataLoss, "CHANGE_KIND_UNKNOWN",
                  "a journal of " + day.ToString() + " has kind " + std::to_string(number));
}

}  // namespace

Result<std::vector<app::KindSum>> MysqlBookReader::SumBuckets(BusinessDate day, int first,
                                                              int last) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kSumBuckets, day, first, last));
    std::vector<app::KindSum> sums;
    while (rows.Next()) {
        if (!domain::IsChangeKind(rows.Int(0))) return KindUnknown(day, rows.Int(0));
        sums.push_back({static_cast<domain::ChangeKind>(rows.Int(0)), rows.Int(1), rows.Int(2)});
    }
    return sums;
}

Result<app::ClearedReleases> MysqlBookReader::ClearedOf(BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kCleared, day.ToNumber(), kReleaseCleared));
    if (!rows.Next()) return app::ClearedReleases{};
    return app::ClearedReleases{rows.Int(0), rows.Int(1)};
}

Result<std::vector<BusinessDate>> MysqlBookReader::DaysBefore(BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kDaysBefore, day));
    std::vector<BusinessDate> days;
    while (rows.Next()) days.push_back(rows.Date(0));
    return days;
}

Result<std::map<BusinessDate, domain::TrialBalance>> MysqlBookReader::KeptThrough(
    BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kKept, day));
    std::map<BusinessDate, domain::TrialBalance> kept;
    while (rows.Next()) {
        const std::int64_t account = rows.Int(1);
        if (account < 1 || account > domain::kAccounts) {
            return Status(Code::kDataLoss, "ACCOUNT_UNKNOWN",
                          "what is kept of " + rows.Date(0).ToString() + " has account " +
                              std::to_string(account));
        }
        domain::Posting moved;
        moved.account = static_cast<domain::AccountKind>(account);
        moved.amount = rows.Int(2);
        KESSAI_RETURN_IF_ERROR(kept[rows.Date(0)].Add(std::array{moved}));
    }
    return kept;
}

Status MysqlBookReader::Keep(BusinessDate day, const domain::TrialBalance& moved, Instant at) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    mysql::RowList rows;
    for (int account = 1; account <= domain::kAccounts; ++account) {
        rows.Add(day, account, moved.Of(static_cast<domain::AccountKind>(account)), at);
    }
    return internal::TakeStatus(session->Execute(kKeep, rows));
}

Status MysqlBookReader::StreamJournal(BusinessDate day, app::JournalPosition from,
                                      const std::function<bool(const app::JournalLine&)>& take) {
    while (true) {
        KESSAI_ASSIGN_OR_RETURN(auto rows, SelectPage(pool_, day, from));
        if (rows.empty()) return OkStatus();
        while (rows.Next()) {
            app::JournalLine line{ReadChange(rows), {}};
            const auto kind = static_cast<std::int64_t>(line.change.kind);
            if (!domain::IsChangeKind(kind)) return KindUnknown(day, kind);
            // The bucket as it is stored: even a wrong one does not lead backwards.
            line.position = {static_cast<int>(rows.Int(kBucketColumn)), line.change.object,
                             line.change.version};
            if (!take(line)) return OkStatus();
            from = line.position;
        }
    }
}

}  // namespace kessai::payment::storage
