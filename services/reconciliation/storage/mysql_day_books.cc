#include "storage/mysql_day_books.h"

#include <algorithm>
#include <string>

#include "kessai/lease/lease_table.h"
#include "kessai/outbox/batch_writer.h"
#include "storage/event_encoding.h"
#include "storage/row_mapping.h"

namespace kessai::reconciliation::storage {

namespace {

// 1 open, 2 due, 3 compared. The update of nothing locks the row, whether it was there or not.
constexpr mysql::Query kLockDay{"reconciliation_day.lock", R"sql(
    INSERT INTO reconciliation_day (business_date, state)
    VALUES (?, 1)
    ON DUPLICATE KEY UPDATE business_date = VALUES(business_date))sql"};
constexpr mysql::Query kMarkDue{"reconciliation_day.mark_due", R"sql(
    UPDATE reconciliation_day SET state = 2 WHERE business_date = ? AND state = 1)sql"};
constexpr mysql::Query kListDue{"reconciliation_day.list_due", R"sql(
    SELECT business_date
    FROM reconciliation_day FORCE INDEX (reconciliation_day_by_state)
    WHERE state = 2
    ORDER BY business_date
    LIMIT ?)sql"};
constexpr mysql::Query kMarkCompared{"reconciliation_day.mark_compared", R"sql(
    UPDATE reconciliation_day SET state = 3 WHERE business_date = ?)sql"};

constexpr mysql::Query kAddMark{"day_mark.add", R"sql(
    INSERT INTO day_mark (business_date, source, partition_number, partition_count, received_at_us)
    VALUES (?, ?, ?, ?, ?)
    ON DUPLICATE KEY UPDATE partition_count = VALUES(partition_count))sql"};
constexpr mysql::Query kMarks{"day_mark.list", R"sql(
    SELECT partition_number, partition_count
    FROM day_mark
    WHERE business_date = ? AND source = ?
    ORDER BY partition_number)sql"};

constexpr mysql::Query kLatestRun{"day_run.latest", R"sql(
    SELECT )sql" KESSAI_DAY_RUN_COLUMNS R"sql(
    FROM day_run
    WHERE business_date = ?
    ORDER BY run_number DESC
    LIMIT 1)sql"};
constexpr mysql::Query kInsertRun{"day_run.insert", R"sql(
    INSERT INTO day_run ()sql" KESSAI_DAY_RUN_COLUMNS R"sql(, event_id)
    VALUES {rows})sql"};
constexpr mysql::Query kLastEvent{"day_run.last_event", R"sql(
    SELECT COALESCE(MAX(event_id), 0) FROM day_run WHERE business_date = ?)sql"};
constexpr mysql::Query kFinishRun{"day_run.finish", R"sql(
    UPDATE day_run
    SET state = ?, buckets_compared = ?, buckets_different = ?, rows_listed = ?,
        discrepancies_found = ?, finished_at_us = ?, failure = ?, event_id = ?
    WHERE business_date = ? AND run_number = ? AND state = 1)sql"};

}  // namespace

Status MysqlDayBooks::LockDay(BusinessDate business_date) {
    return session_.Execute(kLockDay, business_date).status();
}

Status MysqlDayBooks::AddMark(BusinessDate business_date, domain::Source source,
                              std::uint32_t partition, std::uint32_t partition_count) {
    return session_
        .Execute(kAddMark, business_date, static_cast<int>(source), partition, partition_count,
                 clock_.Now())
        .status();
}

Result<domain::DayMarks> MysqlDayBooks::Marks(BusinessDate business_date, domain::Source source) {
    KESSAI_ASSIGN_OR_RETURN(auto rows,
                            session_.Select(kMarks, business_date, static_cast<int>(source)));
    domain::DayMarks marks;
    while (rows.Next()) {
        marks.partitions.insert(static_cast<std::uint32_t>(rows.Uint(0)));
        marks.partition_count =
            std::max(marks.partition_count, static_cast<std::uint32_t>(rows.Uint(1)));
    }
    return marks;
}

Status MysqlDayBooks::MarkDue(BusinessDate business_date) {
    return session_.Execute(kMarkDue, business_date).status();
}

Result<std::vector<BusinessDate>> MysqlDayBooks::ListDue(int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kListDue, limit));
    std::vector<BusinessDate> due;
    while (rows.Next()) due.push_back(rows.Date(0));
    return due;
}

Status MysqlDayBooks::Confirm(const app::RunGrant& grant) {
    return lease::ConfirmInTransaction(
        session_, {.name = grant.name, .owner = grant.owner, .fence = grant.fence});
}

Result<std::optional<domain::DayRun>> MysqlDayBooks::LatestRun(BusinessDate business_date) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kLatestRun, business_date));
    if (!rows.Next()) return std::optional<domain::DayRun>();
    return std::optional(ReadDayRun(rows));
}

Status MysqlDayBooks::InsertRun(const domain::DayRun& run) {
    mysql::RowList rows;
    AddDayRun(run, domain::EventId(), rows);
    return session_.Execute(kInsertRun, rows).status();
}

Status MysqlDayBooks::FinishRun(const domain::DayRun& run) {
    KESSAI_ASSIGN_OR_RETURN(auto last, session_.Select(kLastEvent, run.business_date));
    KESSAI_ASSIGN_OR_RETURN(const auto ids, ids_.Current());
    if (last.Next()) ids->Observe(last.Int(0));
    // Before the event's id, as BatchWriter::Store wants it.
    const std::int64_t row_id = ids->Next();
    const domain::EventId event(ids->Next());
    KESSAI_ASSIGN_OR_RETURN(
        const std::uint64_t finished,
        session_.Execute(kFinishRun, static_cast<int>(run.state), run.buckets_compared,
                         run.buckets_different, run.rows_listed, run.discrepancies_found,
                         run.finished_at, run.failure, event, run.business_date, run.number));
    if (finished == 0) return OkStatus();

    outbox::BatchWriter events;
    KESSAI_ASSIGN_OR_RETURN(const std::string sealed, SealRun(run, event));
    KESSAI_RETURN_IF_ERROR(
        events.Add({.object_id = run.business_date.ToNumber(), .envelope = sealed}));
    KESSAI_RETURN_IF_ERROR(events.Store(session_, row_id, run.business_date));
    if (run.state != domain::DayRunState::kFailed) {
        KESSAI_RETURN_IF_ERROR(session_.Execute(kMarkCompared, run.business_date).status());
    }
    return ids_.Confirm(*ids);
}

}  // namespace kessai::reconciliation::storage
