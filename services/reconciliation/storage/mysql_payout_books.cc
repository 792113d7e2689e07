#include "storage/mysql_payout_books.h"

#include <iterator>
#include <limits>
#include <string>
#include <utility>

#include "kessai/mysql/query.h"
#include "storage/mysql_discrepancy_books.h"
#include "storage/row_mapping.h"

namespace kessai::reconciliation::storage {

namespace {

using domain::NotedTransfer;
using domain::TransferId;
using domain::TransferStep;

/// MariaDB turns longer IN lists into joins (in_predicate_conversion_threshold is 1,000).
constexpr std::size_t kKeysPerStatement = 500;
constexpr std::size_t kRowsPerStatement = 1'000;

constexpr mysql::Query kChangesOf{"change_match.of_payments", R"sql(
    SELECT )sql" KESSAI_MATCH_COLUMNS R"sql(
    FROM change_match FORCE INDEX (PRIMARY)
    WHERE payment_id IN ({keys})
    ORDER BY payment_id, version)sql"};

constexpr mysql::Query kAddWaiting{"waiting_total.add", R"sql(
    INSERT INTO waiting_total (period_start_us, slot, changes, value)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE changes = changes + VALUES(changes), value = value + VALUES(value))sql"};
constexpr mysql::Query kWaiting{"waiting_total.sum", R"sql(
    SELECT period_start_us, SUM(changes), SUM(value) FROM waiting_total
    GROUP BY period_start_us ORDER BY period_start_us)sql"};
// Locked, so that nobody adds to what is about to go.
constexpr mysql::Query kLockOldWaiting{"waiting_total.lock_old", R"sql(
    SELECT period_start_us, slot, changes, value FROM waiting_total FORCE INDEX (PRIMARY)
    WHERE period_start_us < ? ORDER BY period_start_us, slot LIMIT 5000 FOR UPDATE)sql"};
constexpr mysql::Query kDropWaiting{"waiting_total.drop", R"sql(
    DELETE FROM waiting_total WHERE period_start_us = ? AND slot IN ({keys}))sql"};

constexpr mysql::Query kFindReleases{"noted_release.find", R"sql(
    SELECT object_id, version, content_hash FROM noted_release FORCE INDEX (PRIMARY)
    WHERE object_id IN ({keys}) ORDER BY object_id, version)sql"};
constexpr mysql::Query kFindSteps{"noted_transfer_step.find", R"sql(
    SELECT object_id, version, content_hash FROM noted_transfer_step FORCE INDEX (PRIMARY)
    WHERE object_id IN ({keys}) ORDER BY object_id, version)sql"};
constexpr mysql::Query kInsertReleases{"noted_release.insert", R"sql(
    INSERT INTO noted_release (object_id, version, content_hash, business_date, merchant_count,
                               gross, fee, tax, net)
    VALUES {rows})sql"};
constexpr mysql::Query kToldReleases{"noted_release.of_day", R"sql(
    SELECT version, merchant_count, gross, fee, tax, net
    FROM noted_release FORCE INDEX (PRIMARY) WHERE object_id = ?)sql"};
constexpr mysql::Query kFirstRelease{"noted_release.first", R"sql(
    SELECT business_date FROM noted_release FORCE INDEX (PRIMARY)
    ORDER BY object_id LIMIT 1)sql"};

#define KESSAI_NOTED_TRANSFER_COLUMNS                                                        \
    "transfer_id, first_step, business_date, merchant_id, payout_id, attempt, amount, fee, " \
    "tax, latest_step, awaited, transfer_date"
constexpr mysql::Query kLockTransfers{"noted_transfer.lock", R"sql(
    SELECT )sql" KESSAI_NOTED_TRANSFER_COLUMNS R"sql(
    FROM noted_transfer FORCE INDEX (PRIMARY)
    WHERE transfer_id IN ({keys}) ORDER BY transfer_id FOR UPDATE)sql"};
// Numbers rise, so the first one that was noted is among the lowest rows; those before it are few:
// transfers under way when this service began to listen.
constexpr mysql::Query kFirstTransfer{"noted_transfer.first", R"sql(
    SELECT transfer_id FROM noted_transfer FORCE INDEX (PRIMARY)
    WHERE first_step = 1 ORDER BY transfer_id LIMIT 1)sql"};
constexpr mysql::Query kInsertSteps{"noted_transfer_step.insert", R"sql(
    INSERT INTO noted_transfer_step (object_id, version, content_hash, business_date, step,
                                     merchant_id, amount, fee, tax)
    VALUES {rows})sql"};
constexpr mysql::Query kPutTransfers{"noted_transfer.put", R"sql(
    INSERT INTO noted_transfer ()sql" KESSAI_NOTED_TRANSFER_COLUMNS R"sql()
    VALUES {rows}
    ON DUPLICATE KEY UPDATE latest_step = VALUES(latest_step), awaited = VALUES(awaited),
                            transfer_date = VALUES(transfer_date))sql"};
constexpr mysql::Query kLockOverdue{"noted_transfer.lock_overdue", R"sql(
    SELECT )sql" KESSAI_NOTED_TRANSFER_COLUMNS R"sql(
    FROM noted_transfer FORCE INDEX (noted_transfer_awaited)
    WHERE awaited = 1 AND transfer_date < ?
    ORDER BY transfer_date, transfer_id LIMIT ? FOR UPDATE)sql"};
constexpr mysql::Query kMarkOverdue{"noted_transfer.mark_overdue", R"sql(
    UPDATE noted_transfer SET awaited = 2 WHERE transfer_id IN ({keys}) AND awaited = 1)sql"};
constexpr mysql::Query kSumSteps{"noted_transfer_step.sum", R"sql(
    SELECT step, COUNT(*), SUM(amount), SUM(fee), SUM(tax)
    FROM noted_transfer_step FORCE INDEX (noted_transfer_step_by_day)
    WHERE business_date = ? GROUP BY step)sql"};
constexpr mysql::Query kListSteps{"noted_transfer_step.list", R"sql(
    SELECT step, object_id, merchant_id, amount, fee, tax
    FROM noted_transfer_step FORCE INDEX (noted_transfer_step_by_day)
    WHERE business_date = ? AND object_id > ? AND object_id <= ?
    ORDER BY object_id, step)sql"};
constexpr mysql::Query kStepsEnd{"noted_transfer_step.page_end", R"sql(
    SELECT object_id FROM noted_transfer_step FORCE INDEX (noted_transfer_step_by_day)
    WHERE business_date = ? AND object_id > ? ORDER BY object_id LIMIT 1 OFFSET ?)sql"};

// Ends a page: in the order of the key, so that it reads no further.
constexpr mysql::Query kMatchedEnd{"matched_day_total.page_end", R"sql(
    SELECT merchant_id FROM matched_day_total FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND merchant_id > ?
    GROUP BY merchant_id ORDER BY merchant_id LIMIT 1 OFFSET ?)sql"};
constexpr mysql::Query kListMatched{"matched_day_total.list", R"sql(
    SELECT merchant_id, tax_class, SUM(gross), SUM(fee), SUM(item_count)
    FROM matched_day_total FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND merchant_id > ? AND merchant_id <= ?
    GROUP BY merchant_id, tax_class ORDER BY merchant_id, tax_class)sql"};

constexpr mysql::Query kAsk{"due_payout_check.ask", R"sql(
    INSERT INTO due_payout_check (business_date, asked, answered, is_due)
    VALUES (?, 1, 0, 1)
    ON DUPLICATE KEY UPDATE asked = asked + 1, is_due = 1)sql"};
constexpr mysql::Query kListDue{"due_payout_check.list", R"sql(
    SELECT business_date, asked FROM due_payout_check FORCE INDEX (due_payout_check_due)
    WHERE is_due = 1 ORDER BY business_date LIMIT ?)sql"};
constexpr mysql::Query kFindDue{"due_payout_check.find", R"sql(
    SELECT asked FROM due_payout_check WHERE business_date = ?)sql"};
constexpr mysql::Query kAnswer{"due_payout_check.answer", R"sql(
    UPDATE due_payout_check
    SET is_due = CASE WHEN asked > GREATEST(answered, ?) THEN 1 ELSE 0 END,
        answered = GREATEST(answered, ?)
    WHERE business_date = ?)sql"};

#define KESSAI_PAYOUT_CHECK_COLUMNS                                             \
    "business_date, check_number, deep, state, released, transfers_compared, "  \
    "buckets_different, merchants_listed, discrepancies_found, started_at_us, " \
    "finished_at_us, failure"
constexpr mysql::Query kLatestCheck{"payout_check.latest", R"sql(
    SELECT )sql" KESSAI_PAYOUT_CHECK_COLUMNS R"sql(
    FROM payout_check WHERE business_date = ? ORDER BY check_number DESC LIMIT 1)sql"};
constexpr mysql::Query kInsertCheck{"payout_check.insert", R"sql(
    INSERT INTO payout_check ()sql" KESSAI_PAYOUT_CHECK_COLUMNS R"sql()
    VALUES {rows})sql"};
constexpr mysql::Query kFinishCheck{"payout_check.finish", R"sql(
    UPDATE payout_check
    SET state = ?, released = ?, transfers_compared = ?, buckets_different = ?,
        merchants_listed = ?, discrepancies_found = ?, finished_at_us = ?, failure = ?
    WHERE business_date = ? AND check_number = ? AND state = 1)sql"};

/// Calls `select` with the keys, some hundred at a time.
template <class Ids, class Select>
Status InParts(const Ids& ids, Select select) {
    mysql::KeyList keys;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        keys.Add(ids[i]);
        if (keys.size() < kKeysPerStatement && i + 1 < ids.size()) continue;
        KESSAI_RETURN_IF_ERROR(select(keys));
        keys.Clear();
    }
    return OkStatus();
}

/// Runs `query` with a row of each item, some hundred at a time.
template <class T, class Add>
Status InsertAll(mysql::Session& session, const mysql::Query& query, std::span<const T> items,
                 Add add) {
    mysql::RowList rows;
    for (std::size_t i = 0; i < items.size(); ++i) {
        add(items[i], rows);
        if (rows.size() < kRowsPerStatement && i + 1 < items.size()) continue;
        KESSAI_RETURN_IF_ERROR(session.Execute(query, rows));
        rows.Clear();
    }
    return OkStatus();
}

NotedTransfer ReadTransfer(const mysql::Rows& row) {
    NotedTransfer transfer;
    transfer.first = {.transfer = TransferId(row.Int(0)),
                      .step = static_cast<TransferStep>(row.Int(1)),
                      .business_date = row.Date(2),
                      .merchant = domain::MerchantId(row.Int(3)),
                      .payout = row.Int(4),
                      .attempt = static_cast<std::uint32_t>(row.Uint(5)),
                      .amount = row.Int(6),
                      .fee = row.Int(7),
                      .tax = row.Int(8)};
    transfer.latest = static_cast<TransferStep>(row.Int(9));
    if (row.Int(10) != 0 && !row.IsNull(11)) transfer.awaited_since = row.Date(11);
    return transfer;
}

domain::PayoutCheck ReadCheck(const mysql::Rows& row) {
    return {.business_date = row.Date(0),
            .number = static_cast<std::uint32_t>(row.Uint(1)),
            .deep = row.Bool(2),
            .state = static_cast<domain::DayRunState>(row.Int(3)),
            .released = row.Bool(4),
            .transfers_compared = row.Bool(5),
            .buckets_different = static_cast<std::uint32_t>(row.Uint(6)),
            .merchants_listed = row.Uint(7),
            .discrepancies_found = static_cast<std::uint32_t>(row.Uint(8)),
            .started_at = row.At(9),
            .finished_at = row.At(10),
            .failure = row.Text(11)};
}

}  // namespace

