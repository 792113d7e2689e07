#include "storage/mysql_webhook_store.h"

#include <algorithm>
#include <map>
#include <ranges>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kessai/mysql/error.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/rows.h"
#include "kessai/mysql/session.h"
#include "kessai/mysql/transaction.h"

namespace kessai::gateway::storage {

namespace {

constexpr Duration kAcquireTimeout = std::chrono::seconds(1);

constexpr mysql::Query kAddEndpoint{"webhook_endpoint.add", R"sql(
    INSERT INTO webhook_endpoint
        (endpoint_id, merchant_id, name, url, secret_box, enabled, deleted, created_at_us,
         updated_at_us)
    VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?))sql"};
constexpr mysql::Query kChangeEndpoint{"webhook_endpoint.change", R"sql(
    UPDATE webhook_endpoint SET url = ?, enabled = ?, updated_at_us = ?
    WHERE merchant_id = ? AND name = ?)sql"};
#define ENDPOINT_COLUMNS                                                                       \
    "endpoint_id, merchant_id, name, url, secret_box, enabled, created_at_us, updated_at_us, " \
    "deleted "
constexpr mysql::Query kFindEndpoint{"webhook_endpoint.find",
                                     "SELECT " ENDPOINT_COLUMNS
                                     "FROM webhook_endpoint WHERE merchant_id = ? AND name = ?"};
constexpr mysql::Query kEndpointOfId{"webhook_endpoint.of_id",
                                     "SELECT " ENDPOINT_COLUMNS
                                     "FROM webhook_endpoint WHERE endpoint_id = ?"};
constexpr mysql::Query kEndpointsOfIds{"webhook_endpoint.of_ids",
                                       "SELECT " ENDPOINT_COLUMNS
                                       "FROM webhook_endpoint WHERE endpoint_id IN ({keys})"};
constexpr mysql::Query kEndpointsOf{
    "webhook_endpoint.of_merchant",
    "SELECT " ENDPOINT_COLUMNS
    "FROM webhook_endpoint WHERE merchant_id = ? AND deleted = 0 ORDER BY name LIMIT 1000"};
constexpr mysql::Query kChangedSince{
    "webhook_endpoint.changed_since",
    "SELECT " ENDPOINT_COLUMNS
    "FROM webhook_endpoint WHERE updated_at_us >= ? ORDER BY updated_at_us"};
constexpr mysql::Query kDeleteEndpoint{"webhook_endpoint.delete", R"sql(
    UPDATE webhook_endpoint
    SET name = CONCAT('~', endpoint_id), deleted = 1, enabled = 0, updated_at_us = ?
    WHERE endpoint_id = ? AND deleted = 0)sql"};
constexpr mysql::Query kGiveUpPending{"webhook_delivery.give_up_pending", R"sql(
    UPDATE webhook_delivery
    SET state = 3, finished_at_us = ?, last_error = 'the endpoint was deleted'
    WHERE state = 1 AND endpoint_id = ?)sql"};

constexpr mysql::Query kAddDeliveries{"webhook_delivery.add", R"sql(
    INSERT INTO webhook_delivery
        (delivery_id, endpoint_id, merchant_id, object_id, version, content_hash,
         notification_type, payload, state, attempts, next_attempt_at_us, created_at_us,
         finished_at_us, last_http_status, last_error)
    VALUES {rows})sql"};
constexpr mysql::Query kDue{"webhook_delivery.due", R"sql(
    SELECT endpoint_id, MIN(next_attempt_at_us), COUNT(*) FROM webhook_delivery
    WHERE state = 1 GROUP BY endpoint_id HAVING MIN(next_attempt_at_us) <= ?
    ORDER BY 2 LIMIT ?)sql"};
#define DELIVERY_COLUMNS                                                                      \
    "delivery_id, endpoint_id, merchant_id, object_id, version, notification_type, payload, " \
    "state, attempts, next_attempt_at_us, created_at_us, last_http_status, last_error, "      \
    "COALESCE((SELECT MAX(after_attempt) FROM webhook_redelivery WHERE "                      \
    "webhook_redelivery.delivery_id = webhook_delivery.delivery_id), 0) "
constexpr mysql::Query kDueOf{"webhook_delivery.due_of",
                              "SELECT " DELIVERY_COLUMNS
                              "FROM webhook_delivery WHERE state = 1 AND endpoint_id = ? AND "
                              "next_attempt_at_us <= ? ORDER BY next_attempt_at_us LIMIT ?"};
constexpr mysql::Query kDueOfMany{"webhook_delivery.due_of_many",
                                  "SELECT " DELIVERY_COLUMNS
                                  "FROM webhook_delivery FORCE INDEX (webhook_delivery_due) "
                                  "WHERE state = 1 AND endpoint_id IN ({keys}) AND "
                                  "next_attempt_at_us <= ? "
                                  "ORDER BY endpoint_id, next_attempt_at_us LIMIT ?"};
constexpr mysql::Query kClaim{"webhook_delivery.claim", R"sql(
    UPDATE webhook_delivery SET next_attempt_at_us = ?
    WHERE delivery_id IN ({keys}) AND state = 1 AND next_attempt_at_us <= ?)sql"};
constexpr mysql::Query kClaimed{"webhook_delivery.claimed", R"sql(
    SELECT delivery_id FROM webhook_delivery
    WHERE delivery_id IN ({keys}) AND state = 1 AND next_attempt_at_us = ?)sql"};
constexpr mysql::Query kRecord{"webhook_delivery.record", R"sql(
    UPDATE webhook_delivery
    SET state = ?, attempts = ?, next_attempt_at_us = ?, finished_at_us = ?, last_http_status = ?,
        last_error = ?
    WHERE delivery_id = ? AND state = 1 AND attempts = ?)sql"};
constexpr mysql::Query kAddAttempts{"webhook_attempt.add", R"sql(
    INSERT INTO webhook_attempt (delivery_id, attempt, started_at_us, took_us, http_status, error)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE attempt = VALUES(attempt))sql"};
constexpr mysql::Query kList{"webhook_delivery.list",
                             "SELECT " DELIVERY_COLUMNS
                             "FROM webhook_delivery WHERE endpoint_id = ? AND delivery_id < ? "
                             "ORDER BY delivery_id DESC LIMIT ?"};
constexpr mysql::Query kListState{
    "webhook_delivery.list_state",
    "SELECT " DELIVERY_COLUMNS
    "FROM webhook_delivery WHERE endpoint_id = ? AND delivery_id < ? AND state = ? "
    "ORDER BY delivery_id DESC LIMIT ?"};
constexpr mysql::Query kFindDelivery{"webhook_delivery.find",
                                     "SELECT " DELIVERY_COLUMNS
                                     "FROM webhook_delivery WHERE delivery_id = ?"};
constexpr mysql::Query kAddRedelivery{"webhook_redelivery.add", R"sql(
    INSERT INTO webhook_redelivery (delivery_id, after_attempt, requested_at_us)
    SELECT delivery_id, attempts, ? FROM webhook_delivery WHERE delivery_id = ? AND state <> 1
    ON DUPLICATE KEY UPDATE requested_at_us = VALUES(requested_at_us))sql"};
constexpr mysql::Query kRedeliver{"webhook_delivery.redeliver", R"sql(
    UPDATE webhook_delivery SET state = 1, next_attempt_at_us = ?, finished_at_us = 0
    WHERE delivery_id = ? AND state <> 1)sql"};
constexpr mysql::Query kAttemptsOf{"webhook_attempt.of_delivery", R"sql(
    SELECT attempt, started_at_us, took_us, http_status, error FROM webhook_attempt
    WHERE delivery_id = ? ORDER BY attempt DESC LIMIT 100)sql"};
constexpr mysql::Query kFinishedBefore{"webhook_delivery.finished_before", R"sql(
    SELECT delivery_id FROM webhook_delivery
    WHERE state = ? AND finished_at_us < ? ORDER BY finished_at_us LIMIT ?)sql"};
constexpr mysql::Query kDeleteDeliveries{
    "webhook_delivery.delete", "DELETE FROM webhook_delivery WHERE delivery_id IN ({keys})"};
constexpr mysql::Query kDeleteAttempts{"webhook_attempt.delete",
                                       "DELETE FROM webhook_attempt WHERE delivery_id IN ({keys})"};
constexpr mysql::Query kDeleteRedeliveries{
    "webhook_redelivery.delete", "DELETE FROM webhook_redelivery WHERE delivery_id IN ({keys})"};
constexpr mysql::Query kFindChanges{"webhook_delivery.find_changes", R"sql(
    SELECT object_id, version, content_hash FROM webhook_delivery WHERE object_id IN ({keys}))sql"};

std::string OwnerOf(std::int64_t endpoint_id) {
    return "webhook:" + std::to_string(endpoint_id);
}

Status EndpointUnknown() {
    return {Code::kNotFound, "ENDPOINT_UNKNOWN", "the merchant has no such webhook endpoint"};
}

/// Without its secret.
app::EndpointChange ReadEndpoint(const mysql::Rows& rows) {
    app::EndpointChange change;
    domain::WebhookEndpoint& endpoint = change.endpoint;
    endpoint.endpoint_id = rows.Int(0);
    endpoint.merchant_id = rows.Int(1);
    endpoint.name = rows.Text(2);
    endpoint.url = rows.Text(3);
    endpoint.enabled = rows.Bool(5);
    endpoint.created_at = rows.At(6);
    endpoint.updated_at = rows.At(7);
    change.deleted = rows.Bool(8);
    return change;
}

domain::WebhookDelivery ReadDelivery(const mysql::Rows& rows) {
    domain::WebhookDelivery delivery;
    delivery.delivery_id = rows.Int(0);
    delivery.endpoint_id = rows.Int(1);
    delivery.merchant_id = rows.Int(2);
    delivery.object_id = rows.Int(3);
    delivery.version = static_cast<std::uint32_t>(rows.Uint(4));
    delivery.notification_type = rows.Text(5);
    delivery.payload = rows.Text(6);
    delivery.state = static_cast<domain::DeliveryState>(rows.Int(7));
    delivery.attempts = static_cast<std::uint32_t>(rows.Uint(8));
    delivery.next_attempt_at = rows.At(9);
    delivery.created_at = rows.At(10);
    delivery.last_http_status = static_cast<int>(rows.Int(11));
    delivery.last_error = rows.Text(12);
    delivery.ladder_begins_after = static_cast<std::uint32_t>(rows.Uint(13));
    return delivery;
}

void AddRow(mysql::RowList& rows, const domain::WebhookDelivery& delivery,
            const event::ContentHash& hash) {
    const std::string_view bytes(reinterpret_cast<const char*>(hash.data()), hash.size());
    rows.Add(delivery.delivery_id, delivery.endpoint_id, delivery.merchant_id, delivery.object_id,
             delivery.version, mysql::Bytes{bytes}, delivery.notification_type, delivery.payload,
             static_cast<int>(delivery.state), delivery.attempts, delivery.next_attempt_at,
             delivery.created_at, 0, delivery.last_http_status, delivery.last_error);
}

mysql::RetryPolicy Retries() {
    mysql::RetryPolicy policy;
    policy.acquire_timeout = kAcquireTimeout;
    // Everything here sets rows to given values, so it may run again.
    policy.rerun_unknown = true;
    return policy;
}

}  // namespace

