#include "storage/mysql_payment_reader.h"

#include <limits>
#include <map>
#include <string>

#include "domain/refusal.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"
#include "storage/row_mapping.h"

namespace kessai::payment::storage {
namespace {

using domain::Refusal;
using domain::Refuse;

constexpr Duration kAcquireTimeout = std::chrono::seconds(1);

constexpr mysql::Query kPaymentById{
    "payment.by_id", "SELECT " KESSAI_PAYMENT_COLUMNS " FROM payment WHERE payment_id = ?"};
constexpr mysql::Query kPaymentOfOrder{"payment_order.payment_id",
                                       "SELECT payment_id FROM payment_order WHERE order_key = ?"};
constexpr mysql::Query kRefundsOfPayment{"refund.of_payment",
                                         "SELECT " KESSAI_REFUND_COLUMNS R"sql( FROM refund
    WHERE payment_id = ? ORDER BY refund_id)sql"};
constexpr mysql::Query kRefundByKey{
    "refund.by_key", "SELECT " KESSAI_REFUND_COLUMNS " FROM refund WHERE refund_key = ?"};
constexpr mysql::Query kNewestRefund{"refund.newest",
                                     "SELECT " KESSAI_REFUND_COLUMNS R"sql( FROM refund
    WHERE merchant_id = ? AND merchant_refund_id = ? ORDER BY refund_id DESC LIMIT 1)sql"};
constexpr mysql::Query kWallet{"account.of_user", R"sql(
    SELECT currency, balance, last_event_id, opened_at_us FROM account
    WHERE kind = ? AND owner_id = ?)sql"};
// A page of postings of one account, newest first, and their changes by primary key.
constexpr mysql::Query kHistory{"posting.history", R"sql(
    SELECT object_id, version, amount, balance_after FROM posting
    WHERE kind = ? AND owner_id = ? AND event_id < ? ORDER BY event_id DESC LIMIT ?)sql"};
constexpr mysql::Query kChange{"journal.by_key",
                               "SELECT " KESSAI_JOURNAL_COLUMNS
                               " FROM journal WHERE object_id = ? AND version = ?"};
constexpr mysql::Query kPostingOfEvent{"posting.of_event", R"sql(
    SELECT object_id, version, amount FROM posting
    WHERE owner_id = ? AND kind = ? AND event_id = ?)sql"};
constexpr mysql::Query kMerchants{"merchant.by_ids", R"sql(
    SELECT merchant_id, name, suspended, multiple_refunds FROM merchant
    WHERE merchant_id IN ({keys}))sql"};
constexpr mysql::Query kPutMerchant{"merchant.put", R"sql(
    INSERT INTO merchant (merchant_id, name, suspended, multiple_refunds, changed_at_us)
    VALUES (?, ?, ?, ?, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    ON DUPLICATE KEY UPDATE name = VALUES(name), suspended = VALUES(suspended),
                            multiple_refunds = VALUES(multiple_refunds),
                            changed_at_us = VALUES(changed_at_us))sql"};

constexpr int kUserMoney = static_cast<int>(domain::AccountKind::kUserMoney);

Status PaymentUnknown() {
    return Refuse(Refusal::kPaymentUnknown, "there is no such payment");
}

Result<domain::Payment> PaymentByIdIn(mysql::Session& session, domain::PaymentId id) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kPaymentById, id));
    if (!rows.Next()) return PaymentUnknown();
    return ReadPayment(rows);
}

}  // namespace

Result<domain::Payment> MysqlPaymentReader::PaymentById(domain::PaymentId id) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    return PaymentByIdIn(*session, id);
}

Result<domain::Payment> MysqlPaymentReader::PaymentByOrder(const domain::OrderKey& key) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    const std::string hash = OrderKeyHash(key);
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kPaymentOfOrder, mysql::Bytes{hash}));
    if (!rows.Next() || rows.Int(0) == 0) return PaymentUnknown();
    return PaymentByIdIn(*session, domain::PaymentId(rows.Int(0)));
}

Result<std::vector<domain::Refund>> MysqlPaymentReader::RefundsOf(domain::PaymentId id) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kRefundsOfPayment, id));
    std::vector<domain::Refund> refunds;
    while (rows.Next()) refunds.push_back(ReadRefund(rows));
    return refunds;
}

