#include "storage/mysql_restoring_store.h"

#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "domain/reason.h"
#include "domain/release.h"
#include "domain/transfer_reason.h"
#include "kessai/digest/store.h"
#include "kessai/event/bucket.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"
#include "kessai/outbox/batch_writer.h"
#include "kessai/outbox/outbox_table.h"
#include "storage/accrual_details.h"
#include "storage/accrual_rows.h"
#include "storage/gate.h"
#include "storage/mysql_accrual_transaction.h"
#include "storage/row_mapping.h"

namespace kessai::payout::storage {
namespace {

constexpr Duration kAcquireTimeout = std::chrono::seconds(2);
constexpr std::size_t kKeysPerStatement = 500;

constexpr mysql::Query kRowsOfBucket{"accrual.digest_of_bucket", R"sql(
    SELECT payment_id, version, merchant_id, gross FROM accrual FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND bucket = ?)sql"};
constexpr mysql::Query kTimesOfBucket{"accrual.times_of_bucket", R"sql(
    SELECT DISTINCT recorded_at_us FROM accrual FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND bucket = ?)sql"};
constexpr mysql::Query kOfPayments{"accrual.of_payments", "SELECT " KESSAI_ACCRUAL_COLUMNS R"sql(
    FROM accrual FORCE INDEX (accrual_effect) WHERE payment_id IN ({keys})
    ORDER BY payment_id, version)sql"};
constexpr mysql::Query kFindRows{"accrual.find_rows", R"sql(
    SELECT payment_id, version, merchant_id, gross, business_date, fee, tax_class
    FROM accrual FORCE INDEX (accrual_effect) WHERE payment_id IN ({keys}))sql"};
constexpr mysql::Query kLockRow{"accrual.lock_one", "SELECT " KESSAI_ACCRUAL_COLUMNS R"sql(
    FROM accrual FORCE INDEX (accrual_effect) WHERE payment_id = ? AND version = ? FOR UPDATE)sql"};
constexpr mysql::Query kRemoveRow{"accrual.remove_one",
                                  "DELETE FROM accrual WHERE payment_id = ? AND version = ?"};
constexpr mysql::Query kRemoveDetail{"accrual_detail.remove_one", R"sql(
    DELETE FROM accrual_detail WHERE business_date = ? AND payment_id = ? AND version = ?)sql"};
constexpr mysql::Query kDayState{"payout_day.state_of",
                                 "SELECT state FROM payout_day WHERE business_date = ?"};
constexpr mysql::Query kCountOutboxRow{"slot_gate.next_outbox_row", R"sql(
    UPDATE slot_gate SET outbox_rows = outbox_rows + 1 WHERE slot = ?)sql"};
constexpr mysql::Query kReadOutboxRows{"slot_gate.read_outbox_rows",
                                       "SELECT outbox_rows FROM slot_gate WHERE slot = ?"};

Result<digest::BucketDigest> DigestOfRows(mysql::Session& session, BusinessDate day, int bucket,
                                          const digest::RowHasher& hasher) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kRowsOfBucket, day, bucket));
    digest::Accumulator sums(hasher);
    while (rows.Next()) {
        sums.Add(
            {rows.Int(0), static_cast<std::uint32_t>(rows.Int(1)), day, rows.Int(2), rows.Int(3)});
    }
    return sums.Day(day)[static_cast<std::size_t>(bucket)];
}

class MysqlRestoringTransaction final : public app::RestoringTransaction {
 public:
    MysqlRestoringTransaction(mysql::Session& session, int slot, const digest::RowHasher& hasher,
                              const app::EventEncoder& events)
        : session_(session), hasher_(hasher), accruals_(session, slot, hasher, events) {}

    app::AccrualTransaction& accruals() override { return accruals_; }

    Result<digest::RecomputedBucket> DigestsOfBucket(BusinessDate day, int bucket) override {
        return digest::RecomputeBucket(session_, day, bucket, /*key=*/"", Instant(), [&] {
            return DigestOfRows(session_, day, bucket, hasher_);
        });
    }

    Result<std::optional<app::RecordedAccrual>> FindRow(domain::EffectKey key) override {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kLockRow, key.payment, key.version));
        if (!rows.Next()) return std::optional<app::RecordedAccrual>();
        app::RecordedAccrual found{ReadAccrual(rows), ReadRecordedAt(rows)};
        KESSAI_ASSIGN_OR_RETURN(
            const auto details,
            AccrualDetails::LoadOne(session_, found.accrual.business_date, key));
        details.AddTo(found.accrual);
        return std::optional(std::move(found));
    }

    Result<std::vector<Instant>> TimesOfBucket(BusinessDate day, int bucket) override {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kTimesOfBucket, day, bucket));
        std::vector<Instant> times;
        while (rows.Next()) times.push_back(rows.At(0));
        return times;
    }

    Status StoreRow(const domain::Accrual& accrual, Instant recorded_at) override {
        KESSAI_RETURN_IF_ERROR(
            session_.Execute(kRemoveRow, accrual.key.payment, accrual.key.version).status());
        KESSAI_RETURN_IF_ERROR(session_
                                   .Execute(kRemoveDetail, accrual.business_date,
                                            accrual.key.payment, accrual.key.version)
                                   .status());
        mysql::StatementBatch statements("accrual.restore");
        const std::array<const domain::Accrual*, 1> one{&accrual};
        KESSAI_RETURN_IF_ERROR(AccrualRows(session_, recorded_at).Store(one, statements));
        DetailRows details;
        details.Add(accrual);
        KESSAI_RETURN_IF_ERROR(details.AddTo(statements));
        return session_.ExecuteMany(statements);
    }

 private:
    mysql::Session& session_;
    const digest::RowHasher& hasher_;
    MysqlAccrualTransaction accruals_;
};

