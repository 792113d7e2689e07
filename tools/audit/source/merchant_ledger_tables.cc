#include "source/merchant_ledger_tables.h"

#include "kessai/mysql/query.h"
#include "source/columns.h"

namespace kessai::audit {
namespace {

// Numbers are of both signs where rows are damaged.
constexpr std::int64_t kLowest = INT64_MIN;

constexpr mysql::Query kJournals{"merchant_journal.page", R"sql(
    SELECT journal_id, business_date + 0, merchant_id, kind, object_id, currency, amount, fee, tax,
           recorded_at_us, released
    FROM merchant_journal FORCE INDEX (merchant_journal_effect)
    WHERE object_id > ? OR (object_id = ? AND kind > ?)
    ORDER BY object_id, kind LIMIT ?)sql"};
#define KESSAI_AUDIT_OPERATORS \
    "a.version IS NOT NULL, COALESCE(a.put_by, ''), COALESCE(a.confirmed_by, '')"
#define KESSAI_AUDIT_TRANSFER                                                          \
    "SELECT t.transfer_id, t.payout_id, t.attempt, t.merchant_id, t.amount, t.state, " \
    "p.payout_id IS NOT NULL, COALESCE(p.merchant_id, 0), COALESCE(p.amount, 0), "     \
    "COALESCE(p.fee, 0), COALESCE(p.tax, 0), t.bank_account, t.reason, t.batch_id, "   \
    "b.batch_id IS NOT NULL, COALESCE(b.transfer_date + 0, 0), "                       \
    "COALESCE(b.created_at_us, 0), " KESSAI_AUDIT_OPERATORS " FROM transfer t "
#define KESSAI_AUDIT_BESIDE_IT                                   \
    " LEFT JOIN payout p ON p.payout_id = t.payout_id "          \
    "LEFT JOIN transfer_batch b ON b.batch_id = t.batch_id "     \
    "LEFT JOIN bank_account a ON a.merchant_id = t.merchant_id " \
    "AND a.version = t.bank_account "
constexpr mysql::Query kTransfers{"transfer.page", KESSAI_AUDIT_TRANSFER
                                  "FORCE INDEX (PRIMARY)" KESSAI_AUDIT_BESIDE_IT
                                  "WHERE t.transfer_id > ? ORDER BY t.transfer_id LIMIT ?"};
constexpr mysql::Query kAttempts{"transfer.attempt_page", KESSAI_AUDIT_TRANSFER
                                 "FORCE INDEX (transfer_attempt)" KESSAI_AUDIT_BESIDE_IT R"sql(
    WHERE t.payout_id > ? OR (t.payout_id = ? AND t.attempt > ?)
    ORDER BY t.payout_id, t.attempt LIMIT ?)sql"};
constexpr mysql::Query kAdjustments{"adjustment.page", R"sql(
    SELECT adjustment_id, merchant_id, amount, state, requested_by, COALESCE(decided_by, '')
    FROM adjustment FORCE INDEX (PRIMARY) WHERE adjustment_id > ?
    ORDER BY adjustment_id LIMIT ?)sql"};
constexpr mysql::Query kAccounts{"merchant_account.page", R"sql(
    SELECT m.merchant_id, m.moved_available, m.in_transit, m.bank_account, m.open_holds,
           )sql" KESSAI_AUDIT_OPERATORS R"sql(
    FROM merchant_account m FORCE INDEX (PRIMARY)
    LEFT JOIN bank_account a ON a.merchant_id = m.merchant_id AND a.version = m.bank_account
    WHERE m.merchant_id > ? ORDER BY m.merchant_id LIMIT ?)sql"};
constexpr mysql::Query kOpenHolds{"payout_hold.open_page", R"sql(
    SELECT merchant_id, hold_id FROM payout_hold FORCE INDEX (payout_hold_merchant)
    WHERE (merchant_id > ? OR (merchant_id = ? AND hold_id > ?)) AND lifted_by IS NULL
    ORDER BY merchant_id, hold_id LIMIT ?)sql"};
constexpr mysql::Query kBatches{"transfer_batch.page", R"sql(
    SELECT batch_id, transfer_count, amount FROM transfer_batch FORCE INDEX (PRIMARY)
    WHERE batch_id > ? ORDER BY batch_id LIMIT ?)sql"};
constexpr mysql::Query kJournalDays{"merchant_journal.day_page", R"sql(
    SELECT journal_id, business_date + 0 FROM merchant_journal FORCE INDEX (PRIMARY)
    WHERE journal_id > ? ORDER BY journal_id LIMIT ?)sql"};
constexpr mysql::Query kNumbers{"ledger_gate.journals", R"sql(
    SELECT COALESCE((SELECT MAX(last_journal) FROM ledger_gate), 0),
           COALESCE(MAX(journal_id), 0), COUNT(*) FROM merchant_journal)sql"};

constexpr mysql::Query kResultFiles{"bank_result_file.sums", R"sql(
    SELECT COALESCE(SUM(settled_count), 0), COALESCE(SUM(settled_amount), 0),
           COALESCE(SUM(failed_count), 0), COALESCE(SUM(failed_amount), 0),
           COALESCE(SUM(returned_count), 0), COALESCE(SUM(returned_amount), 0)
    FROM bank_result_file)sql"};

void ReadOperators(const mysql::Rows& from, int first, AccountOperators& account) {
    account.account_is_there = from.Bool(first);
    account.put_by = from.Text(first + 1);
    account.confirmed_by = from.Text(first + 2);
}

void ReadTransfer(const mysql::Rows& from, TransferRow& row) {
    row.transfer_id = from.Int(0);
    row.payout_id = from.Int(1);
    row.attempt = SmallInt(from, 2);
    row.merchant_id = from.Int(3);
    row.amount = from.Int(4);
    row.state = SmallInt(from, 5);
    row.payout_is_there = from.Bool(6);
    row.payout_merchant_id = from.Int(7);
    row.payout_amount = from.Int(8);
    row.payout_fee = from.Int(9);
    row.payout_tax = from.Int(10);
    row.bank_account = SmallInt(from, 11);
    row.reason = from.Text(12);
    row.batch_id = from.Int(13);
    row.batch_is_there = from.Bool(14);
    row.batch_date = Day(from, 15);
    row.batch_created_at_us = from.Int(16);
    ReadOperators(from, 17, row.account);
}

}  // namespace

Result<mysql::Rows> MerchantJournalTable::Fetch(mysql::Session& session, const Row* after,
                                                int limit) const {
    const std::int64_t object = after == nullptr ? kLowest : after->object_id;
    return session.Select(kJournals, object, object, after == nullptr ? -1'000 : after->kind,
                          limit);
}

void MerchantJournalTable::Read(const mysql::Rows& from, Row& row) const {
    row.journal_id = from.Int(0);
    row.business_date = Day(from, 1);
    row.merchant_id = from.Int(2);
    row.kind = SmallInt(from, 3);
    row.object_id = from.Int(4);
    row.currency = CurrencyCode(from.Text(5));
    row.amount = from.Int(6);
    row.fee = from.Int(7);
    row.tax = from.Int(8);
    row.recorded_at_us = from.Int(9);
    row.released = from.OptionalInt(10);
}

Result<mysql::Rows> AttemptTable::Fetch(mysql::Session& session, const Row* after,
                                        int limit) const {
    const std::int64_t payout = after == nullptr ? kLowest : after->payout_id;
    return session.Select(kAttempts, payout, payout, after == nullptr ? INT32_MIN : after->attempt,
                          limit);
}

void AttemptTable::Read(const mysql::Rows& from, Row& row) const {
    ReadTransfer(from, row);
}

Result<mysql::Rows> TransferTable::Fetch(mysql::Session& session, const Row* after,
                                         int limit) const {
    return session.Select(kTransfers, after == nullptr ? kLowest : after->transfer_id, limit);
}

void TransferTable::Read(const mysql::Rows& from, Row& row) const {
    ReadTransfer(from, row);
}

Result<mysql::Rows> AdjustmentTable::Fetch(mysql::Session& session, const Row* after,
                                           int limit) const {
    return session.Select(kAdjustments, after == nullptr ? kLowest : after->adjustment_id, limit);
}

void AdjustmentTable::Read(const mysql::Rows& from, Row& row) const {
    row.adjustment_id = from.Int(0);
    row.merchant_id = from.Int(1);
    row.amount = from.Int(2);
    row.state = SmallInt(from, 3);
    row.requested_by = from.Text(4);
    row.decided_by = from.Text(5);
}

Result<mysql::Rows> MerchantAccountTable::Fetch(mysql::Session& session, const Row* after,
                                                int limit) const {
    return session.Select(kAccounts, after == nullptr ? kLowest : after->merchant_id, limit);
}

void MerchantAccountTable::Read(const mysql::Rows& from, Row& row) const {
    row.merchant_id = from.Int(0);
    row.moved_available = from.Int(1);
    row.in_transit = from.Int(2);
    row.bank_account = SmallInt(from, 3);
    row.open_holds = from.Int(4);
    ReadOperators(from, 5, row.account);
}

Result<mysql::Rows> OpenHoldTable::Fetch(mysql::Session& session, const Row* after,
                                         int limit) const {
    const std::int64_t merchant = after == nullptr ? kLowest : after->merchant_id;
    return session.Select(kOpenHolds, merchant, merchant,
                          after == nullptr ? kLowest : after->hold_id, limit);
}

void OpenHoldTable::Read(const mysql::Rows& from, Row& row) const {
    row.merchant_id = from.Int(0);
    row.hold_id = from.Int(1);
}

Result<mysql::Rows> TransferBatchTable::Fetch(mysql::Session& session, const Row* after,
                                              int limit) const {
    return session.Select(kBatches, after == nullptr ? kLowest : after->batch_id, limit);
}

void TransferBatchTable::Read(const mysql::Rows& from, Row& row) const {
    row.batch_id = from.Int(0);
    row.transfer_count = from.Int(1);
    row.amount = from.Int(2);
}

Result<mysql::Rows> JournalDayTable::Fetch(mysql::Session& session, const Row* after,
                                           int limit) const {
    return session.Select(kJournalDays, after == nullptr ? kLowest : after->journal_id, limit);
}

void JournalDayTable::Read(const mysql::Rows& from, Row& row) const {
    row.journal_id = from.Int(0);
    row.business_date = Day(from, 1);
}

Result<JournalNumbers> ReadJournalNumbers(mysql::Session& session) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kNumbers));
    rows.Next();
    return JournalNumbers{rows.Int(0), rows.Int(1), rows.Int(2)};
}

Result<ResultsByOutcome> ReadResultFiles(mysql::Session& session) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kResultFiles));
    rows.Next();
    return ResultsByOutcome{
        {rows.Int(0), rows.Int(1)}, {rows.Int(2), rows.Int(3)}, {rows.Int(4), rows.Int(5)}};
}

}  // namespace kessai::audit
