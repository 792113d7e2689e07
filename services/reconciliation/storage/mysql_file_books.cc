#include "storage/mysql_file_books.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "kessai/lease/lease_table.h"
#include "kessai/mysql/error.h"
#include "kessai/mysql/transaction.h"
#include "kessai/outbox/batch_writer.h"
#include "storage/event_encoding.h"

namespace kessai::reconciliation::storage {

namespace {

using domain::FileAssignment;
using domain::FileId;
using domain::FileRun;
using domain::FileRunId;
using domain::FileTemplate;
using domain::MerchantFile;
using domain::MerchantId;

constexpr std::size_t kKeysPerStatement = 500;
constexpr std::size_t kRowsPerStatement = 1'000;
/// Files have sums of up to 500 columns: so many fit a statement, and their events the outbox's
/// row.
constexpr std::size_t kFilesPerStatement = 100;

#define KESSAI_FILE_TEMPLATE_SELECT                                                       \
    "SELECT t.template_name, v.version, v.source, v.description, v.put_by, v.put_at_us, " \
    "t.built_in, t.schedule_minutes, t.scheduled_through"
#define KESSAI_FILE_TEMPLATE_FROM                                                    \
    " FROM file_template AS t JOIN file_template_version AS v ON v.template_name = " \
    "t.template_name "

constexpr mysql::Query kListTemplates{"file_template.list",
                                      KESSAI_FILE_TEMPLATE_SELECT KESSAI_FILE_TEMPLATE_FROM R"sql(
      AND v.version = t.latest_version
    WHERE t.template_name > ?
    ORDER BY t.template_name
    LIMIT ?)sql"};
constexpr mysql::Query kFindTemplate{
    "file_template.find", KESSAI_FILE_TEMPLATE_SELECT ", v.yaml" KESSAI_FILE_TEMPLATE_FROM R"sql(
      AND v.version = IF(? = 0, t.latest_version, ?)
    WHERE t.template_name = ?)sql"};
// The first row locks, so that both are read as they are then.
constexpr mysql::Query kLockTemplate{"file_template.lock", R"sql(
    SELECT latest_version FROM file_template WHERE template_name = ? FOR UPDATE)sql"};
constexpr mysql::Query kInsertTemplate{"file_template.insert", R"sql(
    INSERT INTO file_template (template_name, latest_version, built_in, schedule_minutes,
                               scheduled_through)
    VALUES {rows})sql"};
constexpr mysql::Query kUpdateTemplate{"file_template.update", R"sql(
    UPDATE file_template
    SET latest_version = ?, schedule_minutes = ?, scheduled_through = ?
    WHERE template_name = ?)sql"};
constexpr mysql::Query kInsertVersion{"file_template_version.insert", R"sql(
    INSERT INTO file_template_version (template_name, version, yaml, source, description, put_by,
                                       put_at_us)
    VALUES {rows})sql"};

#define KESSAI_FILE_ASSIGNMENT_SELECT                                                          \
    "SELECT merchant_id, mode, from_date, put_by, put_at_us FROM file_assignment FORCE INDEX " \
    "(PRIMARY) "
constexpr mysql::Query kAssignments{"file_assignment.all", KESSAI_FILE_ASSIGNMENT_SELECT R"sql(
    WHERE template_name = ?)sql"};
constexpr mysql::Query kListAssignments{"file_assignment.list", KESSAI_FILE_ASSIGNMENT_SELECT R"sql(
    WHERE template_name = ? AND merchant_id > ?
    ORDER BY merchant_id
    LIMIT ?)sql"};
constexpr mysql::Query kFindAssignments{"file_assignment.find", KESSAI_FILE_ASSIGNMENT_SELECT R"sql(
    WHERE template_name = ? AND merchant_id IN ({keys}))sql"};
constexpr mysql::Query kScheduledSince{"file_assignment.scheduled_since", R"sql(
    SELECT MIN(from_date)
    FROM file_assignment FORCE INDEX (file_assignment_by_mode)
    WHERE template_name = ? AND mode = 1)sql"};
constexpr mysql::Query kPutAssignments{"file_assignment.put", R"sql(
    INSERT INTO file_assignment (template_name, merchant_id, mode, from_date, put_by, put_at_us)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE mode = VALUES(mode), from_date = VALUES(from_date),
                            put_by = VALUES(put_by), put_at_us = VALUES(put_at_us))sql"};

// Due or compared: both have closed it.
constexpr mysql::Query kIsDayClosed{"reconciliation_day.is_closed", R"sql(
    SELECT 1 FROM reconciliation_day WHERE business_date = ? AND state IN (2, 3))sql"};
constexpr mysql::Query kFirstClosedDay{"reconciliation_day.first_closed", R"sql(
    SELECT MIN(business_date) FROM reconciliation_day WHERE state IN (2, 3))sql"};
constexpr mysql::Query kDaysToNote{"file_merchant_day.missing", R"sql(
    SELECT d.business_date
    FROM reconciliation_day AS d
         LEFT JOIN file_merchant_day AS n ON n.business_date = d.business_date
    WHERE d.state IN (2, 3) AND n.business_date IS NULL
    ORDER BY d.business_date
    LIMIT ?)sql"};
constexpr mysql::Query kMerchantsOfDay{"matched_day_total.merchants", R"sql(
    SELECT DISTINCT merchant_id
    FROM matched_day_total FORCE INDEX (PRIMARY)
    WHERE business_date = ?
    ORDER BY merchant_id)sql"};
constexpr mysql::Query kNoteMerchants{"file_merchant.note", R"sql(
    INSERT INTO file_merchant (merchant_id, first_date)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE first_date = LEAST(first_date, VALUES(first_date)))sql"};
constexpr mysql::Query kNoteDay{"file_merchant_day.note", R"sql(
    INSERT INTO file_merchant_day (business_date) VALUES (?)
    ON DUPLICATE KEY UPDATE business_date = VALUES(business_date))sql"};
constexpr mysql::Query kKnownMerchants{"file_merchant.known", R"sql(
    SELECT merchant_id FROM file_merchant WHERE first_date <= ? ORDER BY merchant_id)sql"};

#define KESSAI_FILE_RUN_COLUMNS                                                              \
    "run_id, template_name, template_version, business_date, merchant_id, scheduled, "       \
    "again_reason, forced, requested_by, state, merchants_done, merchants_refused, "         \
    "merchants_unchanged, file_count, row_count, byte_count, created_at_us, started_at_us, " \
    "finished_at_us, attempts, reason, message, retry_at_us"
#define KESSAI_FILE_RUN_SELECT "SELECT " KESSAI_FILE_RUN_COLUMNS " FROM file_run "
constexpr mysql::Query kInsertRun{
    "file_run.insert", "INSERT INTO file_run (" KESSAI_FILE_RUN_COLUMNS ") VALUES {rows}"};
constexpr mysql::Query kFindRun{"file_run.find", KESSAI_FILE_RUN_SELECT "WHERE run_id = ?"};
constexpr mysql::Query kLockRun{"file_run.lock",
                                KESSAI_FILE_RUN_SELECT "WHERE run_id = ? FOR UPDATE"};
constexpr mysql::Query kUpdateRun{"file_run.update", R"sql(
    UPDATE file_run
    SET state = ?, started_at_us = ?, finished_at_us = ?, attempts = ?, reason = ?, message = ?,
        retry_at_us = ?
    WHERE run_id = ?)sql"};
constexpr mysql::Query kAddProgress{"file_run.add_progress", R"sql(
    UPDATE file_run
    SET merchants_done = merchants_done + ?, merchants_refused = merchants_refused + ?,
        merchants_unchanged = merchants_unchanged + ?, file_count = file_count + ?,
        row_count = row_count + ?, byte_count = byte_count + ?
    WHERE run_id = ?)sql"};
#define KESSAI_NEWEST_RUNS " ORDER BY run_id DESC LIMIT ?"
constexpr mysql::Query kListRuns{"file_run.list", KESSAI_FILE_RUN_SELECT
                                 "FORCE INDEX (PRIMARY) WHERE run_id < ?" KESSAI_NEWEST_RUNS};
constexpr mysql::Query kListRunsFiltered{"file_run.list_filtered", KESSAI_FILE_RUN_SELECT R"sql(
    WHERE run_id < ? AND (? = '' OR template_name = ?)
      AND business_date BETWEEN ? AND ?)sql" KESSAI_NEWEST_RUNS};
constexpr mysql::Query kListRunsOfDay{"file_run.list_of_day", KESSAI_FILE_RUN_SELECT R"sql(
    FORCE INDEX (file_run_by_day)
    WHERE template_name = ? AND business_date = ? AND run_id < ?)sql" KESSAI_NEWEST_RUNS};
constexpr mysql::Query kLockLatestRun{"file_run.lock_latest", KESSAI_FILE_RUN_SELECT R"sql(
    FORCE INDEX (file_run_by_day)
    WHERE template_name = ? AND business_date = ?
    ORDER BY run_id DESC
    LIMIT 1
    FOR UPDATE)sql"};
constexpr mysql::Query kLockUnfinishedRun{"file_run.lock_unfinished", KESSAI_FILE_RUN_SELECT R"sql(
    FORCE INDEX (file_run_by_day)
    WHERE template_name = ? AND business_date = ? AND state NOT IN (3, 5)
    ORDER BY run_id DESC
    LIMIT 1
    FOR UPDATE)sql"};
constexpr mysql::Query kListDueRuns{"file_run.list_due", R"sql(
    SELECT run_id
    FROM file_run FORCE INDEX (file_run_by_state)
    WHERE state IN (1, 2, 4) AND (state = 2 OR retry_at_us <= ?)
    ORDER BY run_id
    LIMIT ?)sql"};
constexpr mysql::Query kCountUnfinished{"file_run.count_unfinished", R"sql(
    SELECT COUNT(*) FROM file_run FORCE INDEX (file_run_by_state) WHERE state IN (1, 2, 4))sql"};

constexpr mysql::Query kNoteToSweep{"file_run_sweep.note", R"sql(
    INSERT INTO file_run_sweep (run_id) VALUES (?)
    ON DUPLICATE KEY UPDATE run_id = VALUES(run_id))sql"};
constexpr mysql::Query kListToSweep{"file_run_sweep.list", KESSAI_FILE_RUN_SELECT R"sql(
    JOIN file_run_sweep USING (run_id)
    WHERE state IN (3, 5)
    ORDER BY run_id
    LIMIT ?)sql"};
constexpr mysql::Query kForgetToSweep{"file_run_sweep.forget", R"sql(
    DELETE FROM file_run_sweep WHERE run_id = ?)sql"};

constexpr mysql::Query kMerchantsDone{"file_run_merchant.done", R"sql(
    SELECT merchant_id FROM file_run_merchant FORCE INDEX (PRIMARY)
    WHERE run_id = ?
    ORDER BY merchant_id)sql"};
constexpr mysql::Query kIsNoted{"file_run_merchant.is_noted", R"sql(
    SELECT 1 FROM file_run_merchant WHERE run_id = ? AND merchant_id = ?)sql"};
constexpr mysql::Query kRefused{"file_run_merchant.refused", R"sql(
    SELECT merchant_id, outcome, reason, message
    FROM file_run_merchant FORCE INDEX (file_run_merchant_by_outcome)
    WHERE run_id = ? AND outcome = 2
    ORDER BY merchant_id
    LIMIT ?)sql"};
constexpr mysql::Query kForgetMerchants{"file_run_merchant.forget", R"sql(
    DELETE FROM file_run_merchant
    WHERE run_id = ? AND outcome IN (1, 3)
    ORDER BY merchant_id
    LIMIT ?)sql"};
constexpr mysql::Query kInsertMerchants{"file_run_merchant.insert", R"sql(
    INSERT INTO file_run_merchant (run_id, merchant_id, outcome, reason, message)
    VALUES {rows})sql"};

#define KESSAI_MERCHANT_FILE_COLUMNS                                                          \
    "file_id, run_id, merchant_id, template_name, template_version, business_date, version, " \
    "part, file_name, store_key, byte_count, sha256, row_count, totals, made_at_us, expires_at_us"
#define KESSAI_MERCHANT_FILE_SELECT                                                          \
    "SELECT f.file_id, f.run_id, f.merchant_id, f.template_name, f.template_version, "       \
    "f.business_date, f.version, f.part, f.file_name, f.store_key, f.byte_count, f.sha256, " \
    "f.row_count, f.totals, f.made_at_us, f.expires_at_us, f.removed_at_us "                 \
    "FROM merchant_file AS f "
constexpr mysql::Query kLatestVersions{"merchant_file.latest_versions", R"sql(
    SELECT merchant_id, version, sha256, removed_at_us
    FROM merchant_file FORCE INDEX (merchant_file_of_day)
    WHERE template_name = ? AND business_date = ? AND (? = 0 OR merchant_id = ?)
    ORDER BY merchant_id, version, part)sql"};
constexpr mysql::Query kInsertFiles{"merchant_file.insert",
                                    "INSERT INTO merchant_file (" KESSAI_MERCHANT_FILE_COLUMNS
                                    ") VALUES {rows}"};
constexpr mysql::Query kFindFile{"merchant_file.find",
                                 KESSAI_MERCHANT_FILE_SELECT "WHERE f.file_id = ?"};
constexpr mysql::Query kLockFile{"merchant_file.lock",
                                 KESSAI_MERCHANT_FILE_SELECT "WHERE f.file_id = ? FOR UPDATE"};
// A date at a time is read along the index that has the merchant or only the date in front.
#define KESSAI_MERCHANT_FILE_FILTER                                                  \
    "f.business_date BETWEEN ? AND ? AND (f.business_date < ? OR f.file_id < ?) "    \
    "AND (? = '' OR f.template_name = ?) "                                           \
    "AND (? = 0 OR NOT EXISTS ("                                                     \
    "SELECT 1 FROM merchant_file AS n "                                              \
    "WHERE n.template_name = f.template_name AND n.business_date = f.business_date " \
    "AND n.merchant_id = f.merchant_id AND n.version > f.version)) "                 \
    "ORDER BY f.business_date DESC, f.file_id DESC LIMIT ?"
constexpr mysql::Query kListFiles{
    "merchant_file.list", KESSAI_MERCHANT_FILE_SELECT
    "FORCE INDEX (merchant_file_by_day) WHERE " KESSAI_MERCHANT_FILE_FILTER};
constexpr mysql::Query kListFilesOfMerchant{"merchant_file.list_of_merchant",
                                            KESSAI_MERCHANT_FILE_SELECT
                                            "FORCE INDEX (merchant_file_by_merchant) WHERE "
                                            "f.merchant_id = ? AND " KESSAI_MERCHANT_FILE_FILTER};
constexpr mysql::Query kListExpired{"merchant_file.list_expired", KESSAI_MERCHANT_FILE_SELECT R"sql(
    FORCE INDEX (merchant_file_by_expiry)
    WHERE f.removed_at_us = 0 AND f.expires_at_us <= ?
    ORDER BY f.expires_at_us
    LIMIT ?)sql"};
constexpr mysql::Query kMarkRemoved{"merchant_file.mark_removed", R"sql(
    UPDATE merchant_file SET removed_at_us = ? WHERE file_id IN ({keys}))sql"};

constexpr mysql::Query kKeysOfRun{"merchant_file.keys_of_run", R"sql(
    SELECT store_key
    FROM merchant_file FORCE INDEX (merchant_file_of_day)
    WHERE template_name = ? AND business_date = ? AND merchant_id IN ({keys}) AND run_id = ?)sql"};
constexpr mysql::Query kListForgettable{"merchant_file.list_forgettable", R"sql(
    SELECT file_id
    FROM merchant_file FORCE INDEX (merchant_file_by_day)
    WHERE business_date < ? AND removed_at_us <> 0
    ORDER BY business_date, file_id
    LIMIT ?)sql"};
constexpr mysql::Query kForgetFiles{"merchant_file.forget",
                                    "DELETE FROM merchant_file WHERE file_id IN ({keys})"};
constexpr mysql::Query kForgetAnnouncements{
    "merchant_file_announcement.forget",
    "DELETE FROM merchant_file_announcement WHERE file_id IN ({keys})"};

constexpr mysql::Query kInsertAnnouncements{"merchant_file_announcement.insert", R"sql(
    INSERT INTO merchant_file_announcement (file_id, number, event_id, announced_by,
                                            announced_at_us)
    VALUES {rows})sql"};
constexpr mysql::Query kLatestAnnouncement{"merchant_file_announcement.latest", R"sql(
    SELECT number, event_id
    FROM merchant_file_announcement
    WHERE file_id = ?
    ORDER BY number DESC
    LIMIT 1)sql"};

const BusinessDate kFirstDate;
const BusinessDate kLastDate = BusinessDate::FromNumber(99991231).value();
constexpr std::int64_t kLastId = std::numeric_limits<std::int64_t>::max();

FileTemplate ReadTemplate(const mysql::Rows& row) {
    FileTemplate read{.name = row.Text(0),
                      .version = static_cast<std::uint32_t>(row.Uint(1)),
                      .source = row.Text(2),
                      .description = row.Text(3),
                      .put_by = row.Text(4),
                      .put_at = row.At(5),
                      .built_in = row.Bool(6),
                      .schedule_at = std::chrono::minutes(row.Int(7))};
    if (!row.IsNull(8)) read.scheduled_through = row.Date(8);
    return read;
}

std::vector<FileAssignment> ReadAssignments(mysql::Rows& rows) {
    std::vector<FileAssignment> read;
    while (rows.Next()) {
        read.push_back({.merchant = MerchantId(rows.Int(0)),
                        .mode = static_cast<domain::FileAssignmentMode>(rows.Int(1)),
                        .from_date = rows.Date(2),
                        .put_by = rows.Text(3),
                        .put_at = rows.At(4)});
    }
    return read;
}

FileRun ReadRun(const mysql::Rows& row) {
    FileRun run;
    run.id = FileRunId(row.Int(0));
    run.order = {.template_name = row.Text(1),
                 .business_date = row.Date(3),
                 .merchant = MerchantId(row.Int(4)),
                 .scheduled = row.Bool(5),
                 .again_reason = row.Text(6),
                 .force = row.Bool(7),
                 .requested_by = row.Text(8)};
    run.template_version = static_cast<std::uint32_t>(row.Uint(2));
    run.state = static_cast<domain::FileRunState>(row.Int(9));
    run.progress = {.merchants_done = row.Uint(10),
                    .merchants_refused = row.Uint(11),
                    .merchants_unchanged = row.Uint(12),
                    .files = row.Uint(13),
                    .rows = row.Uint(14),
                    .bytes = row.Uint(15)};
    run.created_at = row.At(16);
    run.started_at = row.At(17);
    run.finished_at = row.At(18);
    run.attempts = static_cast<std::uint32_t>(row.Uint(19));
    run.reason = row.Text(20);
    run.message = row.Text(21);
    run.retry_at = row.At(22);
    return run;
}

Result<FileRun> ReadOneRun(Result<mysql::Rows> rows, FileRunId id) {
    KESSAI_RETURN_IF_ERROR(rows.status());
    if (!rows->Next()) {
        return Status(Code::kNotFound, "FILE_RUN_UNKNOWN", "no run " + id.ToString());
    }
    return ReadRun(*rows);
}

Result<std::optional<FileRun>> ReadAnyRun(Result<mysql::Rows> rows) {
    KESSAI_RETURN_IF_ERROR(rows.status());
    if (!rows->Next()) return std::optional<FileRun>();
    return std::optional(ReadRun(*rows));
}

std::array<std::uint8_t, 32> ReadSha256(const mysql::Rows& row, int column) {
    const std::string bytes = row.Bytes(column);
    KESSAI_CHECK(bytes.size() == 32, "the column is of that width");
    std::array<std::uint8_t, 32> hash{};
    std::copy(bytes.begin(), bytes.end(), hash.begin());
    return hash;
}

Result<MerchantFile> ReadFile(const mysql::Rows& row) {
    KESSAI_ASSIGN_OR_RETURN(auto totals, DecodeTotals(row.Bytes(13)));
    return MerchantFile{.id = FileId(row.Int(0)),
                        .run = FileRunId(row.Int(1)),
                        .merchant = MerchantId(row.Int(2)),
                        .template_name = row.Text(3),
                        .template_version = static_cast<std::uint32_t>(row.Uint(4)),
                        .business_date = row.Date(5),
                        .version = static_cast<std::uint32_t>(row.Uint(6)),
                        .part = static_cast<std::uint32_t>(row.Uint(7)),
                        .name = row.Text(8),
                        .key = row.Text(9),
                        .bytes = row.Uint(10),
                        .sha256 = ReadSha256(row, 11),
                        .rows = row.Uint(12),
                        .totals = std::move(totals),
                        .made_at = row.At(14),
                        .expires_at = row.At(15),
                        .removed_at = row.At(16)};
}

Result<std::vector<MerchantFile>> ReadFiles(Result<mysql::Rows> rows) {
    KESSAI_RETURN_IF_ERROR(rows.status());
    std::vector<MerchantFile> read;
    while (rows->Next()) {
        KESSAI_ASSIGN_OR_RETURN(auto file, ReadFile(*rows));
        read.push_back(std::move(file));
    }
    return read;
}

Result<MerchantFile> ReadOneFile(Result<mysql::Rows> rows, FileId id) {
    KESSAI_RETURN_IF_ERROR(rows.status());
    if (!rows->Next()) return Status(Code::kNotFound, "FILE_UNKNOWN", "no file " + id.ToString());
    return ReadFile(*rows);
}

void AddFile(const MerchantFile& file, mysql::RowList& rows) {
    const std::string_view sha256(reinterpret_cast<const char*>(file.sha256.data()),
                                  file.sha256.size());
    rows.Add(file.id, file.run, file.merchant, file.template_name, file.template_version,
             file.business_date, file.version, file.part, file.name, file.key, file.bytes,
             mysql::Bytes{sha256}, file.rows, mysql::Bytes{EncodeTotals(file.totals)}, file.made_at,
             file.expires_at);
}

/// Executes `query` with rows of `items`, some at a time.
template <class Items, class AddRow>
Status ExecuteInPieces(mysql::Session& session, const mysql::Query& query, const Items& items,
                       std::size_t piece, const AddRow& add) {
    mysql::RowList rows;
    for (const auto& item : items) {
        add(item, rows);
        if (rows.size() < piece) continue;
        KESSAI_RETURN_IF_ERROR(session.Execute(query, rows).status());
        rows.Clear();
    }
    return rows.empty() ? OkStatus() : session.Execute(query, rows).status();
}

}  // namespace

Result<std::vector<FileTemplate>> MysqlFileBooks::ListTemplates(std::string_view after, int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kListTemplates, after, limit));
    std::vector<FileTemplate> read;
    while (rows.Next()) read.push_back(ReadTemplate(rows));
    return read;
}

