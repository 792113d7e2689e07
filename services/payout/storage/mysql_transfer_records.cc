#include "storage/mysql_transfer_records.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "domain/day_total.h"
#include "kessai/mysql/query.h"
#include "storage/mysql_merchant_records.h"
#include "storage/row_mapping.h"
#include "storage/transfer_rows.h"

namespace kessai::payout::storage {
namespace {

constexpr std::size_t kTextMax = 255;
constexpr std::size_t kReasonMax = 255;
constexpr std::size_t kKeysPerStatement = 500;

#define KESSAI_RUN_COLUMNS                                                             \
    "due_date, transfer_date, merchants_through, transfer_count, amount, held_count, " \
    "below_minimum_count, started_at_us, finished_at_us"
constexpr mysql::Query kFindRun{
    "transfer_run.find", "SELECT " KESSAI_RUN_COLUMNS " FROM transfer_run WHERE due_date = ?"};
constexpr mysql::Query kPutRun{"transfer_run.put",
                               "INSERT INTO transfer_run (" KESSAI_RUN_COLUMNS R"sql() VALUES {rows}
    ON DUPLICATE KEY UPDATE transfer_date = VALUES(transfer_date),
                            merchants_through = VALUES(merchants_through),
                            transfer_count = VALUES(transfer_count), amount = VALUES(amount),
                            held_count = VALUES(held_count),
                            below_minimum_count = VALUES(below_minimum_count),
                            finished_at_us = VALUES(finished_at_us))sql"};
constexpr mysql::Query kPayable{"merchant_account.payable", R"sql(
    SELECT m.merchant_id, t.merchant_id, t.version, t.cycle, t.weekday, t.minimum_amount,
           t.transfer_fee, t.on_demand_fee, m.missed_due
    FROM merchant_account m FORCE INDEX (PRIMARY)
    LEFT JOIN payout_terms t ON t.merchant_id = m.merchant_id AND t.version = m.terms
    WHERE m.merchant_id > ? AND m.bank_account > 0
    ORDER BY m.merchant_id LIMIT ?)sql"};
constexpr mysql::Query kFindPayout{
    "payout.find", "SELECT " KESSAI_PAYOUT_COLUMNS " FROM payout WHERE payout_id = ?"};
constexpr mysql::Query kFindPayoutByKey{"payout.find_by_key", "SELECT " KESSAI_PAYOUT_COLUMNS R"sql(
    FROM payout WHERE merchant_id = ? AND request_key = ?)sql"};
constexpr mysql::Query kInsertPayouts{"payout.insert", R"sql(
    INSERT INTO payout (payout_id, merchant_id, request_key, on_demand, currency, amount, fee, tax,
                        requested_by, created_at_us) VALUES {rows})sql"};
constexpr mysql::Query kTransfersOf{"transfer.of_payout", "SELECT " KESSAI_TRANSFER_COLUMNS R"sql(
    FROM transfer WHERE payout_id = ? ORDER BY attempt)sql"};
constexpr mysql::Query kFindTransfers{"transfer.find", "SELECT " KESSAI_TRANSFER_COLUMNS R"sql(
    FROM transfer FORCE INDEX (PRIMARY) WHERE transfer_id IN ({keys}))sql"};
constexpr mysql::Query kInsertTransfers{"transfer.insert", R"sql(
    INSERT INTO transfer (transfer_id, payout_id, attempt, merchant_id, bank_account,
                          transfer_date, amount, state, requested_by, created_at_us,
                          changed_at_us) VALUES {rows})sql"};
constexpr mysql::Query kSetState{"transfer.set_state", R"sql(
    UPDATE transfer SET state = ?, reason = ?, changed_at_us = ?
    WHERE transfer_id IN ({keys}))sql"};
constexpr mysql::Query kSetCancelled{"transfer.set_cancelled", R"sql(
    UPDATE transfer SET state = ?, reason = ?, cancelled_by = ?, changed_at_us = ?
    WHERE transfer_id = ?)sql"};
constexpr mysql::Query kUnsent{"transfer.unsent", "SELECT " KESSAI_TRANSFER_COLUMNS R"sql(
    FROM transfer FORCE INDEX (transfer_batch_rows)
    WHERE batch_id = 0 AND transfer_date <= ? AND state = 1
        AND (SELECT m.open_holds FROM merchant_account m
             WHERE m.merchant_id = transfer.merchant_id) = 0
    ORDER BY transfer_id LIMIT ?)sql"};
constexpr mysql::Query kFillBatch{"transfer.fill_batch", R"sql(
    UPDATE transfer SET batch_id = ?, transfer_date = ?
    WHERE transfer_id IN ({keys}) AND batch_id = 0)sql"};
// A version that did not note what was released told nobody.
constexpr mysql::Query kToldSteps{"merchant_journal.told_steps", R"sql(
    SELECT object_id, kind, fee, tax, business_date, recorded_at_us
    FROM merchant_journal FORCE INDEX (merchant_journal_effect)
    WHERE object_id IN ({keys}) AND kind <> ? AND released IS NOT NULL)sql"};
constexpr mysql::Query kToldSent{"transfer.told_sent", R"sql(
    SELECT t.transfer_id, b.created_at_us
    FROM transfer t FORCE INDEX (PRIMARY)
    JOIN transfer_batch b ON b.batch_id = t.batch_id
    JOIN merchant_journal j ON j.object_id = t.transfer_id AND j.kind = ?
        AND j.released IS NOT NULL
    WHERE t.transfer_id IN ({keys}))sql"};
#define KESSAI_BATCH_COLUMNS \
    "batch_id, transfer_date, transfer_count, amount, file_hash, created_by"
constexpr mysql::Query kInsertBatch{"transfer_batch.insert",
                                    "INSERT INTO transfer_batch (" KESSAI_BATCH_COLUMNS R"sql(,
                                     created_at_us) VALUES {rows})sql"};
constexpr mysql::Query kFindBatch{"transfer_batch.find", "SELECT " KESSAI_BATCH_COLUMNS R"sql(
    FROM transfer_batch WHERE batch_id = ?)sql"};
constexpr mysql::Query kBatches{"transfer_batch.of_date", "SELECT " KESSAI_BATCH_COLUMNS R"sql(
    FROM transfer_batch WHERE transfer_date = ? ORDER BY batch_id)sql"};
constexpr mysql::Query kSetFileHash{"transfer_batch.set_hash", R"sql(
    UPDATE transfer_batch SET file_hash = ? WHERE batch_id = ?)sql"};
constexpr mysql::Query kSetFilesMade{"transfer_file_day.put", R"sql(
    INSERT IGNORE INTO transfer_file_day (transfer_date, made_at_us) VALUES {rows})sql"};
#define KESSAI_RESULT_FILE_COLUMNS                                                    \
    "file_hash, format, settled_count, settled_amount, failed_count, failed_amount, " \
    "returned_count, returned_amount, repeated_count, imported_by"
constexpr mysql::Query kFindResults{"bank_result_file.find",
                                    "SELECT " KESSAI_RESULT_FILE_COLUMNS R"sql(
    FROM bank_result_file WHERE file_hash = ?)sql"};
constexpr mysql::Query kInsertResults{"bank_result_file.insert",
                                      "INSERT INTO bank_result_file (" KESSAI_RESULT_FILE_COLUMNS
                                      ", imported_at_us) VALUES {rows}"};

/// Those of one statement, from the `from`th on.
mysql::KeyList KeysOf(const std::vector<domain::TransferId>& ids, std::size_t from) {
    mysql::KeyList keys;
    const std::size_t end = std::min(ids.size(), from + kKeysPerStatement);
    for (std::size_t i = from; i < end; ++i) keys.Add(ids[i]);
    return keys;
}

domain::FileHash ReadHash(const mysql::Rows& row, int column) {
    domain::FileHash hash{};
    const std::string stored = row.Bytes(column);
    std::memcpy(hash.data(), stored.data(), std::min(hash.size(), stored.size()));
    return hash;
}

app::TransferBatch ReadBatch(const mysql::Rows& row) {
    app::TransferBatch batch;
    batch.id = domain::BatchId(row.Int(0));
    batch.transfer_date = row.Date(1);
    batch.transfer_count = row.Int(2);
    batch.amount = row.Int(3);
    if (!row.IsNull(4)) batch.file_hash = ReadHash(row, 4);
    batch.created_by = row.Text(5);
    return batch;
}

}  // namespace

