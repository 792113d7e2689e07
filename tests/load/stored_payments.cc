#include "load/stored_payments.h"

#include <map>
#include <unordered_map>

#include "kessai/mysql/query.h"

namespace kessai::load {

namespace {

// What the numbers mean: services/payment/domain/payment.h and ledger.h, services/payout/domain/
// payment_change.h, services/reconciliation/domain/match.h. Stored numbers never change.
constexpr std::int64_t kCompleted = 1;
constexpr std::int64_t kRefunded = 3;

constexpr mysql::Query kPayments{"load.list_payments", R"sql(
    SELECT payment_id, merchant_payment_id, merchant_id, user_id, amount, created_at_us,
           accepted_at_us
    FROM payment
    WHERE merchant_id BETWEEN ? AND ?)sql"};

constexpr mysql::Query kChanges{"load.list_changes", R"sql(
    SELECT object_id, version, kind, amount, occurred_at_us
    FROM journal
    WHERE merchant_id BETWEEN ? AND ? AND kind BETWEEN 1 AND 3)sql"};

constexpr mysql::Query kAccruals{"load.list_accruals", R"sql(
    SELECT payment_id, kind, gross
    FROM accrual
    WHERE merchant_id BETWEEN ? AND ? AND kind BETWEEN 1 AND 3)sql"};

constexpr mysql::Query kMatches{"load.list_matches", R"sql(
    SELECT payment_id, version
    FROM change_match
    WHERE merchant_id BETWEEN ? AND ? AND state = 3)sql"};

constexpr mysql::Query kTopUps{"load.list_top_ups", R"sql(
    SELECT t.top_up_id, t.idempotency_key, t.user_id, t.amount, t.accepted_at_us, COUNT(j.object_id)
    FROM top_up t LEFT JOIN journal j ON j.object_id = t.top_up_id AND j.amount = t.amount
    WHERE t.idempotency_key LIKE ?
    GROUP BY t.top_up_id, t.idempotency_key, t.user_id, t.amount, t.accepted_at_us)sql"};

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

/// Of a refund or a cancellation.
StoredReturn& ReturnOf(StoredPayment& payment, std::int64_t kind) {
    return kind == kRefunded ? payment.refund : payment.cancellation;
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
        std::map<std::int64_t, std::int64_t> kinds;  // by version
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
        stored.created_at_us = rows.Int(5);
        stored.accepted_at_us = rows.Int(6);
        stored.paid = stored.accepted_at_us != 0;
        by_id[stored.payment_id].index = payments.size();
        payments.push_back(std::move(stored));
    }
    KESSAI_RETURN_IF_ERROR(Status(rows.status()));

    KESSAI_ASSIGN_OR_RETURN(auto changes, payment->SelectStreamed(kChanges, first, last));
    while (changes.Next()) {
        const auto found = by_id.find(changes.Int(0));
        if (found == by_id.end()) continue;
        const std::int64_t kind = changes.Int(2);
        found->second.kinds[changes.Int(1)] = kind;
        StoredPayment& stored = payments[found->second.index];
        if (kind == kCompleted) {
            ++stored.completions;
        } else {
            StoredReturn& of = ReturnOf(stored, kind);
            ++of.changes;
            of.amount += changes.Int(3);
            of.at_us = changes.Int(4);
        }
    }
    KESSAI_RETURN_IF_ERROR(Status(changes.status()));

    KESSAI_ASSIGN_OR_RETURN(const auto payout, mysql::Session::Connect(ReadOnly(stack, "payout")));
    KESSAI_ASSIGN_OR_RETURN(auto accruals, payout->SelectStreamed(kAccruals, first, last));
    while (accruals.Next()) {
        const auto found = by_id.find(accruals.Int(0));
        if (found == by_id.end()) continue;
        StoredPayment& stored = payments[found->second.index];
        const std::int64_t kind = accruals.Int(1);
        const std::int64_t gross = accruals.Int(2);
        ++(kind == kCompleted ? stored.accruals : ReturnOf(stored, kind).accruals);
        (kind == kCompleted ? stored.accrued_gross : ReturnOf(stored, kind).accrued_gross) += gross;
    }
    KESSAI_RETURN_IF_ERROR(Status(accruals.status()));

    KESSAI_ASSIGN_OR_RETURN(const auto reconciliation,
                            mysql::Session::Connect(ReadOnly(stack, "reconciliation")));
    KESSAI_ASSIGN_OR_RETURN(auto matches, reconciliation->SelectStreamed(kMatches, first, last));
    while (matches.Next()) {
        const auto found = by_id.find(matches.Int(0));
        if (found == by_id.end()) continue;
        const auto kind = found->second.kinds.find(matches.Int(1));
        if (kind == found->second.kinds.end()) continue;
        StoredPayment& stored = payments[found->second.index];
        ++(kind->second == kCompleted ? stored.matches : ReturnOf(stored, kind->second).matches);
    }
    KESSAI_RETURN_IF_ERROR(Status(matches.status()));
    return payments;
}

Result<std::vector<StoredTopUp>> ReadStoredTopUps(const Stack& stack, const std::string& prefix) {
    KESSAI_ASSIGN_OR_RETURN(const auto session,
                            mysql::Session::Connect(ReadOnly(stack, "payment")));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kTopUps, prefix + "%"));
    std::vector<StoredTopUp> top_ups;
    while (rows.Next()) {
        top_ups.push_back({rows.Int(0), rows.Text(1), rows.Int(2), rows.Int(3), rows.Int(4),
                           static_cast<int>(rows.Int(5))});
    }
    return top_ups;
}

Result<StoredTotals> ReadCompletedTotals(const Stack& stack, std::int64_t first, int count) {
    return ReadTotals(stack, "payment", kCompletedTotals, first, count);
}

Result<StoredTotals> ReadAccruedTotals(const Stack& stack, std::int64_t first, int count) {
    return ReadTotals(stack, "payout", kAccruedTotals, first, count);
}

}  // namespace kessai::load