Result<FileTemplate> MysqlFileBooks::FindTemplate(std::string_view name, std::uint32_t version) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindTemplate, version, version, name));
    if (!rows.Next()) {
        return Status(
            Code::kNotFound, "TEMPLATE_UNKNOWN",
            "no template '" + std::string(name) + "'" +
                (version == 0 ? std::string() : " of version " + std::to_string(version)));
    }
    FileTemplate found = ReadTemplate(rows);
    found.yaml = rows.Text(9);
    return found;
}

Result<std::optional<FileTemplate>> MysqlFileBooks::LockTemplate(std::string_view name) {
    KESSAI_ASSIGN_OR_RETURN(auto locked, session_.Select(kLockTemplate, name));
    if (!locked.Next()) return std::optional<FileTemplate>();
    KESSAI_ASSIGN_OR_RETURN(auto latest, FindTemplate(name, 0));
    return std::optional(std::move(latest));
}

Status MysqlFileBooks::InsertTemplate(const FileTemplate& version) {
    if (version.version == 1) {
        mysql::RowList head;
        head.Add(version.name, version.version, version.built_in, version.schedule_at.count(),
                 version.scheduled_through);
        const auto inserted = session_.Execute(kInsertTemplate, head);
        if (inserted.status().reason() == mysql::reason::kDuplicateKey) {
            return Status(Code::kAborted, mysql::reason::kWriteConflict,
                          std::string(inserted.status().message()));
        }
        KESSAI_RETURN_IF_ERROR(inserted.status());
    } else {
        KESSAI_RETURN_IF_ERROR(UpdateTemplate(version));
    }
    mysql::RowList rows;
    rows.Add(version.name, version.version, version.yaml, version.source, version.description,
             version.put_by, version.put_at);
    return session_.Execute(kInsertVersion, rows).status();
}