Result<std::optional<app::TransferRun>> MysqlTransferRecords::FindRun(BusinessDate due_date) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindRun, due_date));
    if (!rows.Next()) return std::optional<app::TransferRun>();
    app::TransferRun run;
    run.due_date = rows.Date(0);
    run.transfer_date = rows.Date(1);
    run.merchants_through = domain::MerchantId(rows.Int(2));
    run.transfer_count = rows.Int(3);
    run.amount = rows.Int(4);
    run.held_count = rows.Int(5);
    run.below_minimum_count = rows.Int(6);
    run.started_at = rows.At(7);
    run.finished = !rows.IsNull(8);
    return std::optional(run);
}

Status MysqlTransferRecords::Put(const app::TransferRun& run) {
    std::optional<Instant> finished_at;
    if (run.finished) finished_at = at_;
    mysql::RowList rows;
    rows.Add(run.due_date, run.transfer_date, run.merchants_through, run.transfer_count, run.amount,
             run.held_count, run.below_minimum_count, run.started_at, finished_at);
    return internal::TakeStatus(session_.Execute(kPutRun, rows));
}

Result<std::vector<app::PayableMerchant>> MysqlTransferRecords::PayableMerchants(
    domain::MerchantId after, int limit) {
    KESSAI_ASSIGN_OR_RETURN(const domain::PayoutTerms of_all, LoadCommonTerms(session_));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kPayable, after, limit));
    std::vector<app::PayableMerchant> merchants;
    while (rows.Next()) {
        merchants.push_back({domain::MerchantId(rows.Int(0)),
                             rows.IsNull(1) ? of_all : ReadTerms(rows, 1), rows.Bool(8)});
    }
    return merchants;
}

