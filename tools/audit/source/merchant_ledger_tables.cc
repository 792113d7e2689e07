#include "source/merchant_ledger_tables.h"

#include "kessai/mysql/query.h"
#include "source/columns.h"

namespace kessai::audit {
namespace {

// Numbers are of both signs where rows are damaged.
constexpr std::int64_t kLowest = INT64_MIN;

constexpr mysql::Query kJournals{"merchant_journal.page", R"sql(
    SELECT journal_id, business_date + 0, merchant_id, kind, object_id, currency, amount, fee, tax,
           recorded_at_us, released IS NOT NULL
    FROM merchant_journal FORCE INDEX (merchant_journal_effect)
    WHERE object_id > ? OR (object_id = ? AND kind > ?)
    ORDER BY object_id, kind LIMIT ?)sql"};
#define KESSAI_AUDIT_TRANSFER                                                          \
    "SELECT t.transfer_id, t.payout_id, t.attempt, t.merchant_id, t.amount, t.state, " \
    "p.payout_id IS NOT NULL, COALESCE(p.merchant_id, 0), COALESCE(p.amount, 0), "     \
    "COALESCE(p.fee, 0), COALESCE(p.tax, 0), t.bank_account, t.reason, t.batch_id, "   \
    "b.batch_id IS NOT NULL, COALESCE(b.transfer_date + 0, 0), "                       \
    "COALESCE(b.created_at_us, 0) FROM transfer t "
#define KESSAI_AUDIT_BESIDE_IT                          \
    " LEFT JOIN payout p ON p.payout_id = t.payout_id " \
    "LEFT JOIN transfer_batch b ON b.batch_id = t.batch_id "
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
    SELECT merchant_id, moved_available, in_transit FROM merchant_account FORCE INDEX (PRIMARY)
    WHERE merchant_id > ? ORDER BY merchant_id LIMIT ?)sql"};
constexpr mysql::Query kNumbers{"ledger_gate.journals", R"sql(
    SELECT COALESCE((SELECT MAX(last_journal) FROM ledger_gate), 0),
           COALESCE(MAX(journal_id), 0), COUNT(*) FROM merchant_journal)sql"};

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
    row.released_is_noted = from.Bool(10);
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
}

Result<JournalNumbers> ReadJournalNumbers(mysql::Session& session) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kNumbers));
    rows.Next();
    return JournalNumbers{rows.Int(0), rows.Int(1), rows.Int(2)};
}

}  // namespace kessai::audit
