#include "storage/mysql_accrual_transaction.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "domain/release.h"
#include "kessai/digest/accumulator.h"
#include "kessai/digest/store.h"
#include "kessai/event/bucket.h"
#include "kessai/mysql/query.h"
#include "storage/accrual_details.h"
#include "storage/accrual_rows.h"
#include "storage/gate.h"
#include "storage/plan_rows.h"

namespace kessai::payout::storage {
namespace {

// By payment alone: a payment has a few versions, and a list of pairs is no index range on MariaDB.
constexpr mysql::Query kFindEffects{"accrual.find_effects", R"sql(
    SELECT payment_id, version, content_hash FROM accrual FORCE INDEX (accrual_effect)
    WHERE payment_id IN ({keys}))sql"};
constexpr mysql::Query kLockGate{"slot_gate.lock", R"sql(
    SELECT closed_through, plan_revision, outbox_rows FROM slot_gate WHERE slot = ? FOR UPDATE)sql"};
constexpr mysql::Query kLockDay{"payout_day.lock_state",
                                "SELECT state FROM payout_day WHERE business_date = ? FOR UPDATE"};
constexpr mysql::Query kLockHold{"merchant_hold.lock", R"sql(
    SELECT open_at_close, released_round IS NULL FROM merchant_hold
    WHERE business_date = ? AND merchant_id = ? FOR UPDATE)sql"};
constexpr mysql::Query kAddToTotals{"merchant_day_total.add", R"sql(
    INSERT INTO merchant_day_total (business_date, merchant_id, slot, tax_class, currency, gross,
                                    fee, item_count)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE gross = gross + VALUES(gross),
                            fee = fee + VALUES(fee),
                            item_count = item_count + VALUES(item_count))sql"};
constexpr mysql::Query kAddToParts{"merchant_day_part.add", R"sql(
    INSERT INTO merchant_day_part (business_date, merchant_id, slot, tax_class, part, gross, fee,
                                   item_count, payment_first, payment_last)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE gross = gross + VALUES(gross),
                            fee = fee + VALUES(fee),
                            item_count = item_count + VALUES(item_count),
                            payment_first = LEAST(payment_first, VALUES(payment_first)),
                            payment_last = GREATEST(payment_last, VALUES(payment_last)))sql"};
constexpr mysql::Query kInsertDays{
    "payout_day.insert_open", "INSERT IGNORE INTO payout_day (business_date, state) VALUES {rows}"};
constexpr mysql::Query kCountOutboxRow{"slot_gate.count_outbox_row",
                                       "UPDATE slot_gate SET outbox_rows = ? WHERE slot = ?"};
constexpr mysql::Query kNoteClosed{"slot_gate.note_closed", R"sql(
    UPDATE slot_gate SET closed_through = GREATEST(COALESCE(closed_through, ?), ?)
    WHERE slot = ?)sql"};

constexpr std::size_t kKeysPerList = 500;

/// In the order of the primary key.
std::vector<const domain::Accrual*> InOrder(std::span<const domain::Accrual> accruals) {
    struct Place {
        BusinessDate day;
        int bucket;
        domain::EffectKey key;
        const domain::Accrual* accrual;
    };
    std::vector<Place> places;
    places.reserve(accruals.size());
    for (const domain::Accrual& accrual : accruals) {
        places.push_back({accrual.business_date, event::BucketOf(accrual.key.payment.value()),
                          accrual.key, &accrual});
    }
    std::ranges::sort(places, {}, [](const Place& place) {
        return std::tie(place.day, place.bucket, place.key);
    });
    std::vector<const domain::Accrual*> ordered;
    ordered.reserve(places.size());
    for (const Place& place : places) ordered.push_back(place.accrual);
    return ordered;
}

int OpenState() {
    return static_cast<int>(domain::DayState::kOpen);
}

}  // namespace

MysqlAccrualTransaction::MysqlAccrualTransaction(mysql::Session& session, int slot,
                                                 const digest::RowHasher& hasher,
                                                 const app::EventEncoder& events)
    : session_(session), slot_(slot), hasher_(hasher), events_(events) {
    KESSAI_CHECK(slot >= 0 && slot < kSlots, "every partition has a gate row");
}

Result<std::vector<app::StoredEffect>> MysqlAccrualTransaction::FindEffects(
    std::span<const domain::EffectKey> keys) {
    std::vector<app::StoredEffect> found;
    for (std::size_t at = 0; at < keys.size(); at += kKeysPerList) {
        std::set<std::int64_t> payments;
        const auto part = keys.subspan(at, std::min(kKeysPerList, keys.size() - at));
        for (const domain::EffectKey& key : part) payments.insert(key.payment.value());
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindEffects, mysql::KeyList(payments)));
        while (rows.Next()) {
            app::StoredEffect effect;
            effect.key = {domain::PaymentId(rows.Int(0)), static_cast<std::uint32_t>(rows.Int(1))};
            if (!std::binary_search(part.begin(), part.end(), effect.key)) continue;
            const std::string hash = rows.Bytes(2);
            std::copy_n(hash.begin(), std::min(hash.size(), effect.content_hash.size()),
                        effect.content_hash.begin());
            found.push_back(effect);
        }
    }
    return found;
}

