#include "storage/mysql_day_store.h"

#include <algorithm>

#include "domain/refusal.h"
#include "kessai/digest/store.h"
#include "kessai/mysql/error.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"
#include "kessai/outbox/batch_writer.h"
#include "kessai/outbox/outbox_table.h"
#include "storage/day_rows.h"
#include "storage/row_mapping.h"

namespace kessai::payment::storage {
namespace {

using domain::Refusal;
using domain::Refuse;

constexpr Duration kAcquireTimeout = std::chrono::seconds(1);
// Marks and repeats are not events of a day: no day's close waits for them.
const BusinessDate kNoDay = BusinessDate::FromNumber(99991231).value();

constexpr mysql::Query kReadGate{"gate.read", R"sql(
    SELECT business_date, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)
    FROM gate WHERE slot = 0)sql"};
constexpr mysql::Query kLockAllGates{"gate.lock_all",
                                     "SELECT business_date FROM gate ORDER BY slot FOR UPDATE"};
constexpr mysql::Query kLockFirstGate{"gate.lock_first",
                                      "SELECT business_date FROM gate WHERE slot = 0 FOR UPDATE"};
constexpr mysql::Query kMoveGates{"gate.move_all", "UPDATE gate SET business_date = ?"};
constexpr mysql::Query kInsertDay{"business_day.insert", R"sql(
    INSERT INTO business_day (business_date, state, closing_at_us)
    VALUES (?, ?, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)))sql"};
constexpr mysql::Query kDayState{"business_day.state",
                                 "SELECT state FROM business_day WHERE business_date = ?"};
constexpr mysql::Query kLockDay{
    "business_day.lock",
    "SELECT state, mark_row_id FROM business_day WHERE business_date = ? FOR UPDATE"};
constexpr mysql::Query kUnfinishedDays{"business_day.unfinished", R"sql(
    SELECT business_date, state FROM business_day WHERE state < ? ORDER BY business_date)sql"};
constexpr mysql::Query kSetMarked{
    "business_day.set_marked",
    "UPDATE business_day SET state = ?, mark_row_id = ? WHERE business_date = ?"};
constexpr mysql::Query kSetClosed{"business_day.set_closed", R"sql(
    UPDATE business_day
    SET state = ?, closed_at_us = CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)
    WHERE business_date = ?)sql"};
int Number(app::DayState state) {
    return static_cast<int>(state);
}

}  // namespace

Result<app::DayStore::Now> MysqlDayStore::Read() {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kReadGate));
    if (!rows.Next()) return Status(Code::kInternal, "GATE_MISSING", "there is no gate row");
    return Now{rows.Date(0), rows.At(1)};
}

Result<app::Day> MysqlDayStore::Find(BusinessDate date) {
    KESSAI_ASSIGN_OR_RETURN(const Now now, Read());
    if (now.open_date == date) return app::Day{date, app::DayState::kOpen};
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kDayState, date));
    if (!rows.Next()) {
        return Refuse(
            Refusal::kDayNotCurrent,
            date.ToString() + (date > now.open_date ? " is not open yet" : " was never open here"));
    }
    return app::Day{date, static_cast<app::DayState>(rows.Int(0))};
}

Status MysqlDayStore::MoveGates(BusinessDate date) {
    mysql::RetryPolicy policy;
    // A move whose commit reply was lost is found done: the gates have another day then.
    return mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
        KESSAI_ASSIGN_OR_RETURN(auto gates, session.Select(kLockAllGates));
        while (gates.Next()) {
            if (gates.Date(0) != date) {
                return Refuse(
                    Refusal::kDayNotCurrent,
                    "the open day is " + gates.Date(0).ToString() + ", not " + date.ToString());
            }
        }
        KESSAI_RETURN_IF_ERROR(session.Execute(kMoveGates, date.Next()));
        KESSAI_RETURN_IF_ERROR(session.Execute(kInsertDay, date, Number(app::DayState::kClosing)));
        return OkStatus();
    });
}

Result<std::vector<app::Day>> MysqlDayStore::Unfinished() {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows,
                            session->Select(kUnfinishedDays, Number(app::DayState::kClosed)));
    std::vector<app::Day> days;
    while (rows.Next()) days.push_back({rows.Date(0), static_cast<app::DayState>(rows.Int(1))});
    return days;
}