Result<domain::WebhookEndpoint> MysqlWebhookStore::PutEndpoint(
    const domain::WebhookEndpoint& endpoint, Instant now) {
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(std::uint64_t changed,
                            session->Execute(kChangeEndpoint, endpoint.url, endpoint.enabled, now,
                                             endpoint.merchant_id, endpoint.name));
    bool made = false;
    if (changed == 0) {
        const std::string box = box_.Seal(endpoint.secret, OwnerOf(endpoint.endpoint_id));
        const Status added =
            session
                ->Execute(kAddEndpoint, endpoint.endpoint_id, endpoint.merchant_id, endpoint.name,
                          endpoint.url, mysql::Bytes{box}, endpoint.enabled, now, now)
                .status();
        made = added.ok();
        if (!made) {
            if (added.reason() != mysql::reason::kDuplicateKey) return added;
            KESSAI_RETURN_IF_ERROR(session->Execute(kChangeEndpoint, endpoint.url, endpoint.enabled,
                                                    now, endpoint.merchant_id, endpoint.name));
        }
    }
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows,
                            session->Select(kFindEndpoint, endpoint.merchant_id, endpoint.name));
    if (!rows.Next()) return EndpointUnknown();
    domain::WebhookEndpoint stored = ReadEndpoint(rows).endpoint;
    if (made) stored.secret = endpoint.secret;
    return stored;
}