Result<std::vector<domain::Match>> MysqlPayoutBooks::ChangesOf(
    std::span<const domain::PaymentId> payments) {
    std::vector<domain::Match> found;
    KESSAI_RETURN_IF_ERROR(InParts(payments, [&](const mysql::KeyList& keys) -> Status {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kChangesOf, keys));
        while (rows.Next()) found.push_back(ReadMatch(rows));
        return OkStatus();
    }));
    return found;
}

Status MysqlPayoutBooks::AddWaiting(const app::WaitingSums& sums, int slot) {
    mysql::RowList rows;
    for (const auto& [period, sum] : sums.periods()) {
        if (sum.changes != 0 || sum.value != 0) rows.Add(period, slot, sum.changes, sum.value);
    }
    return rows.empty() ? OkStatus() : session_.Execute(kAddWaiting, rows).status();
}

Result<app::WaitingTotal> MysqlPayoutBooks::Waiting() {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kWaiting));
    app::WaitingTotal total;
    while (rows.Next()) {
        const std::int64_t changes = rows.Int(1);
        // What an older version of the service began was not counted, and is taken off all the
        // same.
        if (changes <= 0) continue;
        if (total.changes == 0) total.oldest = rows.At(0);
        total.changes += changes;
        total.value += rows.Int(2);
    }
    return total;
}