Status MysqlFileBooks::UpdateTemplate(const FileTemplate& latest) {
    return session_
        .Execute(kUpdateTemplate, latest.version, latest.schedule_at.count(),
                 latest.scheduled_through, latest.name)
        .status();
}

Result<domain::FileAssignments> MysqlFileBooks::Assignments(std::string_view name) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kAssignments, name));
    return domain::FileAssignments(ReadAssignments(rows));
}

Result<std::optional<BusinessDate>> MysqlFileBooks::ScheduledSince(std::string_view name) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kScheduledSince, name));
    if (!rows.Next() || rows.IsNull(0)) return std::optional<BusinessDate>();
    return std::optional(rows.Date(0));
}

Result<std::vector<FileAssignment>> MysqlFileBooks::ListAssignments(std::string_view name,
                                                                    std::optional<MerchantId> after,
                                                                    int limit) {
    KESSAI_ASSIGN_OR_RETURN(
        auto rows, session_.Select(kListAssignments, name, after ? after->value() : -1, limit));
    return ReadAssignments(rows);
}

Result<std::vector<FileAssignment>> MysqlFileBooks::FindAssignments(
    std::string_view name, std::span<const MerchantId> merchants) {
    std::vector<FileAssignment> found;
    for (std::size_t at = 0; at < merchants.size(); at += kKeysPerStatement) {
        const mysql::KeyList keys(
            merchants.subspan(at, std::min(kKeysPerStatement, merchants.size() - at)));
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindAssignments, name, keys));
        for (FileAssignment& assignment : ReadAssignments(rows)) {
            found.push_back(std::move(assignment));
        }
    }
    return found;
}

