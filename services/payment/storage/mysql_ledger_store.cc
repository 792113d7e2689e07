#include "storage/mysql_ledger_store.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"
#include "kessai/outbox/batch_writer.h"
#include "storage/row_mapping.h"

namespace kessai::payment::storage {
namespace {

using std::chrono::seconds;

constexpr Duration kAcquireTimeout = seconds(1);

// SYSDATE, not NOW: the time is read when the gate's lock is held, not when the statement began.
constexpr mysql::Query kLockGate{"gate.lock", R"sql(
    SELECT business_date, last_time_us, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)
    FROM gate WHERE slot = ? FOR UPDATE)sql"};
constexpr mysql::Query kSetGateTime{"gate.set_time",
                                    "UPDATE gate SET last_time_us = ? WHERE slot = ?"};

constexpr mysql::Query kLockOrders{"payment_order.lock", R"sql(
    SELECT order_key, payment_id, canceled_at_us FROM payment_order FORCE INDEX (PRIMARY)
    WHERE order_key IN ({keys}) FOR UPDATE)sql"};
constexpr mysql::Query kLockRefunds{"refund.lock", "SELECT " KESSAI_REFUND_COLUMNS R"sql(
    FROM refund FORCE INDEX (PRIMARY) WHERE refund_key IN ({keys}) FOR UPDATE)sql"};
constexpr mysql::Query kLockTopUps{"top_up.lock", R"sql(
    SELECT top_up_id, user_id, idempotency_key, currency, amount, source, balance_after,
           accepted_at_us
    FROM top_up FORCE INDEX (PRIMARY) WHERE top_up_key IN ({keys}) FOR UPDATE)sql"};
constexpr mysql::Query kFindReleases{"journal.find_releases", R"sql(
    SELECT version FROM journal FORCE INDEX (PRIMARY)
    WHERE object_id = ? AND version = ? FOR UPDATE)sql"};
constexpr mysql::Query kLockPayments{"payment.lock", "SELECT " KESSAI_PAYMENT_COLUMNS R"sql(
    FROM payment FORCE INDEX (PRIMARY) WHERE payment_id IN ({keys}) FOR UPDATE)sql"};
constexpr mysql::Query kLockWallets{"account.lock", R"sql(
    SELECT owner_id, currency, balance, last_event_id, opened_at_us
    FROM account FORCE INDEX (PRIMARY) WHERE kind = ? AND owner_id IN ({keys}) FOR UPDATE)sql"};
constexpr mysql::Query kReadMerchants{"merchant.read", R"sql(
    SELECT merchant_id, name, suspended, multiple_refunds FROM merchant
    WHERE merchant_id IN ({keys}))sql"};

// What is changed is locked and exists, so the upserts below only ever update; what is new must not
// exist: a duplicate there means that another replica was first, and the batch runs again.
constexpr mysql::Query kInsertOrders{"payment_order.insert", R"sql(
    INSERT INTO payment_order (order_key, merchant_id, merchant_payment_id, payment_id,
                               canceled_at_us) VALUES {rows})sql"};
constexpr mysql::Query kUpdateOrders{"payment_order.update", R"sql(
    INSERT INTO payment_order (order_key, merchant_id, merchant_payment_id, payment_id,
                               canceled_at_us) VALUES {rows}
    ON DUPLICATE KEY UPDATE payment_id = VALUES(payment_id),
                            canceled_at_us = VALUES(canceled_at_us))sql"};
constexpr mysql::Query kInsertPayments{
    "payment.insert", "INSERT INTO payment (" KESSAI_PAYMENT_COLUMNS ") VALUES {rows}"};
constexpr mysql::Query kInsertCodes{"payment.insert_codes",
                                    "INSERT INTO payment (" KESSAI_CODE_COLUMNS ") VALUES {rows}"};
constexpr mysql::Query kUpdatePayments{"payment.update", R"sql(
    INSERT INTO payment (payment_id, status, user_id, accepted_at_us, business_date,
                         canceled_at_us, captured, refunded, refund_count, version, last_event_id)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE status = VALUES(status), user_id = VALUES(user_id),
                            accepted_at_us = VALUES(accepted_at_us),
                            business_date = VALUES(business_date),
                            canceled_at_us = VALUES(canceled_at_us),
                            captured = VALUES(captured), refunded = VALUES(refunded),
                            refund_count = VALUES(refund_count), version = VALUES(version),
                            last_event_id = VALUES(last_event_id))sql"};
// A code that was recalled and not read: paid if it still waits for its payer, in time. If not, the
// sum is beyond a BIGINT, which MySQL, MariaDB and TiDB refuse in every sql_mode (1690), and the
// COMMIT behind it in the same round trip is not reached. Assignments take effect from left to
// right, so the comparison comes before what changes the column that it looks at.
constexpr mysql::Query kPayRecalledCodes{"payment.pay_recalled", R"sql(
    INSERT INTO payment (payment_id, user_id, accepted_at_us, business_date, captured, version,
                         last_event_id)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE user_id = VALUES(user_id),
                            accepted_at_us = VALUES(accepted_at_us),
                            business_date = VALUES(business_date),
                            captured = VALUES(captured),
                            version = VALUES(version),
                            last_event_id = IF(status = 1 AND
                                               code_expires_at_us > VALUES(accepted_at_us),
                                               VALUES(last_event_id),
                                               VALUES(last_event_id) + 9223372036854775807),
                            status = 2)sql"};
static_assert(static_cast<int>(domain::PaymentStatus::kCreated) == 1 &&
              static_cast<int>(domain::PaymentStatus::kCompleted) == 2);
constexpr mysql::Query kInsertRefunds{"refund.insert", R"sql(
    INSERT INTO refund (refund_key, refund_id, payment_id, merchant_id, merchant_refund_id,
                        currency, amount, accepted_at_us, requested_at_s, reason)
    VALUES {rows})sql"};
constexpr mysql::Query kInsertTopUps{"top_up.insert", R"sql(
    INSERT INTO top_up (top_up_key, top_up_id, user_id, idempotency_key, currency, amount, source,
                        balance_after, accepted_at_us)
    VALUES {rows})sql"};
constexpr mysql::Query kInsertWallets{"account.insert", R"sql(
    INSERT INTO account (kind, owner_id, currency, balance, last_event_id, opened_at_us)
    VALUES {rows})sql"};
constexpr mysql::Query kUpdateWallets{"account.update", R"sql(
    INSERT INTO account (kind, owner_id, currency, balance, last_event_id, opened_at_us)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE balance = VALUES(balance),
                            last_event_id = VALUES(last_event_id))sql"};
// The same for a wallet: the last event that it is believed to have comes in the place of
// opened_at_us, which an existing row keeps as it is.
constexpr mysql::Query kUpdateRecalledWallets{"account.update_recalled", R"sql(
    INSERT INTO account (kind, owner_id, currency, balance, last_event_id, opened_at_us)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE balance = VALUES(balance),
                            last_event_id = IF(last_event_id = VALUES(opened_at_us),
                                               VALUES(last_event_id),
                                               VALUES(last_event_id) + 9223372036854775807))sql"};
constexpr mysql::Query kInsertJournals{
    "journal.insert", "INSERT INTO journal (" KESSAI_JOURNAL_COLUMNS ") VALUES {rows}"};
constexpr mysql::Query kInsertCaptures{
    "journal.insert_captures", "INSERT INTO journal (" KESSAI_CAPTURE_COLUMNS ") VALUES {rows}"};
constexpr mysql::Query kInsertPostings{"posting.insert", R"sql(
    INSERT INTO posting (kind, owner_id, event_id, object_id, version, business_date, currency,
                         amount, balance_after)
    VALUES {rows})sql"};

constexpr int kUserMoney = static_cast<int>(domain::AccountKind::kUserMoney);

/// The dirty rows of a set in the order of their keys, new ones and changed ones apart.
template <class Row>
struct Dirty {
    std::vector<std::pair<std::string, const Row*>> inserted;
    std::vector<std::pair<std::string, const Row*>> changed;
};

template <class Row, class Rows, class KeyOf>
Dirty<Row> SortedDirty(const Rows& rows, KeyOf key_of) {
    Dirty<Row> dirty;
    for (const auto& [key, tracked] : rows.all()) {
        if (!tracked.dirty) continue;
        (tracked.is_new ? dirty.inserted : dirty.changed).emplace_back(key_of(key), &tracked.row);
    }
    std::sort(dirty.inserted.begin(), dirty.inserted.end());
    std::sort(dirty.changed.begin(), dirty.changed.end());
    return dirty;
}

/// Dirty rows whose key is a number, in its order.
template <class Rows>
auto SortedDirtyById(const Rows& rows, bool is_new) {
    using Row = std::remove_cvref_t<decltype(rows.all().begin()->second.row)>;
    std::vector<std::pair<std::int64_t, const Row*>> dirty;
    for (const auto& [id, tracked] : rows.all()) {
        if (tracked.dirty && tracked.is_new == is_new) dirty.emplace_back(id.value(), &tracked.row);
    }
    std::sort(dirty.begin(), dirty.end());
    return dirty;
}

class MysqlLedgerTransaction final : public app::LedgerTransaction {
 public:
    /// With a transaction of its own, on a session of the pool.
    MysqlLedgerTransaction(mysql::Lease lease, mysql::Transaction transaction, int slot,
                           app::Gate gate, const std::function<void(unsigned)>& on_events)
        : lease_(std::move(lease)),
          transaction_(std::move(transaction)),
          session_(**lease_),
          slot_(slot),
          gate_(gate),
          on_events_(on_events) {}