Status MysqlPayoutBooks::TrimWaiting(Instant before) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kLockOldWaiting, before));
    struct Period {
        std::int64_t changes = 0;
        std::int64_t value = 0;
        std::vector<std::int64_t> slots;
    };
    std::map<Instant, Period> periods;
    while (rows.Next()) {
        Period& period = periods[rows.At(0)];
        period.slots.push_back(rows.Int(1));
        period.changes += rows.Int(2);
        period.value += rows.Int(3);
    }
    // The last one may have more rows than were read.
    if (rows.size() == 5'000) periods.erase(std::prev(periods.end()));
    for (const auto& [start, period] : periods) {
        if (period.changes > 0) continue;
        KESSAI_RETURN_IF_ERROR(
            session_.Execute(kDropWaiting, start, mysql::KeyList(period.slots)).status());
    }
    return OkStatus();
}

Result<std::vector<domain::NotedHold>> MysqlPayoutBooks::FindNotedEvents(
    std::span<const std::int64_t> objects) {
    std::vector<std::int64_t> days;
    std::vector<std::int64_t> transfers;
    for (const std::int64_t object : objects) {
        (domain::IsTransfer(object) ? transfers : days).push_back(object);
    }
    std::vector<domain::NotedHold> noted;
    const auto find = [&](const mysql::Query& query, const std::vector<std::int64_t>& some) {
        return InParts(some, [&](const mysql::KeyList& keys) -> Status {
            KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(query, keys));
            while (rows.Next()) {
                noted.push_back(
                    {{rows.Int(0), static_cast<std::uint32_t>(rows.Uint(1))}, ReadHash(rows, 2)});
            }
            return OkStatus();
        });
    };
    KESSAI_RETURN_IF_ERROR(find(kFindReleases, days));
    KESSAI_RETURN_IF_ERROR(find(kFindSteps, transfers));
    return noted;
}

