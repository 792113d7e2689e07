#include "load/stored_payments.h"

#include <unordered_map>

#include "kessai/mysql/query.h"

namespace kessai::load {

namespace {

// What the numbers mean: services/payment/domain/payment.h and ledger.h, services/payout/domain/
// payment_change.h, services/reconciliation/domain/match.h. Stored numbers never change.
constexpr std::int64_t kPaymentCompleted = 2;

constexpr mysql::Query kPayments{"load.list_payments", R"sql(
    SELECT payment_id, merchant_payment_id, merchant_id, user_id, amount, status, created_at_us,
           accepted_at_us
    FROM payment
    WHERE merchant_id BETWEEN ? AND ?)sql"};

constexpr mysql::Query kCompletions{"load.list_completions", R"sql(
    SELECT object_id, version
    FROM journal
    WHERE merchant_id BETWEEN ? AND ? AND kind = 1)sql"};

constexpr mysql::Query kAccruals{"load.list_accruals", R"sql(
    SELECT payment_id, version, gross
    FROM accrual
    WHERE merchant_id BETWEEN ? AND ? AND kind = 1)sql"};

constexpr mysql::Query kMatches{"load.list_matches", R"sql(
    SELECT payment_id, version
    FROM change_match
    WHERE merchant_id BETWEEN ? AND ? AND state = 3)sql"};

constexpr mysql::Query kCompletedTotals{"load.sum_completions", R"sql(
    SELECT COUNT(*), COALESCE(SUM(amount), 0)
    FROM journal
    WHERE merchant_id BETWEEN ? AND ? AND kind = 1)sql"};

constexpr mysql::Query kAccruedTotals{"load.sum_accruals", R"sql(
    SELECT COUNT(*), COALESCE(SUM(gross), 0)
    FROM accrual
    WHERE merchant_id BETWEEN ? AND ? AND kind = 1)sql"};

Result<StoredTotals> ReadTotals(const Stack& stack, const std::string& service,
                                const mysql::Query& query, std::int64_t first, int count) {
    KESSAI_ASSIGN_OR_RETURN(const auto session, mysql::Session::Connect(ReadOnly(stack, service)));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(query, first, first + count - 1));
    StoredTotals totals;
    if (rows.Next()) {
        totals.payments = rows.Uint(0);
        totals.yen = rows.Int(1);
    }
    return totals;
}

}  // namespace

mysql::ConnectOptions ReadOnly(const Stack& stack, const std::string& service) {
    mysql::ConnectOptions options;
    options.host = stack.mysql.server.host;
    options.port = stack.mysql.server.port;
    options.user = stack.mysql.user;
    options.password = stack.mysql.password;
    if (const auto schema = stack.mysql.schemas.find(service);
        schema != stack.mysql.schemas.end()) {
        options.schema = schema->second;
    }
    options.read_timeout = std::chrono::minutes(5);
    return options;
}

Result<std::vector<StoredPayment>> ReadStoredPayments(const Stack& stack, std::int64_t first,
                                                      int count) {
    const std::int64_t last = first + count - 1;
    std::vector<StoredPayment> payments;
    struct Place {
        std::size_t index = 0;
        std::int64_t version = 0;  // of the change that completed it
    };
    std::unordered_map<std::int64_t, Place> by_id;

    KESSAI_ASSIGN_OR_RETURN(const auto payment,
                            mysql::Session::Connect(ReadOnly(stack, "payment")));
    KESSAI_ASSIGN_OR_RETURN(auto rows, payment->SelectStreamed(kPayments, first, last));
    while (rows.Next()) {
        StoredPayment stored;
        stored.payment_id = rows.Int(0);
        stored.key = rows.Text(1);
        stored.merchant_id = rows.Int(2);
        stored.user_id = rows.Int(3);
        stored.amount = rows.Int(4);
        stored.paid = rows.Int(5) == kPaymentCompleted;
        stored.created_at_us = rows.Int(6);
        stored.accepted_at_us = rows.Int(7);
        by_id[stored.payment_id] = {payments.size(), 0};
        payments.push_back(std::move(stored));
    }
    KESSAI_RETURN_IF_ERROR(Status(rows.status()));

    KESSAI_ASSIGN_OR_RETURN(auto changes, payment->SelectStreamed(kCompletions, first, last));
    while (changes.Next()) {
        const auto found = by_id.find(changes.Int(0));
        if (found == by_id.end()) continue;
        found->second.version = changes.Int(1);
        ++payments[found->second.index].completions;
    }
    KESSAI_RETURN_IF_ERROR(Status(changes.status()));

    KESSAI_ASSIGN_OR_RETURN(const auto payout, mysql::Session::Connect(ReadOnly(stack, "payout")));
    KESSAI_ASSIGN_OR_RETURN(auto accruals, payout->SelectStreamed(kAccruals, first, last));
    while (accruals.Next()) {
        const auto found = by_id.find(accruals.Int(0));
        if (found == by_id.end()) continue;
        StoredPayment& stored = payments[found->second.index];
        ++stored.accruals;
        stored.accrued_gross += accruals.Int(2);
    }
    KESSAI_RETURN_IF_ERROR(Status(accruals.status()));

    KESSAI_ASSIGN_OR_RETURN(const auto reconciliation,
                            mysql::Session::Connect(ReadOnly(stack, "reconciliation")));
    KESSAI_ASSIGN_OR_RETURN(auto matches, reconciliation->SelectStreamed(kMatches, first, last));
    while (matches.Next()) {
        const auto found = by_id.find(matches.Int(0));
        if (found == by_id.end() || found->second.version != matches.Int(1)) continue;
        ++payments[found->second.index].matches;
    }
    KESSAI_RETURN_IF_ERROR(Status(matches.status()));
    return payments;
}

Result<StoredTotals> ReadCompletedTotals(const Stack& stack, std::int64_t first, int count) {
    return ReadTotals(stack, "payment", kCompletedTotals, first, count);
}

Result<StoredTotals> ReadAccruedTotals(const Stack& stack, std::int64_t first, int count) {
    return ReadTotals(stack, "payout", kAccruedTotals, first, count);
}

}  // namespace kessai::load
