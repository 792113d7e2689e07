#include "source/payment_tables.h"

#include "kessai/mysql/query.h"
#include "source/columns.h"

namespace kessai::audit {
namespace {

// Dates are read as numbers, because a damaged row may hold what is no date. A page begins behind a
// key of several columns: the alternatives are disjoint ranges of that key, in its order.

#define KESSAI_AUDIT_JOURNAL                                                                      \
    "SELECT object_id, version, event_id, kind, business_date + 0, occurred_at_us, merchant_id, " \
    "user_id, currency, amount, merchant_payment_id, store_id, terminal_id, "                     \
    "order_receipt_number, order_amount, captured_total, refunded_before, payment_date + 0, "     \
    "payment_accepted_at_us, refund_id, merchant_refund_id, source, bucket FROM journal "         \
    "FORCE INDEX (PRIMARY) "
constexpr mysql::Query kJournalsFirst{"journal.first_page",
                                      KESSAI_AUDIT_JOURNAL "ORDER BY object_id, version LIMIT ?"};
constexpr mysql::Query kJournalsNext{"journal.next_page", KESSAI_AUDIT_JOURNAL R"sql(
    WHERE object_id > ? OR (object_id = ? AND version > ?)
    ORDER BY object_id, version LIMIT ?)sql"};
constexpr mysql::Query kJournalsOf{"journal.of_objects",
                                   KESSAI_AUDIT_JOURNAL "WHERE object_id IN ({keys})"};

#define KESSAI_AUDIT_PAYMENT                                                                  \
    "SELECT payment_id, merchant_id, merchant_payment_id, currency, amount, store_id, "       \
    "terminal_id, order_receipt_number, status, user_id, accepted_at_us, business_date + 0, " \
    "canceled_at_us, captured, refunded, refund_count, version, last_event_id FROM payment "  \
    "FORCE INDEX (PRIMARY) "
constexpr mysql::Query kPaymentsFirst{"payment.first_page",
                                      KESSAI_AUDIT_PAYMENT "ORDER BY payment_id LIMIT ?"};
constexpr mysql::Query kPaymentsNext{
    "payment.next_page", KESSAI_AUDIT_PAYMENT "WHERE payment_id > ? ORDER BY payment_id LIMIT ?"};

#define KESSAI_AUDIT_ORDER                                                            \
    "SELECT order_key, merchant_id, merchant_payment_id, payment_id, canceled_at_us " \
    "FROM payment_order FORCE INDEX (PRIMARY) "
constexpr mysql::Query kOrdersFirst{"payment_order.first_page",
                                    KESSAI_AUDIT_ORDER "ORDER BY order_key LIMIT ?"};
constexpr mysql::Query kOrdersNext{
    "payment_order.next_page", KESSAI_AUDIT_ORDER "WHERE order_key > ? ORDER BY order_key LIMIT ?"};

#define KESSAI_AUDIT_REFUND                                                                 \
    "SELECT refund_key, refund_id, payment_id, merchant_id, merchant_refund_id, currency, " \
    "amount, accepted_at_us FROM refund FORCE INDEX (by_payment) "
constexpr mysql::Query kRefundsFirst{
    "refund.first_page", KESSAI_AUDIT_REFUND "ORDER BY payment_id, refund_id, refund_key LIMIT ?"};
// The primary key ends every secondary one, so that rows with equal keys are told apart.
constexpr mysql::Query kRefundsNext{"refund.next_page", KESSAI_AUDIT_REFUND R"sql(
    WHERE payment_id > ? OR (payment_id = ? AND refund_id > ?)
       OR (payment_id = ? AND refund_id = ? AND refund_key > ?)
    ORDER BY payment_id, refund_id, refund_key LIMIT ?)sql"};

#define KESSAI_AUDIT_TOP_UP                                                              \
    "SELECT top_up_key, top_up_id, user_id, idempotency_key, currency, amount, source, " \
    "balance_after, accepted_at_us FROM top_up FORCE INDEX (PRIMARY) "
constexpr mysql::Query kTopUpsFirst{"top_up.first_page",
                                    KESSAI_AUDIT_TOP_UP "ORDER BY top_up_key LIMIT ?"};
constexpr mysql::Query kTopUpsNext{
    "top_up.next_page", KESSAI_AUDIT_TOP_UP "WHERE top_up_key > ? ORDER BY top_up_key LIMIT ?"};

#define KESSAI_AUDIT_CLEARING \
    "SELECT object_id, version, content_hash FROM release_clearing FORCE INDEX (PRIMARY) "
constexpr mysql::Query kClearingsFirst{"release_clearing.first_page",
                                       KESSAI_AUDIT_CLEARING "ORDER BY object_id, version LIMIT ?"};
constexpr mysql::Query kClearingsNext{"release_clearing.next_page", KESSAI_AUDIT_CLEARING R"sql(
    WHERE object_id > ? OR (object_id = ? AND version > ?)
    ORDER BY object_id, version LIMIT ?)sql"};

#define KESSAI_AUDIT_ACCOUNT \
    "SELECT kind, owner_id, currency, balance, last_event_id FROM account FORCE INDEX (PRIMARY) "
constexpr mysql::Query kAccountsFirst{"account.first_page",
                                      KESSAI_AUDIT_ACCOUNT "ORDER BY owner_id, kind LIMIT ?"};
constexpr mysql::Query kAccountsNext{"account.next_page", KESSAI_AUDIT_ACCOUNT R"sql(
    WHERE owner_id > ? OR (owner_id = ? AND kind > ?) ORDER BY owner_id, kind LIMIT ?)sql"};

#define KESSAI_AUDIT_POSTING                                                                     \
    "SELECT kind, owner_id, event_id, object_id, version, business_date + 0, currency, amount, " \
    "balance_after FROM posting FORCE INDEX (PRIMARY) "
constexpr mysql::Query kPostingsFirst{
    "posting.first_page", KESSAI_AUDIT_POSTING "ORDER BY owner_id, kind, event_id LIMIT ?"};
constexpr mysql::Query kPostingsNext{"posting.next_page", KESSAI_AUDIT_POSTING R"sql(
    WHERE owner_id > ? OR (owner_id = ? AND kind > ?)
       OR (owner_id = ? AND kind = ? AND event_id > ?)
    ORDER BY owner_id, kind, event_id LIMIT ?)sql"};

// Ids of payments and top-ups are far larger than any yyyymmdd.
constexpr mysql::Query kClearedReleases{
    "journal.of_releases", KESSAI_AUDIT_JOURNAL "WHERE object_id BETWEEN 0 AND 99991231"};
constexpr mysql::Query kClearings{"release_clearing.all", KESSAI_AUDIT_CLEARING};

constexpr mysql::Query kGates{"gate.count",
                              "SELECT business_date + 0, COUNT(*) FROM gate GROUP BY 1"};
constexpr mysql::Query kDays{"business_day.all",
                             "SELECT business_date + 0, state, closing_at_us FROM business_day"};

}  // namespace

Result<mysql::Rows> JournalTable::Fetch(mysql::Session& session, const Row* after,
                                        int limit) const {
    if (after == nullptr) return session.Select(kJournalsFirst, limit);
    return session.Select(kJournalsNext, after->key.object, after->key.object, after->key.version,
                          limit);
}

void JournalTable::Read(const mysql::Rows& from, Row& row) const {
    row.key = {from.Int(0), Uint32(from, 1)};
    row.event_id = from.Int(2);
    row.kind = SmallInt(from, 3);
    row.business_date = Day(from, 4);
    row.occurred_at_us = from.Int(5);
    row.merchant_id = from.Int(6);
    row.user_id = from.Int(7);
    row.currency = CurrencyCode(from.Text(8));
    row.amount = from.Int(9);
    row.merchant_payment_id = from.Text(10);
    row.store_id = from.Text(11);
    row.terminal_id = from.Text(12);
    row.order_receipt_number = from.Text(13);
    row.order_amount = from.Int(14);
    row.captured_total = from.Int(15);
    row.refunded_before = from.Int(16);
    row.payment_date = Day(from, 17);
    row.payment_accepted_at_us = from.Int(18);
    row.refund_id = from.Int(19);
    row.merchant_refund_id = from.Text(20);
    row.source = from.Text(21);
    row.bucket = SmallInt(from, 22);
}

Result<mysql::Rows> PaymentTable::Fetch(mysql::Session& session, const Row* after,
                                        int limit) const {
    if (after == nullptr) return session.Select(kPaymentsFirst, limit);
    return session.Select(kPaymentsNext, after->payment_id, limit);
}

void PaymentTable::Read(const mysql::Rows& from, Row& row) const {
    row.payment_id = from.Int(0);
    row.merchant_id = from.Int(1);
    row.merchant_payment_id = from.Text(2);
    row.currency = CurrencyCode(from.Text(3));
    row.amount = from.Int(4);
    row.store_id = from.Text(5);
    row.terminal_id = from.Text(6);
    row.order_receipt_number = from.Text(7);
    row.status = SmallInt(from, 8);
    row.user_id = from.Int(9);
    row.accepted_at_us = from.Int(10);
    row.business_date = Day(from, 11);
    row.canceled_at_us = from.Int(12);
    row.captured = from.Int(13);
    row.refunded = from.Int(14);
    row.refund_count = from.Int(15);
    row.version = Uint32(from, 16);
    row.last_event_id = from.Int(17);
}

Result<mysql::Rows> OrderTable::Fetch(mysql::Session& session, const Row* after, int limit) const {
    if (after == nullptr) return session.Select(kOrdersFirst, limit);
    return session.Select(kOrdersNext, BytesOf(after->order_key), limit);
}

void OrderTable::Read(const mysql::Rows& from, Row& row) const {
    row.order_key = Hash16Of(from.Bytes(0));
    row.merchant_id = from.Int(1);
    row.merchant_payment_id = from.Text(2);
    row.payment_id = from.Int(3);
    row.canceled_at_us = from.Int(4);
}

Result<mysql::Rows> RefundTable::Fetch(mysql::Session& session, const Row* after, int limit) const {
    if (after == nullptr) return session.Select(kRefundsFirst, limit);
    return session.Select(kRefundsNext, after->payment_id, after->payment_id, after->refund_id,
                          after->payment_id, after->refund_id, BytesOf(after->refund_key), limit);
}

void RefundTable::Read(const mysql::Rows& from, Row& row) const {
    row.refund_key = Hash16Of(from.Bytes(0));
    row.refund_id = from.Int(1);
    row.payment_id = from.Int(2);
    row.merchant_id = from.Int(3);
    row.merchant_refund_id = from.Text(4);
    row.currency = CurrencyCode(from.Text(5));
    row.amount = from.Int(6);
    row.accepted_at_us = from.Int(7);
}

Result<mysql::Rows> TopUpTable::Fetch(mysql::Session& session, const Row* after, int limit) const {
    if (after == nullptr) return session.Select(kTopUpsFirst, limit);
    return session.Select(kTopUpsNext, BytesOf(after->top_up_key), limit);
}

void TopUpTable::Read(const mysql::Rows& from, Row& row) const {
    row.top_up_key = Hash16Of(from.Bytes(0));
    row.top_up_id = from.Int(1);
    row.user_id = from.Int(2);
    row.idempotency_key = from.Text(3);
    row.currency = CurrencyCode(from.Text(4));
    row.amount = from.Int(5);
    row.source = from.Text(6);
    row.balance_after = from.Int(7);
    row.accepted_at_us = from.Int(8);
}

Result<mysql::Rows> ClearingTable::Fetch(mysql::Session& session, const Row* after,
                                         int limit) const {
    if (after == nullptr) return session.Select(kClearingsFirst, limit);
    return session.Select(kClearingsNext, after->key.object, after->key.object, after->key.version,
                          limit);
}

void ClearingTable::Read(const mysql::Rows& from, Row& row) const {
    row.key = {from.Int(0), Uint32(from, 1)};
    row.content_hash = Hash16Of(from.Bytes(2));
}

Result<mysql::Rows> AccountTable::Fetch(mysql::Session& session, const Row* after,
                                        int limit) const {
    if (after == nullptr) return session.Select(kAccountsFirst, limit);
    return session.Select(kAccountsNext, after->owner_id, after->owner_id, after->kind, limit);
}

void AccountTable::Read(const mysql::Rows& from, Row& row) const {
    row.kind = SmallInt(from, 0);
    row.owner_id = from.Int(1);
    row.currency = CurrencyCode(from.Text(2));
    row.balance = from.Int(3);
    row.last_event_id = from.Int(4);
}

Result<mysql::Rows> PostingTable::Fetch(mysql::Session& session, const Row* after,
                                        int limit) const {
    if (after == nullptr) return session.Select(kPostingsFirst, limit);
    return session.Select(kPostingsNext, after->owner_id, after->owner_id, after->kind,
                          after->owner_id, after->kind, after->event_id, limit);
}

void PostingTable::Read(const mysql::Rows& from, Row& row) const {
    row.kind = SmallInt(from, 0);
    row.owner_id = from.Int(1);
    row.event_id = from.Int(2);
    row.key = {from.Int(3), Uint32(from, 4)};
    row.business_date = Day(from, 5);
    row.currency = CurrencyCode(from.Text(6));
    row.amount = from.Int(7);
    row.balance_after = from.Int(8);
}

Result<std::vector<Change>> ChangesOf(mysql::Session& session,
                                      const std::vector<std::int64_t>& objects) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kJournalsOf, mysql::KeyList(objects)));
    std::vector<Change> changes;
    while (rows.Next()) JournalTable().Read(rows, changes.emplace_back());
    return changes;
}

Result<std::vector<Change>> ReadClearedReleases(mysql::Session& session) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kClearedReleases));
    std::vector<Change> changes;
    while (rows.Next()) JournalTable().Read(rows, changes.emplace_back());
    std::erase_if(changes, [](const Change& change) { return change.kind != kReleaseCleared; });
    return changes;
}

Result<std::vector<ClearingRow>> ReadClearings(mysql::Session& session) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kClearings));
    std::vector<ClearingRow> clearings;
    while (rows.Next()) ClearingTable().Read(rows, clearings.emplace_back());
    return clearings;
}

Result<PaymentDays> ReadPaymentDays(mysql::Session& session) {
    PaymentDays days;
    KESSAI_ASSIGN_OR_RETURN(auto gates, session.Select(kGates));
    while (gates.Next()) days.gates[Day(gates, 0)] = SmallInt(gates, 1);
    KESSAI_ASSIGN_OR_RETURN(auto ended, session.Select(kDays));
    while (ended.Next()) days.ended[Day(ended, 0)] = {SmallInt(ended, 1), ended.Int(2)};
    return days;
}

}  // namespace kessai::audit