    /// In somebody else's transaction.
    MysqlLedgerTransaction(mysql::Session& session, int slot, app::Gate gate,
                           const std::function<void(unsigned)>& on_events)
        : session_(session), slot_(slot), gate_(gate), on_events_(on_events) {}

    const app::Gate& gate() const override { return gate_; }

    Status LoadKeys(const app::OrderKeys& keys, domain::WorkingSet& rows) override {
        KESSAI_RETURN_IF_ERROR(LoadOrders(keys.orders, rows));
        KESSAI_RETURN_IF_ERROR(LoadRefunds(keys.refunds, rows));
        KESSAI_RETURN_IF_ERROR(LoadTopUps(keys.top_ups, rows));
        for (const domain::ReleaseKey& key : keys.releases) {
            KESSAI_ASSIGN_OR_RETURN(
                const auto found,
                session().Select(kFindReleases, key.date.ToNumber(), key.round + 1));
            if (!found.empty()) rows.releases.Load(key, key);
        }
        return OkStatus();
    }

    Status LoadPayments(std::span<const domain::PaymentId> ids, domain::WorkingSet& rows) override {
        if (ids.empty()) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(auto found, session().Select(kLockPayments, mysql::KeyList(ids)));
        while (found.Next()) {
            domain::Payment payment = ReadPayment(found);
            rows.payments.Load(payment.id, std::move(payment));
        }
        return OkStatus();
    }