Status MysqlPayoutBooks::InsertReleases(std::span<const app::ReleaseNotice> notices) {
    return InsertAll(session_, kInsertReleases, notices,
                     [](const app::ReleaseNotice& notice, mysql::RowList& rows) {
                         const domain::ReleaseTotals& totals = notice.totals;
                         rows.Add(notice.key.object, notice.key.version, BytesOf(notice.content),
                                  notice.released_date, totals.merchant_count, totals.gross,
                                  totals.fee, totals.tax, totals.net);
                     });
}

Result<app::ToldReleases> MysqlPayoutBooks::FindToldReleases(BusinessDate business_date) {
    app::ToldReleases told;
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kToldReleases, business_date.ToNumber()));
    while (rows.Next()) {
        told.rounds[static_cast<std::uint32_t>(rows.Uint(0))] = {
            rows.Int(1), rows.Int(2), rows.Int(3), rows.Int(4), rows.Int(5)};
    }
    KESSAI_ASSIGN_OR_RETURN(auto first, session_.Select(kFirstRelease));
    if (first.Next()) told.first_day = first.Date(0);
    return told;
}

Result<std::vector<NotedTransfer>> MysqlPayoutBooks::LockTransfers(
    std::span<const TransferId> transfers) {
    std::vector<NotedTransfer> found;
    KESSAI_RETURN_IF_ERROR(InParts(transfers, [&](const mysql::KeyList& keys) -> Status {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kLockTransfers, keys));
        while (rows.Next()) found.push_back(ReadTransfer(rows));
        return OkStatus();
    }));
    return found;
}

Result<TransferId> MysqlPayoutBooks::FirstTransfer() {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFirstTransfer));
    return rows.Next() ? TransferId(rows.Int(0)) : TransferId();
}

Status MysqlPayoutBooks::InsertTransferSteps(std::span<const domain::TransferNotice> notices) {
    return InsertAll(session_, kInsertSteps, notices,
                     [](const domain::TransferNotice& notice, mysql::RowList& rows) {
                         rows.Add(domain::ObjectOf(notice.transfer), notice.version,
                                  BytesOf(notice.content), notice.business_date,
                                  static_cast<int>(notice.step), notice.merchant, notice.amount,
                                  notice.fee, notice.tax);
                     });
}

Status MysqlPayoutBooks::PutTransfers(std::span<const NotedTransfer> transfers) {
    return InsertAll(session_, kPutTransfers, transfers,
                     [](const NotedTransfer& transfer, mysql::RowList& rows) {
                         const domain::TransferNotice& first = transfer.first;
                         rows.Add(first.transfer, static_cast<int>(first.step), first.business_date,
                                  first.merchant, first.payout, first.attempt, first.amount,
                                  first.fee, first.tax, static_cast<int>(transfer.latest),
                                  transfer.awaited_since ? 1 : 0, transfer.awaited_since);
                     });
}

Result<std::vector<NotedTransfer>> MysqlPayoutBooks::LockOverdue(BusinessDate since, int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kLockOverdue, since, limit));
    std::vector<NotedTransfer> found;
    while (rows.Next()) found.push_back(ReadTransfer(rows));
    return found;
}

Status MysqlPayoutBooks::MarkOverdue(std::span<const TransferId> transfers) {
    return InParts(transfers, [&](const mysql::KeyList& keys) -> Status {
        return session_.Execute(kMarkOverdue, keys).status();
    });
}