Result<bool> MysqlDayStore::HasUnsentEvents(BusinessDate date) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t rows, outbox::CountRowsUpTo(*session, date));
    return rows > 0;
}

Status MysqlDayStore::StoreMarks(BusinessDate date, const std::string& envelope,
                                 int partition_count, std::int64_t row_id) {
    outbox::BatchWriter writer;
    for (int partition = 0; partition < partition_count; ++partition) {
        outbox::Entry mark;
        mark.envelope = envelope;
        mark.partition = partition;
        KESSAI_RETURN_IF_ERROR(writer.Add(mark));
    }
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;  // Found marked, it is done.
    bool stored = false;
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
            stored = false;
            KESSAI_RETURN_IF_ERROR(session.Select(kLockFirstGate));
            KESSAI_ASSIGN_OR_RETURN(auto day, session.Select(kLockDay, date));
            if (!day.Next() || day.Int(0) != Number(app::DayState::kClosing)) return OkStatus();
            KESSAI_RETURN_IF_ERROR(writer.Store(session, row_id, kNoDay));
            KESSAI_RETURN_IF_ERROR(
                session.Execute(kSetMarked, Number(app::DayState::kMarked), row_id, date));
            stored = true;
            return OkStatus();
        }));
    if (stored && on_events_) on_events_(writer.shards());
    return OkStatus();
}

Result<bool> MysqlDayStore::FinishIfMarksSent(BusinessDate date) {
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;
    bool finished = false;
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
            finished = false;
            KESSAI_ASSIGN_OR_RETURN(auto day, session.Select(kLockDay, date));
            if (!day.Next()) return OkStatus();
            if (day.Int(0) == Number(app::DayState::kMarked)) {
                KESSAI_ASSIGN_OR_RETURN(const bool waiting, outbox::HasRow(session, day.Int(1)));
                if (waiting) return OkStatus();
                KESSAI_RETURN_IF_ERROR(
                    session.Execute(kSetClosed, Number(app::DayState::kClosed), date));
                finished = true;
                return OkStatus();
            }
            finished = day.Int(0) == Number(app::DayState::kClosed);
            return OkStatus();
        }));
    return finished;
}

Result<digest::DayDigest> MysqlDayStore::Digests(BusinessDate date, bool deep,
                                                 digest::BucketRange range) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    if (!deep) {
        KESSAI_ASSIGN_OR_RETURN(digest::DayDigest kept, digest::LoadDay(*session, date));
        return digest::OnlyOf(range, std::move(kept));
    }
    digest::Accumulator sums(hasher_);
    KESSAI_RETURN_IF_ERROR(
        ReadDayRows(*session, date, range, [&](const app::DayRow& row, int bucket) {
            sums.Add({row.object, row.version, date, row.merchant.value(), row.gross}, bucket);
        }));
    return sums.Day(date);
}

Result<std::vector<app::DayRow>> MysqlDayStore::Rows(BusinessDate date, int bucket) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    std::vector<app::DayRow> found;
    KESSAI_RETURN_IF_ERROR(ReadDayRows(*session, date, {.first = bucket, .count = 1},
                                       [&](const app::DayRow& row, int) { found.push_back(row); }));
    std::ranges::sort(found, {},
                      [](const app::DayRow& row) { return std::pair(row.object, row.version); });
    return found;
}

Status MysqlDayStore::Republish(std::span<const domain::Change> changes,
                                std::span<const std::string> envelopes, std::int64_t row_id) {
    outbox::BatchWriter writer;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        outbox::Entry entry;
        entry.object_id = changes[i].object;
        entry.envelope = envelopes[i];
        entry.republished = true;
        KESSAI_RETURN_IF_ERROR(writer.Add(entry));
    }
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;  // Publishing an event once more than asked does no harm.
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
            KESSAI_RETURN_IF_ERROR(session.Select(kLockFirstGate));
            return writer.Store(session, row_id, kNoDay);
        }));
    if (on_events_) on_events_(writer.shards());
    return OkStatus();
}

}  // namespace kessai::payment::storage