Result<std::optional<domain::Payout>> MysqlTransferRecords::FindPayout(domain::PayoutId payout) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindPayout, payout));
    if (!rows.Next()) return std::optional<domain::Payout>();
    return std::optional(ReadPayout(rows));
}

Result<std::optional<domain::Payout>> MysqlTransferRecords::FindPayout(
    domain::MerchantId merchant, std::string_view request_key) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindPayoutByKey, merchant, request_key));
    if (!rows.Next()) return std::optional<domain::Payout>();
    return std::optional(ReadPayout(rows));
}

Status MysqlTransferRecords::Insert(std::span<const domain::Payout> payouts) {
    if (payouts.empty()) return OkStatus();
    mysql::RowList rows;
    for (const domain::Payout& payout : payouts) {
        rows.Add(payout.id, payout.merchant, payout.request_key, payout.on_demand,
                 domain::kBookCurrency.code(), payout.amounts.amount, payout.amounts.fee,
                 payout.amounts.tax, CutText(payout.requested_by, kTextMax), at_);
    }
    return internal::TakeStatus(session_.Execute(kInsertPayouts, rows));
}

Result<std::vector<domain::Transfer>> MysqlTransferRecords::TransfersOf(domain::PayoutId payout) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kTransfersOf, payout));
    std::vector<domain::Transfer> transfers;
    while (rows.Next()) transfers.push_back(ReadTransfer(rows));
    return transfers;
}

Result<std::map<domain::TransferId, domain::Transfer>> MysqlTransferRecords::FindTransfers(
    std::span<const domain::TransferId> transfers) {
    std::map<domain::TransferId, domain::Transfer> found;
    if (transfers.empty()) return found;
    mysql::KeyList keys;
    for (const domain::TransferId transfer : transfers) keys.Add(transfer);
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindTransfers, keys));
    while (rows.Next()) {
        const domain::Transfer transfer = ReadTransfer(rows);
        found[transfer.id] = transfer;
    }
    return found;
}

Result<std::vector<domain::TransferEvent>> MysqlTransferRecords::EventsOf(
    std::span<const domain::TransferId> transfers) {
    std::vector<domain::TransferEvent> events;
    if (transfers.empty()) return events;
    KESSAI_ASSIGN_OR_RETURN(const auto found, FindTransfers(transfers));
    mysql::KeyList keys;
    for (const auto& [id, transfer] : found) keys.Add(id);
    if (found.empty()) return events;
    KESSAI_ASSIGN_OR_RETURN(
        auto steps,
        session_.Select(kToldSteps, keys, static_cast<int>(domain::JournalKind::kAdjustment)));
    while (steps.Next()) {
        events.push_back({.step = domain::StepOf(static_cast<domain::JournalKind>(steps.Int(1))),
                          .transfer = found.at(domain::TransferId(steps.Int(0))),
                          .fee = steps.Int(2),
                          .tax = steps.Int(3),
                          .business_date = steps.Date(4),
                          .at = steps.At(5)});
    }
    KESSAI_ASSIGN_OR_RETURN(
        auto sent,
        session_.Select(kToldSent, static_cast<int>(domain::JournalKind::kTransferCreated), keys));
    while (sent.Next()) {
        const Instant at = sent.At(1);
        events.push_back({.step = domain::TransferStep::kSent,
                          .transfer = found.at(domain::TransferId(sent.Int(0))),
                          .business_date = BusinessDate::OfJst(at),
                          .at = at});
    }
    return events;
}

Status MysqlTransferRecords::Insert(std::span<const domain::Transfer> transfers) {
    if (transfers.empty()) return OkStatus();
    mysql::RowList rows;
    for (const domain::Transfer& transfer : transfers) {
        rows.Add(transfer.id, transfer.payout, transfer.attempt, transfer.merchant,
                 transfer.bank_account, transfer.transfer_date, transfer.amount,
                 static_cast<int>(transfer.state), CutText(transfer.requested_by, kTextMax), at_,
                 at_);
    }
    return internal::TakeStatus(session_.Execute(kInsertTransfers, rows));
}