Result<app::SlotGate> MysqlAccrualTransaction::LockGate() {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kLockGate, slot_));
    if (!rows.Next()) {
        return Status(Code::kInternal, "GATE_MISSING",
                      "slot " + std::to_string(slot_) + " has no gate row");
    }
    app::SlotGate gate;
    if (!rows.IsNull(0)) gate.closed_through = rows.Date(0);
    gate.plan_revision = rows.Int(1);
    outbox_rows_ = rows.Int(2);
    return gate;
}

Result<domain::PlanUpdates> MysqlAccrualTransaction::PlansAfter(std::int64_t revision) {
    return LoadPlansAfter(session_, revision);
}

Result<bool> MysqlAccrualTransaction::IsStillOpen(BusinessDate day, domain::MerchantId merchant) {
    KESSAI_ASSIGN_OR_RETURN(auto state, session_.Select(kLockDay, day));
    if (!state.Next() || state.Int(0) == OpenState()) return true;
    KESSAI_ASSIGN_OR_RETURN(auto hold, session_.Select(kLockHold, day, merchant));
    return hold.Next() && hold.Bool(0) && hold.Bool(1);
}

Status MysqlAccrualTransaction::Store(const app::AccrualBatch& batch) {
    mysql::StatementBatch statements("accrual.store_batch");
    mysql::RowList rows;
    if (!batch.new_days.empty()) {
        for (const BusinessDate day : batch.new_days) rows.Add(day, OpenState());
        KESSAI_RETURN_IF_ERROR(statements.Add(kInsertDays, rows));
    }

    // In the order of the primary key, so that neighbours are stored together.
    const auto ordered = InOrder(batch.accruals);
    KESSAI_RETURN_IF_ERROR(AccrualRows(session_, batch.recorded_at).Store(ordered, statements));
    DetailRows details;
    digest::Accumulator digests(hasher_);
    for (const domain::Accrual* accrual : ordered) {
        details.Add(*accrual);
        digests.Add({accrual->key.payment.value(), accrual->key.version, accrual->business_date,
                     accrual->merchant.value(), accrual->gross});
    }
    KESSAI_RETURN_IF_ERROR(details.AddTo(statements));

    rows.Clear();
    for (const domain::DayTotal& total : batch.totals) {
        rows.Add(total.business_date, total.part.merchant, slot_,
                 static_cast<int>(total.part.tax_class), domain::kBookCurrency.code(),
                 total.part.sums.gross, total.part.sums.fee, total.part.sums.item_count);
    }
    KESSAI_RETURN_IF_ERROR(statements.Add(kAddToTotals, rows));
    if (!batch.parts.empty()) {
        rows.Clear();
        for (const domain::DayPart& part : batch.parts) {
            rows.Add(part.business_date, part.part.merchant, slot_,
                     static_cast<int>(part.part.tax_class), static_cast<int>(part.kind),
                     part.part.sums.gross, part.part.sums.fee, part.part.sums.item_count,
                     part.payment_first, part.payment_last);
        }
        KESSAI_RETURN_IF_ERROR(statements.Add(kAddToParts, rows));
    }
    KESSAI_RETURN_IF_ERROR(StoreResults(batch, statements));
    KESSAI_RETURN_IF_ERROR(session_.ExecuteMany(statements));
    return digest::AddToDay(session_, digests, slot_);
}

Status MysqlAccrualTransaction::StoreResults(const app::AccrualBatch& batch,
                                             mysql::StatementBatch& statements) {
    outbox::BatchWriter writer;
    BusinessDate earliest = batch.accruals.front().business_date;
    for (std::size_t i = 0; i < batch.accruals.size(); ++i) {
        const domain::Accrual& accrual = batch.accruals[i];
        KESSAI_ASSIGN_OR_RETURN(const std::string envelope,
                                events_.AccrualRecorded(accrual, batch.recorded_at));
        KESSAI_RETURN_IF_ERROR(writer.Add({.object_id = accrual.key.payment.value(),
                                           .envelope = envelope,
                                           .traceparent = batch.traceparents[i]}));
        earliest = std::min(earliest, accrual.business_date);
    }
    // A row of several days counts as of the earliest: that one's mark must not overtake it.
    KESSAI_RETURN_IF_ERROR(
        writer.AddTo(statements, OutboxRowId(outbox_rows_ + 1, slot_), earliest));
    return statements.Add(kCountOutboxRow, outbox_rows_ + 1, slot_);
}

Status MysqlAccrualTransaction::NoteDayClosed(BusinessDate day) {
    KESSAI_RETURN_IF_ERROR(session_.Execute(kNoteClosed, day, day, slot_));
    mysql::RowList rows;
    rows.Add(day, OpenState());
    return internal::TakeStatus(session_.Execute(kInsertDays, rows));
}

Status StoreDeadLetters(mysql::Session& session, std::span<const outbox::Entry> entries) {
    outbox::BatchWriter writer;
    for (const outbox::Entry& entry : entries) KESSAI_RETURN_IF_ERROR(writer.Add(entry));
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t row_id, NextOutboxRow(session, Gate::kDeadLetters));
    return writer.Store(session, row_id, kNoDay);
}

}  // namespace kessai::payout::storage
