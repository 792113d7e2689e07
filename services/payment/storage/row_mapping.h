#pragma once

#include <string>
#include <string_view>

#include "domain/ledger.h"
#include "domain/payment.h"
#include "domain/working_set.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/rows.h"

namespace kessai::payment::storage {

/// The 16-byte primary keys: the first half of SHA-256 over an unambiguous form of the natural key.
std::string OrderKeyHash(const domain::OrderKey& key);
std::string RefundKeyHash(const domain::RefundKey& key);
std::string TopUpKeyHash(const domain::TopUpKey& key);

// Column lists of the SELECTs that the readers below take, in their order.
#define KESSAI_CODE_COLUMNS                                                         \
    "payment_id, merchant_id, merchant_payment_id, currency, amount, code_salt, "   \
    "code_expires_at_us, created_at_us, order_description, store_id, terminal_id, " \
    "order_receipt_number, requested_at_s, extra_json"
#define KESSAI_PAYMENT_COLUMNS                                                     \
    KESSAI_CODE_COLUMNS                                                            \
    ", status, user_id, accepted_at_us, business_date, canceled_at_us, captured, " \
    "refunded, refund_count, version, last_event_id"
#define KESSAI_REFUND_COLUMNS                                                    \
    "refund_id, payment_id, merchant_id, merchant_refund_id, currency, amount, " \
    "accepted_at_us, requested_at_s, reason"
#define KESSAI_JOURNAL_COLUMNS                                                                  \
    "object_id, version, event_id, kind, business_date, occurred_at_us, merchant_id, user_id, " \
    "currency, amount, merchant_payment_id, store_id, terminal_id, order_receipt_number, "      \
    "order_amount, captured_total, refunded_before, payment_date, payment_accepted_at_us, "     \
    "refund_id, merchant_refund_id, source, bucket"
// Without those that only refunds and top-ups have.
#define KESSAI_CAPTURE_COLUMNS                                                                  \
    "object_id, version, event_id, kind, business_date, occurred_at_us, merchant_id, user_id, " \
    "currency, amount, merchant_payment_id, store_id, terminal_id, order_receipt_number, "      \
    "order_amount, captured_total, payment_date, payment_accepted_at_us, bucket"

domain::Payment ReadPayment(const mysql::Rows& row);
domain::Refund ReadRefund(const mysql::Rows& row);
domain::Change ReadChange(const mysql::Rows& row);
/// The currency column's text; a code that was stored is a code that parses.
Currency ReadCurrency(const mysql::Rows& row, int column);

/// Rows for INSERTs over the same columns.
void AddPayment(const domain::Payment& payment, mysql::RowList& rows);
void AddJournal(const domain::Change& change, mysql::RowList& rows);
/// The same over KESSAI_CODE_COLUMNS and KESSAI_CAPTURE_COLUMNS, for rows that have the columns'
/// defaults in all others.
bool IsFreshCode(const domain::Payment& payment);
void AddCode(const domain::Payment& payment, mysql::RowList& rows);
bool IsCapture(const domain::Change& change);
void AddCapture(const domain::Change& change, mysql::RowList& rows);

}  // namespace kessai::payment::storage