Result<std::vector<domain::WebhookEndpoint>> MysqlWebhookStore::EndpointsOf(
    std::int64_t merchant_id) {
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session->Select(kEndpointsOf, merchant_id));
    std::vector<domain::WebhookEndpoint> endpoints;
    while (rows.Next()) endpoints.push_back(ReadEndpoint(rows).endpoint);
    return endpoints;
}

Result<domain::WebhookEndpoint> MysqlWebhookStore::FindEndpoint(std::int64_t merchant_id,
                                                                std::string_view name) {
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session->Select(kFindEndpoint, merchant_id, name));
    if (!rows.Next()) return EndpointUnknown();
    app::EndpointChange stored = ReadEndpoint(rows);
    if (stored.deleted) return EndpointUnknown();
    return std::move(stored.endpoint);
}

Status MysqlWebhookStore::DeleteEndpoint(std::int64_t merchant_id, std::string_view name,
                                         Instant now) {
    KESSAI_ASSIGN_OR_RETURN(const domain::WebhookEndpoint endpoint,
                            FindEndpoint(merchant_id, name));
    return mysql::InTransaction(pool_, Retries(), [&](mysql::Session& session) -> Status {
        KESSAI_RETURN_IF_ERROR(session.Execute(kDeleteEndpoint, now, endpoint.endpoint_id));
        return session.Execute(kGiveUpPending, now, endpoint.endpoint_id).status();
    });
}