Status MysqlFileBooks::PutAssignments(std::string_view name,
                                      std::span<const FileAssignment> assignments) {
    return ExecuteInPieces(session_, kPutAssignments, assignments, kRowsPerStatement,
                           [&](const FileAssignment& one, mysql::RowList& rows) {
                               rows.Add(name, one.merchant, static_cast<int>(one.mode),
                                        one.from_date, one.put_by, one.put_at);
                           });
}

Result<bool> MysqlFileBooks::IsDayClosed(BusinessDate date) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kIsDayClosed, date));
    return rows.Next();
}

Result<std::optional<BusinessDate>> MysqlFileBooks::FirstClosedDay() {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFirstClosedDay));
    if (!rows.Next() || rows.IsNull(0)) return std::optional<BusinessDate>();
    return std::optional(rows.Date(0));
}

Result<std::vector<BusinessDate>> MysqlFileBooks::DaysToNote(int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kDaysToNote, limit));
    std::vector<BusinessDate> days;
    while (rows.Next()) days.push_back(rows.Date(0));
    return days;
}

Status MysqlFileBooks::NoteMerchantsOf(BusinessDate date) {
    std::vector<MerchantId> merchants;
    {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kMerchantsOfDay, date));
        while (rows.Next()) merchants.emplace_back(rows.Int(0));
    }
    KESSAI_RETURN_IF_ERROR(ExecuteInPieces(
        session_, kNoteMerchants, merchants, kRowsPerStatement,
        [&](MerchantId merchant, mysql::RowList& rows) { rows.Add(merchant, date); }));
    return session_.Execute(kNoteDay, date).status();
}