Status MysqlTransferRecords::Update(std::span<const domain::Transfer> transfers) {
    // Nearly all of a file have the same outcome.
    std::map<std::pair<domain::TransferState, std::string>, std::vector<domain::TransferId>> alike;
    for (const domain::Transfer& transfer : transfers) {
        alike[{transfer.state, transfer.reason}].push_back(transfer.id);
    }
    for (const auto& [outcome, ids] : alike) {
        for (std::size_t from = 0; from < ids.size(); from += kKeysPerStatement) {
            KESSAI_RETURN_IF_ERROR(session_.Execute(kSetState, static_cast<int>(outcome.first),
                                                    CutText(outcome.second, kReasonMax), at_,
                                                    KeysOf(ids, from)));
        }
    }
    return OkStatus();
}

Status MysqlTransferRecords::SetCancelled(const domain::Transfer& transfer) {
    return internal::TakeStatus(session_.Execute(
        kSetCancelled, static_cast<int>(transfer.state), CutText(transfer.reason, kReasonMax),
        CutText(transfer.cancelled_by, kTextMax), at_, transfer.id));
}

Result<std::vector<domain::Transfer>> MysqlTransferRecords::FillBatch(domain::BatchId batch,
                                                                      BusinessDate transfer_date,
                                                                      int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kUnsent, transfer_date, limit));
    std::vector<domain::Transfer> filled;
    std::vector<domain::TransferId> ids;
    std::int64_t sum = 0;
    while (rows.Next()) {
        domain::Transfer transfer = ReadTransfer(rows);
        if (transfer.amount > app::kBatchAmountMax - sum) break;
        sum += transfer.amount;
        transfer.batch = batch;
        transfer.transfer_date = transfer_date;
        ids.push_back(transfer.id);
        filled.push_back(std::move(transfer));
    }
    for (std::size_t from = 0; from < ids.size(); from += kKeysPerStatement) {
        KESSAI_RETURN_IF_ERROR(
            session_.Execute(kFillBatch, batch, transfer_date, KeysOf(ids, from)));
    }
    return filled;
}

Status MysqlTransferRecords::Insert(const app::TransferBatch& batch) {
    mysql::RowList rows;
    rows.Add(batch.id, batch.transfer_date, batch.transfer_count, batch.amount, std::nullopt,
             CutText(batch.created_by, kTextMax), at_);
    return internal::TakeStatus(session_.Execute(kInsertBatch, rows));
}

Result<std::optional<app::TransferBatch>> MysqlTransferRecords::FindBatch(domain::BatchId batch) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindBatch, batch));
    if (!rows.Next()) return std::optional<app::TransferBatch>();
    return std::optional(ReadBatch(rows));
}

Result<std::vector<app::TransferBatch>> MysqlTransferRecords::Batches(BusinessDate transfer_date) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kBatches, transfer_date));
    std::vector<app::TransferBatch> batches;
    while (rows.Next()) batches.push_back(ReadBatch(rows));
    return batches;
}

Status MysqlTransferRecords::SetFilesMade(BusinessDate transfer_date) {
    mysql::RowList rows;
    rows.Add(transfer_date, at_);
    return internal::TakeStatus(session_.Execute(kSetFilesMade, rows));
}

Status MysqlTransferRecords::SetFileHash(domain::BatchId batch, const domain::FileHash& hash) {
    return internal::TakeStatus(session_.Execute(kSetFileHash, AsBytes(hash), batch));
}

Result<std::optional<app::ImportedResults>> MysqlTransferRecords::FindResults(
    const domain::FileHash& file_hash) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindResults, AsBytes(file_hash)));
    if (!rows.Next()) return std::optional<app::ImportedResults>();
    app::ImportedResults results;
    results.file_hash = ReadHash(rows, 0);
    results.format = rows.Text(1);
    results.settled = {rows.Int(2), rows.Int(3)};
    results.failed = {rows.Int(4), rows.Int(5)};
    results.returned = {rows.Int(6), rows.Int(7)};
    results.repeated_count = rows.Int(8);
    results.imported_by = rows.Text(9);
    return std::optional(results);
}

Status MysqlTransferRecords::Insert(const app::ImportedResults& results) {
    mysql::RowList rows;
    rows.Add(AsBytes(results.file_hash), results.format, results.settled.count,
             results.settled.amount, results.failed.count, results.failed.amount,
             results.returned.count, results.returned.amount, results.repeated_count,
             CutText(results.imported_by, kTextMax), at_);
    return internal::TakeStatus(session_.Execute(kInsertResults, rows));
}

}  // namespace kessai::payout::storage