Result<std::vector<app::EndpointChange>> MysqlWebhookStore::ChangedSince(Instant since) {
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session->Select(kChangedSince, since));
    std::vector<app::EndpointChange> changes;
    while (rows.Next()) changes.push_back(ReadEndpoint(rows));
    return changes;
}

Status MysqlWebhookStore::AddDelivery(const domain::WebhookDelivery& delivery) {
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    mysql::RowList rows;
    AddRow(rows, delivery, {});
    return session->Execute(kAddDeliveries, rows).status();
}

Result<std::vector<app::DueEndpoint>> MysqlWebhookStore::DueEndpoints(Instant now, int limit) {
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session->Select(kDue, now, limit));
    std::vector<app::DueEndpoint> due;
    while (rows.Next()) due.push_back({rows.Int(0), rows.At(1), rows.Int(2)});
    return due;
}

namespace {

/// Makes deliveries that were seen to be due the caller's own until `until`, and leaves those in
/// `due`.
Status TakeDue(mysql::Session& session, Instant now, Instant until,
               std::vector<domain::WebhookDelivery>& due) {
    if (due.empty()) return OkStatus();
    std::vector<std::int64_t> ids;
    for (const auto& delivery : due) ids.push_back(delivery.delivery_id);
    std::sort(ids.begin(), ids.end());
    const mysql::KeyList keys(ids);
    KESSAI_ASSIGN_OR_RETURN(const std::uint64_t claimed, session.Execute(kClaim, until, keys, now));
    if (claimed == due.size()) return OkStatus();
    // Another gateway was quicker with some. `until` is this claim's own to the microsecond.
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows ours, session.Select(kClaimed, keys, until));
    std::set<std::int64_t> mine;
    while (ours.Next()) mine.insert(ours.Int(0));
    std::erase_if(due, [&](const auto& delivery) { return !mine.contains(delivery.delivery_id); });
    return OkStatus();
}

}  // namespace