Result<std::vector<MerchantId>> MysqlFileBooks::KnownMerchants(BusinessDate through) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kKnownMerchants, through));
    std::vector<MerchantId> merchants;
    merchants.reserve(rows.size());
    while (rows.Next()) merchants.emplace_back(rows.Int(0));
    return merchants;
}

Result<FileRunId> MysqlFileBooks::InsertRun(const FileRun& run) {
    KESSAI_ASSIGN_OR_RETURN(const auto ids, ids_.Current());
    const FileRunId id(ids->Next());
    const domain::FileRunOrder& order = run.order;
    const domain::FileRunProgress& done = run.progress;
    mysql::RowList rows;
    rows.Add(id, order.template_name, run.template_version, order.business_date, order.merchant,
             order.scheduled, order.again_reason, order.force, order.requested_by,
             static_cast<int>(run.state), done.merchants_done, done.merchants_refused,
             done.merchants_unchanged, done.files, done.rows, done.bytes, run.created_at,
             run.started_at, run.finished_at, run.attempts, run.reason, run.message, run.retry_at);
    KESSAI_RETURN_IF_ERROR(session_.Execute(kInsertRun, rows).status());
    KESSAI_RETURN_IF_ERROR(ids_.Confirm(*ids));
    return id;
}

Result<FileRun> MysqlFileBooks::FindRun(FileRunId id) {
    return ReadOneRun(session_.Select(kFindRun, id), id);
}