Result<std::map<TransferStep, app::PayoutBooks::ToldSteps>> MysqlPayoutBooks::SumTransferSteps(
    BusinessDate business_date) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kSumSteps, business_date));
    std::map<TransferStep, ToldSteps> sums;
    while (rows.Next()) {
        sums[static_cast<TransferStep>(rows.Int(0))] = {rows.Int(1), rows.Int(2), rows.Int(3),
                                                        rows.Int(4)};
    }
    return sums;
}

Result<std::vector<domain::TransferEntry>> MysqlPayoutBooks::ListTransferSteps(
    BusinessDate business_date, TransferId after, int limit) {
    const std::int64_t from = domain::ObjectOf(after);
    KESSAI_ASSIGN_OR_RETURN(auto end, session_.Select(kStepsEnd, business_date, from, limit - 1));
    const std::int64_t last = end.Next() ? end.Int(0) : std::numeric_limits<std::int64_t>::max();
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kListSteps, business_date, from, last));
    std::vector<domain::TransferEntry> entries;
    while (rows.Next()) {
        const auto step = static_cast<TransferStep>(rows.Int(0));
        if (step == TransferStep::kSent) continue;
        entries.push_back({step, domain::TransferOf(rows.Int(1)), domain::MerchantId(rows.Int(2)),
                           rows.Int(3), rows.Int(4), rows.Int(5)});
    }
    return entries;
}

Result<std::vector<app::MatchedLine>> MysqlPayoutBooks::ListMatched(BusinessDate business_date,
                                                                    domain::MerchantId after,
                                                                    int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto end,
                            session_.Select(kMatchedEnd, business_date, after, limit - 1));
    const std::int64_t last = end.Next() ? end.Int(0) : std::numeric_limits<std::int64_t>::max();
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kListMatched, business_date, after, last));
    std::vector<app::MatchedLine> lines;
    while (rows.Next()) {
        lines.push_back({domain::MerchantId(rows.Int(0)),
                         static_cast<domain::TaxClass>(rows.Uint(1)),
                         {rows.Int(2), rows.Int(3), rows.Int(4)}});
    }
    return lines;
}

Status MysqlPayoutBooks::AskForCheck(BusinessDate business_date) {
    return session_.Execute(kAsk, business_date).status();
}

Result<std::vector<app::DueCheck>> MysqlPayoutBooks::ListDueChecks(int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kListDue, limit));
    std::vector<app::DueCheck> due;
    while (rows.Next()) due.push_back({rows.Date(0), rows.Int(1)});
    return due;
}

Result<app::DueCheck> MysqlPayoutBooks::FindDueCheck(BusinessDate business_date) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindDue, business_date));
    return app::DueCheck{business_date, rows.Next() ? rows.Int(0) : 0};
}

Result<std::optional<domain::PayoutCheck>> MysqlPayoutBooks::LatestCheck(
    BusinessDate business_date) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kLatestCheck, business_date));
    if (!rows.Next()) return std::optional<domain::PayoutCheck>();
    return std::optional(ReadCheck(rows));
}

Status MysqlPayoutBooks::InsertCheck(const domain::PayoutCheck& check) {
    mysql::RowList rows;
    rows.Add(check.business_date, check.number, check.deep, static_cast<int>(check.state),
             check.released, check.transfers_compared, check.buckets_different,
             check.merchants_listed, check.discrepancies_found, check.started_at, check.finished_at,
             check.failure);
    return session_.Execute(kInsertCheck, rows).status();
}

Status MysqlPayoutBooks::FinishCheck(const domain::PayoutCheck& check,
                                     const std::optional<app::DueCheck>& answered) {
    KESSAI_RETURN_IF_ERROR(session_
                               .Execute(kFinishCheck, static_cast<int>(check.state), check.released,
                                        check.transfers_compared, check.buckets_different,
                                        check.merchants_listed, check.discrepancies_found,
                                        check.finished_at, check.failure, check.business_date,
                                        check.number)
                               .status());
    if (!answered || answered->asked == 0) return OkStatus();
    return session_.Execute(kAnswer, answered->asked, answered->asked, check.business_date)
        .status();
}

Result<std::vector<domain::Discrepancy>> MysqlPayoutBooks::LockUnsettledOfDay(
    BusinessDate business_date, std::span<const domain::DiscrepancyKind> kinds,
    domain::DiscrepancyId after, int limit) {
    return LockUnsettledDiscrepancies(session_, business_date, kinds, after, limit);
}

}  // namespace kessai::reconciliation::storage