Result<app::ClaimedDeliveries> MysqlWebhookStore::Claim(std::int64_t endpoint_id, int limit,
                                                        Instant now, Instant until) {
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    app::ClaimedDeliveries claim;
    {
        KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session->Select(kEndpointOfId, endpoint_id));
        claim.endpoint.enabled = false;
        if (rows.Next()) claim.endpoint = ReadEndpoint(rows).endpoint;
        if (claim.endpoint.enabled) {
            KESSAI_ASSIGN_OR_RETURN(claim.endpoint.secret,
                                    box_.Open(rows.Bytes(4), OwnerOf(endpoint_id)));
        }
    }
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session->Select(kDueOf, endpoint_id, now, limit));
    while (rows.Next()) claim.deliveries.push_back(ReadDelivery(rows));
    KESSAI_RETURN_IF_ERROR(TakeDue(*session, now, until, claim.deliveries));
    return claim;
}

Result<std::vector<app::ClaimedDeliveries>> MysqlWebhookStore::ClaimOfMany(
    std::span<const app::ClaimWish> wishes, Instant now, Instant until) {
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    std::map<std::int64_t, app::ClaimedDeliveries> claims;
    std::map<std::int64_t, int> left;
    int limit = 0;
    for (const app::ClaimWish& wish : wishes) {
        // Of one that is not there any more.
        claims[wish.endpoint_id].endpoint.enabled = false;
        left[wish.endpoint_id] = wish.limit;
        limit += wish.limit;
    }
    const mysql::KeyList endpoints(std::views::keys(left));
    {
        KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session->Select(kEndpointsOfIds, endpoints));
        while (rows.Next()) {
            domain::WebhookEndpoint endpoint = ReadEndpoint(rows).endpoint;
            const std::int64_t id = endpoint.endpoint_id;
            if (endpoint.enabled) {
                auto secret = box_.Open(rows.Bytes(4), OwnerOf(id));
                if (!secret.ok()) {
                    claims.erase(id);
                    continue;
                }
                endpoint.secret = std::move(*secret);
            }
            claims[id].endpoint = std::move(endpoint);
        }
    }
    std::vector<domain::WebhookDelivery> due;
    {
        KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows,
                                session->Select(kDueOfMany, endpoints, now, limit));
        while (rows.Next()) {
            domain::WebhookDelivery delivery = ReadDelivery(rows);
            if (claims.contains(delivery.endpoint_id) && left[delivery.endpoint_id]-- > 0) {
                due.push_back(std::move(delivery));
            }
        }
    }
    KESSAI_RETURN_IF_ERROR(TakeDue(*session, now, until, due));
    for (domain::WebhookDelivery& delivery : due) {
        claims[delivery.endpoint_id].deliveries.push_back(std::move(delivery));
    }
    std::vector<app::ClaimedDeliveries> taken;
    for (auto& [id, claim] : claims) {
        if (!claim.deliveries.empty()) taken.push_back(std::move(claim));
    }
    return taken;
}

Status MysqlWebhookStore::Record(std::span<const app::AttemptRecord> records) {
    if (records.empty()) return OkStatus();
    return mysql::InTransaction(pool_, Retries(), [&](mysql::Session& session) -> Status {
        mysql::StatementBatch batch("webhook_delivery.record_many");
        mysql::RowList attempts;
        for (const app::AttemptRecord& record : records) {
            const domain::WebhookDelivery& delivery = record.delivery;
            const domain::AttemptOutcome& outcome = record.outcome;
            const bool pending = record.state == domain::DeliveryState::kPending;
            const std::string error = outcome.error.substr(0, 255);
            const Instant finished =
                pending ? FromMicros(0) : Instant(outcome.started_at + outcome.took);
            KESSAI_RETURN_IF_ERROR(
                batch.Add(kRecord, static_cast<int>(record.state), delivery.attempts + 1,
                          pending ? record.next_attempt_at : delivery.next_attempt_at, finished,
                          outcome.http_status, error, delivery.delivery_id, delivery.attempts));
            attempts.Add(delivery.delivery_id, delivery.attempts + 1, outcome.started_at,
                         outcome.took.count(), outcome.http_status, error);
        }
        KESSAI_RETURN_IF_ERROR(batch.Add(kAddAttempts, attempts));
        return session.ExecuteMany(batch);
    });
}