    Status LoadWallets(std::span<const domain::UserId> users, domain::WorkingSet& rows) override {
        if (users.empty()) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(auto found,
                                session().Select(kLockWallets, kUserMoney, mysql::KeyList(users)));
        while (found.Next()) {
            const domain::UserId user(found.Int(0));
            rows.wallets.Load(user,
                              domain::Wallet{user, Money(found.Int(2), ReadCurrency(found, 1)),
                                             domain::EventId(found.Int(3)), found.At(4)});
        }
        return OkStatus();
    }

    Result<std::vector<domain::Merchant>> ReadMerchants(
        std::span<const domain::MerchantId> ids) override {
        KESSAI_ASSIGN_OR_RETURN(auto found, session().Select(kReadMerchants, mysql::KeyList(ids)));
        std::vector<domain::Merchant> merchants;
        while (found.Next()) {
            merchants.push_back(
                {domain::MerchantId(found.Int(0)), found.Text(1), found.Bool(2), found.Bool(3)});
        }
        return merchants;
    }

    Status Store(const domain::WorkingSet& rows, std::span<const app::StoredEvent> events,
                 std::int64_t outbox_row_id) override {
        KESSAI_RETURN_IF_ERROR(StoreOrders(rows));
        KESSAI_RETURN_IF_ERROR(StoreRefunds(rows));
        KESSAI_RETURN_IF_ERROR(StoreTopUps(rows));
        KESSAI_RETURN_IF_ERROR(StorePayments(rows));
        KESSAI_RETURN_IF_ERROR(StoreWallets(rows));
        KESSAI_RETURN_IF_ERROR(StoreJournals(rows));
        KESSAI_RETURN_IF_ERROR(StoreEvents(events, outbox_row_id));
        KESSAI_RETURN_IF_ERROR(statements_.Add(kSetGateTime, gate_.now, slot_));
        // An own transaction sends them with its commit, in one round trip.
        if (transaction_.has_value()) return OkStatus();
        return session_.ExecuteMany(statements_);
    }