mysql::RetryPolicy Policy() {
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;  // What was done is found to be there.
    policy.acquire_timeout = kAcquireTimeout;
    return policy;
}

struct Told {
    domain::EffectKey key;
    std::string envelope;
};

/// The events of the accruals, made again from their rows.
Result<std::vector<Told>> LoadTold(mysql::Session& session, const std::set<domain::EffectKey>& keys,
                                   const app::EventEncoder& events) {
    std::set<std::int64_t> payments;
    for (const domain::EffectKey& key : keys) payments.insert(key.payment.value());
    std::set<domain::EffectKey> missing = keys;
    std::vector<Told> told;
    mysql::KeyList list;
    const auto load = [&]() -> Status {
        if (list.empty()) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kOfPayments, list));
        list.Clear();
        while (rows.Next()) {
            const domain::Accrual accrual = ReadAccrual(rows);
            if (missing.erase(accrual.key) == 0) continue;
            KESSAI_ASSIGN_OR_RETURN(std::string envelope,
                                    events.AccrualRecorded(accrual, ReadRecordedAt(rows)));
            told.push_back({accrual.key, std::move(envelope)});
        }
        return OkStatus();
    };
    for (const std::int64_t payment : payments) {
        list.Add(payment);
        if (list.size() == kKeysPerStatement) KESSAI_RETURN_IF_ERROR(load());
    }
    KESSAI_RETURN_IF_ERROR(load());
    if (!missing.empty()) {
        return Status(Code::kNotFound, domain::reason::kEventUnknown,
                      "no accrual of payment " + missing.begin()->payment.ToString() + " version " +
                          std::to_string(missing.begin()->version));
    }
    return told;
}

}  // namespace

Status MysqlRestoringStore::InPartitionOf(
    domain::PaymentId payment, const std::function<Status(app::RestoringTransaction&)>& work) {
    const int slot = event::PartitionOf(payment.value(), partitions_);
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, Policy(), [&](mysql::Session& session) -> Status {
            MysqlRestoringTransaction transaction(session, slot, hasher_, events_);
            return work(transaction);
        }));
    if (on_events_) on_events_((1u << outbox::kShards) - 1);
    return OkStatus();
}

// An object's rows rise by its partition's gate, whoever writes them.
Status MysqlRestoringStore::Republish(std::span<const domain::EffectKey> keys) {
    unsigned shards = 0;
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, Policy(), [&](mysql::Session& session) -> Status {
            shards = 0;
            KESSAI_ASSIGN_OR_RETURN(const auto told,
                                    LoadTold(session, {keys.begin(), keys.end()}, events_));
            std::map<int, outbox::BatchWriter> by_slot;
            for (const Told& one : told) {
                const int slot = event::PartitionOf(one.key.payment.value(), partitions_);
                KESSAI_RETURN_IF_ERROR(by_slot[slot].Add({.object_id = one.key.payment.value(),
                                                          .envelope = one.envelope,
                                                          .republished = true}));
            }
            for (auto& [slot, writer] : by_slot) {
                KESSAI_RETURN_IF_ERROR(session.Execute(kCountOutboxRow, slot).status());
                KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kReadOutboxRows, slot));
                if (!rows.Next()) {
                    return Status(Code::kInternal, "GATE_MISSING", "slot_gate lacks a row");
                }
                KESSAI_RETURN_IF_ERROR(
                    writer.Store(session, OutboxRowId(rows.Int(0), slot), kNoDay));
                shards |= writer.shards();
            }
            return OkStatus();
        }));
    if (on_events_) on_events_(shards);
    return OkStatus();
}

Result<std::vector<app::DatedRow>> MysqlRestoringStore::FindRows(
    std::span<const domain::EffectKey> keys) {
    const std::set<domain::EffectKey> wanted(keys.begin(), keys.end());
    std::set<std::int64_t> payments;
    for (const domain::EffectKey& key : wanted) payments.insert(key.payment.value());
    std::vector<app::DatedRow> found;
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    mysql::KeyList list;
    const auto load = [&]() -> Status {
        if (list.empty()) return OkStatus();
        KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kFindRows, list));
        list.Clear();
        while (rows.Next()) {
            const domain::EffectKey key{domain::PaymentId(rows.Int(0)),
                                        static_cast<std::uint32_t>(rows.Int(1))};
            if (!wanted.contains(key)) continue;
            found.push_back({key, domain::MerchantId(rows.Int(2)), rows.Int(3), rows.Date(4),
                             rows.Int(5), static_cast<domain::TaxClass>(rows.Int(6))});
        }
        return OkStatus();
    };
    for (const std::int64_t payment : payments) {
        list.Add(payment);
        if (list.size() == kKeysPerStatement) KESSAI_RETURN_IF_ERROR(load());
    }
    KESSAI_RETURN_IF_ERROR(load());
    return found;
}

Result<digest::RecomputedBucket> MysqlRestoringStore::RecomputeDigest(BusinessDate day, int bucket,
                                                                      std::string_view key) {
    digest::RecomputedBucket digests;
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, Policy(), [&](mysql::Session& session) -> Status {
            KESSAI_ASSIGN_OR_RETURN(auto state, session.Select(kDayState, day));
            if (!state.Next() || state.Int(0) == static_cast<int>(domain::DayState::kOpen)) {
                return Status(Code::kFailedPrecondition, domain::reason::kDayOpen,
                              day.ToString() + " is not closed");
            }
            KESSAI_ASSIGN_OR_RETURN(
                digests, digest::RecomputeBucket(session, day, bucket, key, clock_.Now(), [&] {
                    return DigestOfRows(session, day, bucket, hasher_);
                }));
            return OkStatus();
        }));
    return digests;
}

}  // namespace kessai::payout::storage