Result<FileRun> MysqlFileBooks::LockRun(FileRunId id) {
    return ReadOneRun(session_.Select(kLockRun, id), id);
}

Status MysqlFileBooks::UpdateRun(const FileRun& run) {
    return session_
        .Execute(kUpdateRun, static_cast<int>(run.state), run.started_at, run.finished_at,
                 run.attempts, run.reason, run.message, run.retry_at, run.id)
        .status();
}

Status MysqlFileBooks::AddProgress(FileRunId id, const domain::FileRunProgress& more) {
    return session_
        .Execute(kAddProgress, more.merchants_done, more.merchants_refused,
                 more.merchants_unchanged, more.files, more.rows, more.bytes, id)
        .status();
}

Result<std::vector<FileRun>> MysqlFileBooks::ListRuns(const app::FileRunFilter& filter) {
    const std::int64_t before = filter.before.is_none() ? kLastId : filter.before.value();
    const auto select = [&]() -> Result<mysql::Rows> {
        if (!filter.template_name.empty() && filter.business_date) {
            return session_.Select(kListRunsOfDay, filter.template_name, *filter.business_date,
                                   before, filter.limit);
        }
        if (filter.template_name.empty() && !filter.business_date) {
            return session_.Select(kListRuns, before, filter.limit);
        }
        return session_.Select(kListRunsFiltered, before, filter.template_name,
                               filter.template_name, filter.business_date.value_or(kFirstDate),
                               filter.business_date.value_or(kLastDate), filter.limit);
    };
    KESSAI_ASSIGN_OR_RETURN(auto rows, select());
    std::vector<FileRun> runs;
    while (rows.Next()) runs.push_back(ReadRun(rows));
    return runs;
}

Result<std::optional<FileRun>> MysqlFileBooks::LockLatestRun(std::string_view name,
                                                             BusinessDate date) {
    return ReadAnyRun(session_.Select(kLockLatestRun, name, date));
}

Result<std::optional<FileRun>> MysqlFileBooks::LockUnfinishedRun(std::string_view name,
                                                                 BusinessDate date) {
    return ReadAnyRun(session_.Select(kLockUnfinishedRun, name, date));
}

Result<std::vector<FileRunId>> MysqlFileBooks::ListDueRuns(Instant now, int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kListDueRuns, now, limit));
    std::vector<FileRunId> due;
    while (rows.Next()) due.emplace_back(rows.Int(0));
    return due;
}

Result<std::int64_t> MysqlFileBooks::CountUnfinishedRuns() {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kCountUnfinished));
    return rows.Next() ? rows.Int(0) : 0;
}

Status MysqlFileBooks::Confirm(const app::RunGrant& grant) {
    return lease::ConfirmInTransaction(
        session_, {.name = grant.name, .owner = grant.owner, .fence = grant.fence});
}

Result<std::vector<MerchantId>> MysqlFileBooks::MerchantsDone(FileRunId id) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kMerchantsDone, id));
    std::vector<MerchantId> merchants;
    while (rows.Next()) merchants.emplace_back(rows.Int(0));
    return merchants;
}

Result<bool> MysqlFileBooks::IsNoted(FileRunId id, MerchantId merchant) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kIsNoted, id, merchant));
    return rows.Next();
}

Result<std::vector<domain::RunMerchant>> MysqlFileBooks::RefusedMerchants(FileRunId id, int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kRefused, id, limit));
    std::vector<domain::RunMerchant> refused;
    while (rows.Next()) {
        refused.push_back({.merchant = MerchantId(rows.Int(0)),
                           .outcome = static_cast<domain::MerchantOutcome>(rows.Int(1)),
                           .reason = rows.Text(2),
                           .message = rows.Text(3)});
    }
    return refused;
}