    Status Commit() override {
        if (transaction_.has_value()) {
            KESSAI_RETURN_IF_ERROR(transaction_->CommitWith(statements_));
        }
        if (event_shards_ != 0 && on_events_) on_events_(event_shards_);
        return OkStatus();
    }

 private:
    mysql::Session& session() { return session_; }

    /// Adds the statement unless it has no rows.
    Status Add(const mysql::Query& query, const mysql::RowList& rows) {
        return rows.empty() ? OkStatus() : statements_.Add(query, rows);
    }

    Status LoadOrders(const std::vector<domain::OrderKey>& keys, domain::WorkingSet& rows) {
        if (keys.empty()) return OkStatus();
        std::unordered_map<std::string, const domain::OrderKey*> by_hash;
        std::vector<std::string> hashes;
        for (const domain::OrderKey& key : keys) {
            hashes.push_back(OrderKeyHash(key));
            by_hash.emplace(hashes.back(), &key);
        }
        KESSAI_ASSIGN_OR_RETURN(auto found, session().Select(kLockOrders, BinaryKeys(hashes)));
        while (found.Next()) {
            const domain::OrderKey& key = *by_hash.at(found.Bytes(0));
            rows.orders.Load(key, domain::Order{key, domain::PaymentId(found.Int(1)), found.At(2)});
        }
        return OkStatus();
    }

    Status LoadRefunds(const std::vector<domain::RefundKey>& keys, domain::WorkingSet& rows) {
        if (keys.empty()) return OkStatus();
        std::vector<std::string> hashes;
        for (const domain::RefundKey& key : keys) hashes.push_back(RefundKeyHash(key));
        KESSAI_ASSIGN_OR_RETURN(auto found, session().Select(kLockRefunds, BinaryKeys(hashes)));
        while (found.Next()) {
            domain::Refund refund = ReadRefund(found);
            const domain::RefundKey key{refund.merchant, refund.merchant_refund_id, refund.payment};
            rows.refunds.Load(key, std::move(refund));
        }
        return OkStatus();
    }

    Status LoadTopUps(const std::vector<domain::TopUpKey>& keys, domain::WorkingSet& rows) {
        if (keys.empty()) return OkStatus();
        std::vector<std::string> hashes;
        for (const domain::TopUpKey& key : keys) hashes.push_back(TopUpKeyHash(key));
        KESSAI_ASSIGN_OR_RETURN(auto found, session().Select(kLockTopUps, BinaryKeys(hashes)));
        while (found.Next()) {
            const Currency currency = ReadCurrency(found, 3);
            domain::TopUp top_up{domain::TopUpId(found.Int(0)),
                                 domain::UserId(found.Int(1)),
                                 found.Text(2),
                                 Money(found.Int(4), currency),
                                 found.Text(5),
                                 Money(found.Int(6), currency),
                                 found.At(7)};
            const domain::TopUpKey key{top_up.user, top_up.idempotency_key};
            rows.top_ups.Load(key, std::move(top_up));
        }
        return OkStatus();
    }

    static mysql::KeyList BinaryKeys(std::vector<std::string>& hashes) {
        std::sort(hashes.begin(), hashes.end());
        mysql::KeyList keys;
        for (const std::string& hash : hashes) keys.Add(mysql::Bytes{hash});
        return keys;
    }

    Status StoreOrders(const domain::WorkingSet& rows) {
        const auto dirty = SortedDirty<domain::Order>(rows.orders, OrderKeyHash);
        const auto list = [](const auto& orders) {
            mysql::RowList added;
            for (const auto& [hash, order] : orders) {
                added.Add(mysql::Bytes{hash}, order->key.merchant, order->key.merchant_payment_id,
                          order->payment, order->canceled_at);
            }
            return added;
        };
        KESSAI_RETURN_IF_ERROR(Add(kInsertOrders, list(dirty.inserted)));
        return Add(kUpdateOrders, list(dirty.changed));
    }

