#include "storage/mysql_day_store.h"

#include <utility>

#include "domain/reason.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"
#include "kessai/outbox/batch_writer.h"
#include "kessai/outbox/outbox_table.h"
#include "storage/gate.h"
#include "storage/hold_teller.h"
#include "storage/row_mapping.h"

namespace kessai::payout::storage {
namespace {

using domain::DayState;

constexpr Duration kAcquireTimeout = std::chrono::seconds(2);

constexpr mysql::Query kClosedThrough{"slot_gate.closed_through", R"sql(
    SELECT COUNT(closed_through), MIN(closed_through) FROM slot_gate WHERE slot < ?)sql"};
constexpr mysql::Query kOpenDays{"payout_day.open_through", R"sql(
    SELECT business_date FROM payout_day WHERE state = ? AND business_date <= ?
    ORDER BY business_date)sql"};
constexpr mysql::Query kLockDay{"payout_day.lock",
                                "SELECT state FROM payout_day WHERE business_date = ? FOR UPDATE"};
constexpr mysql::Query kTotalsOfDay{"merchant_day_total.of_day",
                                    "SELECT " KESSAI_SLOT_TOTAL_COLUMNS R"sql(
    FROM merchant_day_total FORCE INDEX (PRIMARY) WHERE business_date = ?
    ORDER BY merchant_id, slot, tax_class)sql"};
constexpr mysql::BulkTarget kChunks{
    "day_chunk.insert", "day_chunk",
    "business_date, chunk, merchant_first, merchant_last, merchant_count, seal, totals"};
constexpr mysql::Query kInsertHolds{"merchant_hold.insert_open", R"sql(
    INSERT INTO merchant_hold (business_date, merchant_id, reason, open_at_close, total_gross,
                               total_fee, total_count, recount_gross, recount_fee, recount_count,
                               note, held_at_us) VALUES {rows})sql"};
constexpr mysql::Query kSetClosed{"payout_day.set_closed", R"sql(
    UPDATE payout_day SET state = ?, seal = ?, merchant_count = ?, closed_at_us = ?
    WHERE business_date = ?)sql"};
constexpr mysql::Query kUnmarkedDays{"payout_day.unmarked", R"sql(
    SELECT business_date, closed_at_us FROM payout_day
    WHERE state >= ? AND marked_at_us IS NULL ORDER BY business_date)sql"};
constexpr mysql::Query kLockUnmarked{"payout_day.lock_unmarked", R"sql(
    SELECT marked_at_us IS NULL FROM payout_day WHERE business_date = ? FOR UPDATE)sql"};
constexpr mysql::Query kSetMarked{"payout_day.set_marked",
                                  "UPDATE payout_day SET marked_at_us = ? WHERE business_date = ?"};
constexpr mysql::Query kMarkedThrough{"payout_gate.marked_through", R"sql(
    UPDATE payout_gate SET marked_through = GREATEST(COALESCE(marked_through, ?), ?)
    WHERE id = ?)sql"};
constexpr mysql::Query kReleasableDays{"payout_day.releasable", R"sql(
    SELECT business_date FROM payout_day WHERE state = ? OR state = ? ORDER BY business_date)sql"};
constexpr mysql::Query kDayState{"payout_day.state",
                                 "SELECT state FROM payout_day WHERE business_date = ?"};
constexpr mysql::Query kHasDayFrom{"payout_day.has_closed_from", R"sql(
    SELECT 1 FROM payout_day WHERE business_date >= ? AND state >= ? LIMIT 1)sql"};

constexpr std::size_t kRowsPerStatement = 2'000;
constexpr std::size_t kStatementBytes = std::size_t{2} << 20;
constexpr std::size_t kNoteMax = 255;

int Number(DayState state) {
    return static_cast<int>(state);
}

class MysqlClosingTransaction final : public app::ClosingTransaction {
 public:
    MysqlClosingTransaction(mysql::Session& session, const InboxName& inbox, BusinessDate day)
        : session_(session), inbox_(inbox), day_(day) {}

    Result<std::vector<app::BlockedEvent>> Blocked(int limit) override {
        return LoadBlocked(session_, inbox_, day_, limit);
    }

    Result<std::optional<domain::MerchantId>> MerchantOfPayment(
        domain::PaymentId payment) override {
        return LoadMerchantOfPayment(session_, payment);
    }

    Status StreamTotals(const std::function<void(const domain::SlotTotal&)>& take) override {
        return session_.Scan(
            kTotalsOfDay,
            [&](std::span<const std::int64_t> cells) {
                for (std::size_t i = 0; i < cells.size(); i += 6) {
                    take(SlotTotalOf(cells.subspan(i, 6)));
                }
            },
            day_);
    }

    Status Store(const app::ClosedDay& closed, const app::EventEncoder& events) override {
        KESSAI_RETURN_IF_ERROR(StoreChunks(closed.chunks));
        mysql::RowList rows;
        for (const domain::HeldBack& held : closed.open_merchants) {
            rows.Add(day_, held.merchant, static_cast<int>(held.reason), /*open_at_close=*/true, 0,
                     0, 0, 0, 0, 0, CutText(held.note, kNoteMax), closed.closed_at);
            if (rows.size() == kRowsPerStatement) KESSAI_RETURN_IF_ERROR(Flush(kInsertHolds, rows));
        }
        KESSAI_RETURN_IF_ERROR(Flush(kInsertHolds, rows));
        KESSAI_RETURN_IF_ERROR(session_.Execute(kSetClosed, Number(DayState::kClosed),
                                                AsBytes(closed.seal), closed.merchant_count,
                                                closed.closed_at, day_));
        HoldTeller teller(session_, events, day_, closed.closed_at);
        KESSAI_RETURN_IF_ERROR(teller.Tell(closed.open_merchants, {}, 0));
        shards_ = teller.shards();
        return OkStatus();
    }
    unsigned shards() const { return shards_; }