Status MysqlFileBooks::InsertMerchants(FileRunId id,
                                       std::span<const domain::RunMerchant> merchants) {
    return ExecuteInPieces(session_, kInsertMerchants, merchants, kRowsPerStatement,
                           [&](const domain::RunMerchant& one, mysql::RowList& rows) {
                               rows.Add(id, one.merchant, static_cast<int>(one.outcome), one.reason,
                                        one.message);
                           });
}

Status MysqlFileBooks::NoteToSweep(FileRunId id) {
    return session_.Execute(kNoteToSweep, id).status();
}

Result<std::vector<FileRun>> MysqlFileBooks::ListToSweep(int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kListToSweep, limit));
    std::vector<FileRun> runs;
    while (rows.Next()) runs.push_back(ReadRun(rows));
    return runs;
}

Status MysqlFileBooks::ForgetToSweep(FileRunId id) {
    return session_.Execute(kForgetToSweep, id).status();
}

Result<std::set<std::string>> MysqlFileBooks::KeysOf(const FileRun& run,
                                                     std::span<const MerchantId> merchants) {
    std::set<std::string> found;
    for (std::size_t at = 0; at < merchants.size(); at += kKeysPerStatement) {
        const mysql::KeyList keys(
            merchants.subspan(at, std::min(kKeysPerStatement, merchants.size() - at)));
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kKeysOfRun, run.order.template_name,
                                                           run.order.business_date, keys, run.id));
        while (rows.Next()) found.insert(rows.Text(0));
    }
    return found;
}

Result<std::uint64_t> MysqlFileBooks::ForgetMerchants(FileRunId id, int limit) {
    return session_.Execute(kForgetMerchants, id, limit);
}

Result<std::map<MerchantId, domain::LatestFiles>> MysqlFileBooks::LatestVersions(
    std::string_view name, BusinessDate date, MerchantId merchant) {
    KESSAI_ASSIGN_OR_RETURN(auto rows,
                            session_.Select(kLatestVersions, name, date, merchant, merchant));
    std::map<MerchantId, domain::LatestFiles> latest;
    while (rows.Next()) {
        domain::LatestFiles& files = latest[MerchantId(rows.Int(0))];
        const auto version = static_cast<std::uint32_t>(rows.Uint(1));
        if (version != files.version) files = {.version = version};
        files.sha256.push_back(ReadSha256(rows, 2));
        files.is_removed = files.is_removed || rows.Int(3) != 0;
    }
    return latest;
}

Status MysqlFileBooks::InsertFiles(std::span<const MerchantFile> files) {
    for (std::size_t at = 0; at < files.size(); at += kFilesPerStatement) {
        KESSAI_ASSIGN_OR_RETURN(const auto ids, ids_.Current());
        // Before the events' ids, as BatchWriter::Store wants it.
        const std::int64_t row_id = ids->Next();
        outbox::BatchWriter events;
        mysql::RowList file_rows;
        mysql::RowList announcement_rows;
        BusinessDate latest_date;
        for (MerchantFile file :
             files.subspan(at, std::min(kFilesPerStatement, files.size() - at))) {
            file.id = FileId(ids->Next());
            file.announcements = 1;
            file.last_event = domain::EventId(ids->Next());
            AddFile(file, file_rows);
            announcement_rows.Add(file.id, file.announcements, file.last_event, "", file.made_at);
            KESSAI_ASSIGN_OR_RETURN(const std::string event, SealFile(file, "", file.made_at));
            KESSAI_RETURN_IF_ERROR(events.Add({.object_id = file.id.value(), .envelope = event}));
            latest_date = std::max(latest_date, file.business_date);
        }
        KESSAI_RETURN_IF_ERROR(session_.Execute(kInsertFiles, file_rows).status());
        KESSAI_RETURN_IF_ERROR(session_.Execute(kInsertAnnouncements, announcement_rows).status());
        KESSAI_RETURN_IF_ERROR(events.Store(session_, row_id, latest_date));
        KESSAI_RETURN_IF_ERROR(ids_.Confirm(*ids));
    }
    return OkStatus();
}

Result<MerchantFile> MysqlFileBooks::FindFile(FileId id) {
    return ReadOneFile(session_.Select(kFindFile, id), id);
}

Result<std::vector<MerchantFile>> MysqlFileBooks::ListFiles(const app::FileFilter& filter) {
    const BusinessDate from = filter.from.value_or(kFirstDate);
    BusinessDate to = filter.to.value_or(kLastDate);
    // Of the last date only what is behind the place; of the dates before it all.
    BusinessDate place = to;
    std::int64_t before = kLastId;
    if (filter.after) {
        to = std::min(to, filter.after->business_date);
        place = filter.after->business_date;
        before = filter.after->file.value();
    }
    const int latest_only = filter.latest_only ? 1 : 0;
    if (filter.merchant.is_none()) {
        return ReadFiles(session_.Select(kListFiles, from, to, place, before, filter.template_name,
                                         filter.template_name, latest_only, filter.limit));
    }
    return ReadFiles(session_.Select(kListFilesOfMerchant, filter.merchant, from, to, place, before,
                                     filter.template_name, filter.template_name, latest_only,
                                     filter.limit));
}