    Status StoreRefunds(const domain::WorkingSet& rows) {
        mysql::RowList added;
        for (const auto& [hash, refund] :
             SortedDirty<domain::Refund>(rows.refunds, RefundKeyHash).inserted) {
            added.Add(mysql::Bytes{hash}, refund->id, refund->payment, refund->merchant,
                      refund->merchant_refund_id, refund->amount.currency().code(),
                      refund->amount.minor(), refund->accepted_at, refund->requested_at_s,
                      refund->reason);
        }
        return Add(kInsertRefunds, added);
    }

    Status StoreTopUps(const domain::WorkingSet& rows) {
        mysql::RowList added;
        for (const auto& [hash, top_up] :
             SortedDirty<domain::TopUp>(rows.top_ups, TopUpKeyHash).inserted) {
            added.Add(mysql::Bytes{hash}, top_up->id, top_up->user, top_up->idempotency_key,
                      top_up->amount.currency().code(), top_up->amount.minor(), top_up->source,
                      top_up->balance_after.minor(), top_up->accepted_at);
        }
        return Add(kInsertTopUps, added);
    }

    Status StorePayments(const domain::WorkingSet& rows) {
        mysql::RowList codes;
        mysql::RowList added;
        for (const auto& [id, payment] : SortedDirtyById(rows.payments, true)) {
            if (IsFreshCode(*payment)) {
                AddCode(*payment, codes);
            } else {
                AddPayment(*payment, added);
            }
        }
        KESSAI_RETURN_IF_ERROR(Add(kInsertCodes, codes));
        KESSAI_RETURN_IF_ERROR(Add(kInsertPayments, added));
        mysql::RowList paid;
        mysql::RowList changed;
        for (const auto& [id, payment] : SortedDirtyById(rows.payments, false)) {
            if (rows.payments.Recalled(payment->id)) {
                KESSAI_CHECK(payment->status == domain::PaymentStatus::kCompleted,
                             "only a payment changes a code that was not read");
                paid.Add(payment->id, payment->user, payment->accepted_at, payment->business_date,
                         payment->captured, payment->version, payment->last_event);
                continue;
            }
            changed.Add(payment->id, static_cast<int>(payment->status), payment->user,
                        payment->accepted_at, payment->business_date, payment->canceled_at,
                        payment->captured, payment->refunded, payment->refund_count,
                        payment->version, payment->last_event);
        }
        KESSAI_RETURN_IF_ERROR(Add(kPayRecalledCodes, paid));
        return Add(kUpdatePayments, changed);
    }

    Status StoreWallets(const domain::WorkingSet& rows) {
        mysql::RowList added;
        mysql::RowList changed;
        mysql::RowList recalled;
        const auto add = [](mysql::RowList& list, const domain::Wallet& wallet,
                            std::int64_t last_column) {
            list.Add(kUserMoney, wallet.user, wallet.balance.currency().code(),
                     wallet.balance.minor(), wallet.last_event, last_column);
        };
        for (const auto& [id, wallet] : SortedDirtyById(rows.wallets, true)) {
            add(added, *wallet, ToMicros(wallet->opened_at));
        }
        for (const auto& [id, wallet] : SortedDirtyById(rows.wallets, false)) {
            if (const auto believed = rows.wallets.all().at(wallet->user).recalled) {
                add(recalled, *wallet, believed->value());
            } else {
                add(changed, *wallet, ToMicros(wallet->opened_at));
            }
        }
        KESSAI_RETURN_IF_ERROR(Add(kInsertWallets, added));
        KESSAI_RETURN_IF_ERROR(Add(kUpdateRecalledWallets, recalled));
        return Add(kUpdateWallets, changed);
    }