 private:
    Status StoreChunks(std::span<const domain::SealedChunk> chunks) {
        mysql::BulkRows rows = session_.NewBulkRows();
        for (std::size_t i = 0; i < chunks.size(); ++i) {
            const domain::SealedChunk& chunk = chunks[i];
            std::optional<mysql::Bytes> totals;
            if (chunk.totals) totals = mysql::Bytes{*chunk.totals};
            rows.Add(day_, i, chunk.range.first, chunk.range.last, chunk.merchant_count,
                     AsBytes(chunk.seal), totals);
            // A chunk more does not make the statement too large.
            if (rows.bytes() < kStatementBytes && i + 1 < chunks.size()) continue;
            KESSAI_RETURN_IF_ERROR(session_.StoreBulk(kChunks, rows));
            rows.Clear();
        }
        return OkStatus();
    }

    Status Flush(const mysql::Query& query, mysql::RowList& rows) {
        if (rows.empty()) return OkStatus();
        KESSAI_RETURN_IF_ERROR(session_.Execute(query, rows));
        rows.Clear();
        return OkStatus();
    }

    mysql::Session& session_;
    const InboxName& inbox_;
    const BusinessDate day_;
    unsigned shards_ = 0;
};

}  // namespace

MysqlDayStore::MysqlDayStore(mysql::Pool& pool, InboxName inbox,
                             std::function<void(unsigned)> on_events)
    : pool_(pool), inbox_(std::move(inbox)), on_events_(std::move(on_events)) {}

Result<std::vector<BusinessDate>> MysqlDayStore::ClosableDays(int partition_count) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto marks, session->Select(kClosedThrough, partition_count));
    std::vector<BusinessDate> days;
    if (!marks.Next() || marks.Int(0) < partition_count) return days;
    KESSAI_ASSIGN_OR_RETURN(auto rows,
                            session->Select(kOpenDays, Number(DayState::kOpen), marks.Date(1)));
    while (rows.Next()) days.push_back(rows.Date(0));
    return days;
}

Status MysqlDayStore::InClosing(BusinessDate day,
                                const std::function<Status(app::ClosingTransaction&)>& work) {
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;  // Found closed, it is done.
    unsigned shards = 0;
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
            KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kLockDay, day));
            if (!rows.Next() || rows.Int(0) != Number(DayState::kOpen)) return OkStatus();
            MysqlClosingTransaction transaction(session, inbox_, day);
            KESSAI_RETURN_IF_ERROR(work(transaction));
            shards = transaction.shards();
            return OkStatus();
        }));
    if (shards != 0 && on_events_) on_events_(shards);
    return OkStatus();
}

Result<std::vector<app::DayStore::UnmarkedDay>> MysqlDayStore::UnmarkedDays() {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kUnmarkedDays, Number(DayState::kClosed)));
    std::vector<UnmarkedDay> days;
    while (rows.Next()) days.push_back({rows.Date(0), rows.At(1)});
    return days;
}

Result<bool> MysqlDayStore::HasUnsentEvents(BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t rows, outbox::CountRowsUpTo(*session, day));
    return rows > 0;
}

Status MysqlDayStore::StoreMark(BusinessDate day, const std::string& mark, int partition_count,
                                Instant at) {
    outbox::BatchWriter writer;
    for (int partition = 0; partition < partition_count; ++partition) {
        KESSAI_RETURN_IF_ERROR(writer.Add({.envelope = mark, .partition = partition}));
    }
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;  // Found marked, it is done.
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
            KESSAI_ASSIGN_OR_RETURN(const std::int64_t row_id, NextOutboxRow(session, Gate::kDays));
            KESSAI_ASSIGN_OR_RETURN(auto unmarked, session.Select(kLockUnmarked, day));
            if (!unmarked.Next() || !unmarked.Bool(0)) return OkStatus();
            // Asked again while the gate is held: a release may have put in an event of this day.
            KESSAI_ASSIGN_OR_RETURN(const std::int64_t unsent, outbox::CountRowsUpTo(session, day));
            if (unsent > 0) return OkStatus();
            KESSAI_RETURN_IF_ERROR(session.Execute(kSetMarked, at, day));
            KESSAI_RETURN_IF_ERROR(
                session.Execute(kMarkedThrough, day, day, static_cast<int>(Gate::kDays)));
            return writer.Store(session, row_id, kNoDay);
        }));
    if (on_events_) on_events_(writer.shards());
    return OkStatus();
}

Result<std::vector<BusinessDate>> MysqlDayStore::ReleasableDays(bool closed) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    const DayState also = closed ? DayState::kClosed : DayState::kReleasing;
    KESSAI_ASSIGN_OR_RETURN(
        auto rows, session->Select(kReleasableDays, Number(DayState::kReleasing), Number(also)));
    std::vector<BusinessDate> days;
    while (rows.Next()) days.push_back(rows.Date(0));
    return days;
}

Result<DayState> LoadDayState(mysql::Session& session, BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kDayState, day));
    if (rows.Next()) return static_cast<DayState>(rows.Int(0));
    KESSAI_ASSIGN_OR_RETURN(auto later,
                            session.Select(kHasDayFrom, day, Number(DayState::kClosed)));
    if (!later.Next()) return DayState::kOpen;
    return Status(Code::kNotFound, domain::reason::kDayUnknown,
                  "nothing happened on " + day.ToString());
}

}  // namespace kessai::payout::storage