Result<MerchantFile> MysqlFileBooks::Announce(FileId id, std::string_view by, Instant now) {
    KESSAI_ASSIGN_OR_RETURN(MerchantFile file, ReadOneFile(session_.Select(kLockFile, id), id));
    KESSAI_ASSIGN_OR_RETURN(auto latest, session_.Select(kLatestAnnouncement, id));
    KESSAI_CHECK(latest.Next(), "a file comes with its first announcement");
    KESSAI_ASSIGN_OR_RETURN(const auto ids, ids_.Current());
    ids->Observe(latest.Int(1));
    const std::int64_t row_id = ids->Next();
    file.announcements = static_cast<std::uint32_t>(latest.Uint(0)) + 1;
    file.last_event = domain::EventId(ids->Next());
    mysql::RowList rows;
    rows.Add(id, file.announcements, file.last_event, by, now);
    KESSAI_RETURN_IF_ERROR(session_.Execute(kInsertAnnouncements, rows).status());
    outbox::BatchWriter events;
    KESSAI_ASSIGN_OR_RETURN(const std::string event, SealFile(file, by, now));
    KESSAI_RETURN_IF_ERROR(events.Add({.object_id = id.value(), .envelope = event}));
    KESSAI_RETURN_IF_ERROR(events.Store(session_, row_id, file.business_date));
    KESSAI_RETURN_IF_ERROR(ids_.Confirm(*ids));
    return file;
}

Result<std::vector<MerchantFile>> MysqlFileBooks::ListExpired(Instant now, int limit) {
    return ReadFiles(session_.Select(kListExpired, now, limit));
}

Status MysqlFileBooks::MarkRemoved(std::span<const FileId> ids, Instant now) {
    std::vector<FileId> sorted(ids.begin(), ids.end());
    std::ranges::sort(sorted);
    for (std::size_t at = 0; at < sorted.size(); at += kKeysPerStatement) {
        const std::span piece(sorted.data() + at, std::min(kKeysPerStatement, sorted.size() - at));
        const mysql::KeyList keys(piece);
        KESSAI_RETURN_IF_ERROR(session_.Execute(kMarkRemoved, now, keys).status());
    }
    return OkStatus();
}

Result<std::uint64_t> MysqlFileBooks::ForgetFiles(BusinessDate date, int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kListForgettable, date, limit));
    std::vector<FileId> ids;
    while (rows.Next()) ids.emplace_back(rows.Int(0));
    std::ranges::sort(ids);
    for (std::size_t at = 0; at < ids.size(); at += kKeysPerStatement) {
        const std::span piece(ids.data() + at, std::min(kKeysPerStatement, ids.size() - at));
        const mysql::KeyList keys(piece);
        KESSAI_RETURN_IF_ERROR(session_.Execute(kForgetAnnouncements, keys).status());
        KESSAI_RETURN_IF_ERROR(session_.Execute(kForgetFiles, keys).status());
    }
    return ids.size();
}

Status MysqlFileTransactions::Run(const std::function<Status(app::FileBooks&)>& work) {
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;
    return mysql::InTransaction(pool_, policy, [&](mysql::Session& session) {
        MysqlFileBooks books(session, ids_);
        return work(books);
    });
}

namespace {

/// After a kill another replica waits so long.
constexpr Duration kRunLease = std::chrono::seconds(15);
constexpr Duration kRenewEvery = std::chrono::seconds(3);
/// The holder ends its work so long before the lease ends in the database.
constexpr Duration kMargin = std::chrono::seconds(3);
constexpr Duration kAcquireTimeout = std::chrono::seconds(2);

class MysqlFileRunLease final : public app::FileRunLease {
 public:
    MysqlFileRunLease(mysql::Pool& pool, const Clock& clock, lease::Grant grant)
        : pool_(pool),
          clock_(clock),
          name_(grant.name),
          owner_(grant.owner),
          fence_(grant.fence),
          grant_(std::move(grant)),
          thread_([this](const std::stop_token& stop) { Keep(stop); }) {}

    ~MysqlFileRunLease() override {
        thread_.request_stop();
        thread_.join();
        // If it cannot be given back it ends by itself.
        if (auto session = pool_.Acquire(kAcquireTimeout); session.ok()) {
            (void)lease::Release(**session, grant_);
        }
    }

    app::RunGrant grant() const override { return {name_, owner_, fence_}; }

    void OnLost(std::function<void()> lost) override {
        std::lock_guard lock(mutex_);
        on_lost_ = std::move(lost);
        if (is_lost_ && on_lost_) on_lost_();
    }

 private:
    void Keep(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (!wake_.wait_for(lock, stop, kRenewEvery, [] { return false; })) {
            if (stop.stop_requested()) return;
            lock.unlock();
            const Status renewed = Renew();
            lock.lock();
            const bool taken = renewed.reason() == lease::kLeaseLost;
            if (!taken && clock_.SteadyNow() < grant_.ends_at - kMargin) continue;
            is_lost_ = true;
            if (on_lost_) on_lost_();
            return;
        }
    }
    Status Renew() {
        KESSAI_ASSIGN_OR_RETURN(const auto session, pool_.Acquire(kAcquireTimeout));
        return lease::Renew(*session, grant_, kRunLease, clock_);
    }

    mysql::Pool& pool_;
    const Clock& clock_;
    const std::string name_;
    const std::string owner_;
    const std::int64_t fence_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::function<void()> on_lost_;
    bool is_lost_ = false;
    /// Of the thread, and after it of the destructor.
    lease::Grant grant_;
    std::jthread thread_;
};

}  // namespace

Result<std::unique_ptr<app::FileRunLease>> MysqlFileRunLeases::TryAcquire(FileRunId run) {
    KESSAI_ASSIGN_OR_RETURN(const auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto grant, lease::TryAcquire(*session, "file_run/" + run.ToString(),
                                                          lease::NewOwner(), kRunLease, clock_));
    if (!grant) return std::unique_ptr<app::FileRunLease>();
    return std::unique_ptr<app::FileRunLease>(
        std::make_unique<MysqlFileRunLease>(pool_, clock_, std::move(*grant)));
}

}  // namespace kessai::reconciliation::storage