    Status StoreJournals(const domain::WorkingSet& rows) {
        using Key = std::pair<std::int64_t, std::uint32_t>;
        std::vector<std::pair<Key, const domain::Change*>> changes;
        // (owner, kind, event) → posting, in the order of the primary key.
        using PostingKey = std::tuple<std::int64_t, domain::AccountKind, domain::EventId>;
        std::vector<std::tuple<PostingKey, const domain::Posting*, const domain::Change*>> postings;
        for (const domain::Journal& journal : rows.journals) {
            const domain::Change& change = journal.change;
            changes.push_back({{change.object, change.version}, &change});
            for (const domain::Posting& posting : journal.postings) {
                postings.push_back(
                    {{posting.owner, posting.account, change.event}, &posting, &change});
            }
        }
        std::sort(changes.begin(), changes.end());
        std::sort(postings.begin(), postings.end());

        mysql::RowList captures;
        mysql::RowList headers;
        for (const auto& [key, change] : changes) {
            if (IsCapture(*change)) {
                AddCapture(*change, captures);
            } else {
                AddJournal(*change, headers);
            }
        }
        KESSAI_RETURN_IF_ERROR(Add(kInsertCaptures, captures));
        KESSAI_RETURN_IF_ERROR(Add(kInsertJournals, headers));
        mysql::RowList lines;
        for (const auto& [key, posting, change] : postings) {
            lines.Add(static_cast<int>(posting->account), posting->owner, change->event,
                      change->object, change->version, change->business_date,
                      change->amount.currency().code(), posting->amount, posting->balance_after);
        }
        return Add(kInsertPostings, lines);
    }

    Status StoreEvents(std::span<const app::StoredEvent> events, std::int64_t row_id) {
        if (events.empty()) return OkStatus();
        outbox::BatchWriter writer;
        for (const app::StoredEvent& event : events) {
            KESSAI_RETURN_IF_ERROR(writer.Add({event.object, event.envelope, event.traceparent}));
        }
        event_shards_ = writer.shards();
        return writer.AddTo(statements_, row_id, gate_.business_date);
    }

    std::optional<mysql::Lease> lease_;
    std::optional<mysql::Transaction> transaction_;
    mysql::Session& session_;
    const int slot_;
    const app::Gate gate_;
    const std::function<void(unsigned)>& on_events_;
    mysql::StatementBatch statements_{"ledger.store"};
    unsigned event_shards_ = 0;
};

Result<app::Gate> LockGate(mysql::Session& session, int slot) {
    KESSAI_ASSIGN_OR_RETURN(auto gates, session.Select(kLockGate, slot));
    if (!gates.Next()) {
        return Status(Code::kInternal, "GATE_MISSING",
                      "gate row " + std::to_string(slot) + " is not there");
    }
    return app::Gate{gates.Date(0), std::max(gates.At(1), gates.At(2))};
}

}  // namespace

Result<std::unique_ptr<app::LedgerTransaction>> MysqlLedgerStore::Begin(int slot) {
    const int own_slot = slot % kGateSlots;
    Result<mysql::Lease> acquired = pool_.Acquire(kAcquireTimeout);
    if (acquired.status().code() == Code::kResourceExhausted) {
        // No command is at fault when there is no session: the port calls that UNAVAILABLE.
        return Status(Code::kUnavailable, acquired.status().reason(),
                      std::string(acquired.status().message()));
    }
    if (!acquired.ok()) return acquired.status();
    mysql::Lease lease = *std::move(acquired);
    KESSAI_ASSIGN_OR_RETURN(mysql::Transaction transaction, mysql::Transaction::Begin(*lease));
    KESSAI_ASSIGN_OR_RETURN(const app::Gate gate, LockGate(*lease, own_slot));
    return std::unique_ptr<app::LedgerTransaction>(std::make_unique<MysqlLedgerTransaction>(
        std::move(lease), std::move(transaction), own_slot, gate, on_events_));
}

Result<std::unique_ptr<app::LedgerTransaction>> MysqlLedgerStore::Join(mysql::Session& session,
                                                                       int slot) {
    const int own_slot = slot % kGateSlots;
    KESSAI_ASSIGN_OR_RETURN(const app::Gate gate, LockGate(session, own_slot));
    return std::unique_ptr<app::LedgerTransaction>(
        std::make_unique<MysqlLedgerTransaction>(session, own_slot, gate, on_events_));
}

}  // namespace kessai::payment::storage