Result<domain::Refund> MysqlPaymentReader::RefundByKey(const domain::RefundKey& key) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    const std::string hash = RefundKeyHash(key);
    KESSAI_ASSIGN_OR_RETURN(
        auto rows, key.payment.is_none()
                       ? session->Select(kNewestRefund, key.merchant, key.merchant_refund_id)
                       : session->Select(kRefundByKey, mysql::Bytes{hash}));
    if (!rows.Next()) return Refuse(Refusal::kRefundUnknown, "there is no such refund");
    return ReadRefund(rows);
}

Result<domain::Wallet> MysqlPaymentReader::WalletOf(domain::UserId user) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kWallet, kUserMoney, user));
    if (!rows.Next()) return Refuse(Refusal::kWalletUnknown, "the user has no wallet");
    return domain::Wallet{user, Money(rows.Int(1), ReadCurrency(rows, 0)),
                          domain::EventId(rows.Int(2)), rows.At(3)};
}

Result<std::vector<app::HistoryEntry>> MysqlPaymentReader::HistoryOf(domain::UserId user,
                                                                     domain::EventId before,
                                                                     int limit) {
    const std::int64_t below =
        before.is_none() ? std::numeric_limits<std::int64_t>::max() : before.value();
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kHistory, kUserMoney, user, below, limit));
    std::vector<app::HistoryEntry> entries;
    while (rows.Next()) {
        KESSAI_ASSIGN_OR_RETURN(auto header, session->Select(kChange, rows.Int(0), rows.Uint(1)));
        // A posting and its journal are written in one transaction.
        if (!header.Next()) {
            return Status(Code::kDataLoss, "JOURNAL_MISSING", "a posting has no journal");
        }
        domain::Change change = ReadChange(header);
        const Currency currency = change.amount.currency();
        entries.push_back(
            {std::move(change), Money(rows.Int(2), currency), Money(rows.Int(3), currency)});
    }
    return entries;
}

Result<std::vector<domain::Merchant>> MysqlPaymentReader::Merchants(
    const std::vector<domain::MerchantId>& ids) {
    std::vector<domain::Merchant> merchants;
    if (ids.empty()) return merchants;
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kMerchants, mysql::KeyList(ids)));
    while (rows.Next()) {
        merchants.push_back(
            {domain::MerchantId(rows.Int(0)), rows.Text(1), rows.Bool(2), rows.Bool(3)});
    }
    return merchants;
}

Status MysqlPaymentReader::PutMerchant(const domain::Merchant& merchant) {
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;  // The same row again changes nothing.
    return mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
        KESSAI_RETURN_IF_ERROR(session.Execute(kPutMerchant, merchant.id, merchant.name,
                                               merchant.suspended, merchant.multiple_refunds));
        return OkStatus();
    });
}

Result<std::vector<domain::Change>> MysqlPaymentReader::Changes(
    const std::vector<std::pair<std::int64_t, std::uint32_t>>& keys) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    std::vector<domain::Change> changes;
    for (const auto& [object, version] : keys) {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kChange, object, version));
        if (rows.Next()) changes.push_back(ReadChange(rows));
    }
    return changes;
}

Result<std::string> MysqlPaymentReader::DoubtOf(const domain::Change& change) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    const auto payment = PaymentByIdIn(*session, domain::PaymentId(change.object));
    if (payment.status().code() == Code::kNotFound) return std::string("there is no such payment");
    KESSAI_RETURN_IF_ERROR(payment.status());
    if (payment->version < change.version) {
        return "its payment has come to version " + std::to_string(payment->version) + " only";
    }
    for (const domain::Posting& posting : domain::PostingsOf(change)) {
        KESSAI_ASSIGN_OR_RETURN(auto rows,
                                session->Select(kPostingOfEvent, posting.owner,
                                                static_cast<int>(posting.account), change.event));
        const bool is_its = rows.Next() && rows.Int(0) == change.object &&
                            rows.Uint(1) == change.version && rows.Int(2) == posting.amount;
        if (!is_its) {
            return std::string(domain::AccountName(posting.account)) + " " +
                   std::to_string(posting.owner) + " has no posting of it";
        }
    }
    return std::string();
}

}  // namespace kessai::payment::storage