Result<std::vector<domain::WebhookDelivery>> MysqlWebhookStore::ListDeliveries(
    std::int64_t endpoint_id, std::optional<domain::DeliveryState> state, std::int64_t before_id,
    int limit) {
    if (before_id == 0) before_id = INT64_MAX;
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    auto selected =
        state ? session->Select(kListState, endpoint_id, before_id, static_cast<int>(*state), limit)
              : session->Select(kList, endpoint_id, before_id, limit);
    if (!selected.ok()) return selected.status();
    std::vector<domain::WebhookDelivery> deliveries;
    while (selected->Next()) deliveries.push_back(ReadDelivery(*selected));
    return deliveries;
}

Result<std::vector<app::Attempt>> MysqlWebhookStore::AttemptsOf(std::int64_t delivery_id) {
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session->Select(kAttemptsOf, delivery_id));
    std::vector<app::Attempt> attempts;
    while (rows.Next()) {
        app::Attempt& attempt = attempts.emplace_back();
        attempt.number = static_cast<std::uint32_t>(rows.Uint(0));
        attempt.outcome.started_at = rows.At(1);
        attempt.outcome.took = Duration(rows.Int(2));
        attempt.outcome.http_status = static_cast<int>(rows.Int(3));
        attempt.outcome.error = rows.Text(4);
    }
    std::reverse(attempts.begin(), attempts.end());
    return attempts;
}

Result<domain::WebhookDelivery> MysqlWebhookStore::Redeliver(std::int64_t delivery_id,
                                                             Instant now) {
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, Retries(), [&](mysql::Session& session) -> Status {
            KESSAI_RETURN_IF_ERROR(session.Execute(kAddRedelivery, now, delivery_id));
            return session.Execute(kRedeliver, now, delivery_id).status();
        }));
    KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session->Select(kFindDelivery, delivery_id));
    if (!rows.Next()) {
        return Status(Code::kNotFound, "DELIVERY_UNKNOWN", "there is no such delivery");
    }
    return ReadDelivery(rows);
}

Result<std::uint64_t> MysqlWebhookStore::Purge(Instant before, int limit) {
    std::uint64_t deleted = 0;
    for (const int state : {2, 3}) {
        KESSAI_RETURN_IF_ERROR(
            mysql::InTransaction(pool_, Retries(), [&](mysql::Session& session) -> Status {
                KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows,
                                        session.Select(kFinishedBefore, state, before, limit));
                std::vector<std::int64_t> ids;
                while (rows.Next()) ids.push_back(rows.Int(0));
                if (ids.empty()) return OkStatus();
                std::sort(ids.begin(), ids.end());
                const mysql::KeyList keys(ids);
                KESSAI_RETURN_IF_ERROR(session.Execute(kDeleteAttempts, keys));
                KESSAI_RETURN_IF_ERROR(session.Execute(kDeleteRedeliveries, keys));
                KESSAI_RETURN_IF_ERROR(session.Execute(kDeleteDeliveries, keys));
                deleted += ids.size();
                return OkStatus();
            }));
    }
    return deleted;
}

Result<std::vector<app::ToldChange>> MysqlChangeDeliveries::Find(
    mysql::Session& session, std::span<const std::int64_t> object_ids) {
    std::vector<app::ToldChange> told;
    if (object_ids.empty()) return told;
    const mysql::KeyList keys(object_ids);
    KESSAI_ASSIGN_OR_RETURN(mysql::Rows rows, session.Select(kFindChanges, keys));
    while (rows.Next()) {
        app::ToldChange& change = told.emplace_back();
        change.object_id = rows.Int(0);
        change.version = static_cast<std::uint32_t>(rows.Uint(1));
        const std::string hash = rows.Bytes(2);
        std::copy_n(hash.begin(), std::min(hash.size(), change.content_hash.size()),
                    change.content_hash.begin());
    }
    return told;
}

Status MysqlChangeDeliveries::Add(mysql::Session& session,
                                  std::span<const app::ChangeDelivery> deliveries) {
    if (deliveries.empty()) return OkStatus();
    mysql::RowList rows;
    for (const app::ChangeDelivery& change : deliveries) {
        AddRow(rows, change.delivery, change.content_hash);
    }
    return session.Execute(kAddDeliveries, rows).status();
}

}  // namespace kessai::gateway::storage
