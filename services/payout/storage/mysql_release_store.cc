#include "storage/mysql_release_store.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "domain/reason.h"
#include "domain/tax.h"
#include "kessai/lease/lease_table.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"
#include "kessai/outbox/batch_writer.h"
#include "kessai/time/business_date.h"
#include "storage/accrual_details.h"
#include "storage/gate.h"
#include "storage/hold_teller.h"
#include "storage/mysql_day_store.h"
#include "storage/plan_rows.h"
#include "storage/row_mapping.h"
#include "storage/running_balances.h"

namespace kessai::payout::storage {
namespace {

using domain::DayState;

constexpr Duration kAcquireTimeout = std::chrono::seconds(5);
// A process that dies keeps others from going on for so long.
constexpr Duration kTurnDuration = std::chrono::seconds(10);
constexpr Duration kTurnRenewEvery = std::chrono::seconds(3);
constexpr std::string_view kTurnName = "payout.release";

constexpr mysql::Query kLockGate{"payout_gate.lock_release", R"sql(
    SELECT releasing_date, releasing_round, marked_through FROM payout_gate WHERE id = ?
    FOR UPDATE)sql"};
constexpr mysql::Query kUnderWay{"release_round.under_way", R"sql(
    SELECT g.releasing_date, g.releasing_round, r.deep
    FROM payout_gate g JOIN release_round r
        ON r.business_date = g.releasing_date AND r.round = g.releasing_round
    WHERE g.id = ?)sql"};
constexpr mysql::Query kMerchantCount{
    "payout_day.merchant_count", "SELECT merchant_count FROM payout_day WHERE business_date = ?"};
constexpr mysql::Query kSetReleasing{
    "payout_gate.set_releasing",
    "UPDATE payout_gate SET releasing_date = ?, releasing_round = ? WHERE id = ?"};
constexpr mysql::Query kLockDay{
    "payout_day.lock_rounds",
    "SELECT state, rounds FROM payout_day WHERE business_date = ? FOR UPDATE"};
constexpr mysql::Query kSetDay{
    "payout_day.set_release",
    "UPDATE payout_day SET state = ?, rounds = ? WHERE business_date = ?"};
// By the gate's lock there is one at a time.
constexpr mysql::Query kLatestRound{"release_round.latest_start", R"sql(
    SELECT COALESCE(MAX(started_at_us), 0) FROM release_round)sql"};
constexpr mysql::Query kInsertRound{"release_round.insert", R"sql(
    INSERT INTO release_round (business_date, round, deep, started_at_us) VALUES (?, ?, ?, ?))sql"};
constexpr mysql::Query kInsertAllChunks{"release_chunk.insert_all", R"sql(
    INSERT INTO release_chunk (business_date, round, chunk)
    SELECT business_date, 0, chunk FROM day_chunk WHERE business_date = ?)sql"};
constexpr mysql::Query kInsertChunks{
    "release_chunk.insert",
    "INSERT INTO release_chunk (business_date, round, chunk) VALUES {rows}"};
constexpr mysql::Query kSealedChunks{"day_chunk.sealed", R"sql(
    SELECT chunk, merchant_first, merchant_last, seal FROM day_chunk
    WHERE business_date = ? ORDER BY chunk)sql"};
constexpr mysql::Query kHeldChunks{"day_chunk.held", R"sql(
    SELECT c.chunk, c.merchant_first, c.merchant_last, c.seal
    FROM day_chunk c
    WHERE c.business_date = ?
        AND EXISTS (SELECT 1 FROM merchant_hold h
                    WHERE h.business_date = c.business_date
                        AND h.merchant_id BETWEEN c.merchant_first AND c.merchant_last
                        AND h.released_round IS NULL)
    ORDER BY c.chunk)sql"};
constexpr mysql::Query kPendingChunks{"release_chunk.pending", R"sql(
    SELECT c.chunk, c.merchant_first, c.merchant_last, c.seal
    FROM release_chunk r JOIN day_chunk c
        ON c.business_date = r.business_date AND c.chunk = r.chunk
    WHERE r.business_date = ? AND r.round = ? AND r.done = 0
    ORDER BY c.chunk)sql"};
constexpr mysql::Query kLockChunk{"release_chunk.lock", R"sql(
    SELECT done FROM release_chunk WHERE business_date = ? AND round = ? AND chunk = ?
    FOR UPDATE)sql"};
constexpr mysql::Query kSetChunkDone{"release_chunk.set_done", R"sql(
    UPDATE release_chunk SET done = 1, merchant_count = ?, gross = ?, fee = ?, tax = ?, net = ?
    WHERE business_date = ? AND round = ? AND chunk = ?)sql"};
constexpr mysql::Query kLockHolds{"merchant_hold.lock_range", R"sql(
    SELECT merchant_id, open_at_close, released_round IS NOT NULL FROM merchant_hold
    FORCE INDEX (PRIMARY) WHERE business_date = ? AND merchant_id BETWEEN ? AND ?
    ORDER BY merchant_id FOR UPDATE)sql"};
constexpr mysql::Query kTotalsOfRange{"merchant_day_total.of_range",
                                      "SELECT " KESSAI_SLOT_TOTAL_COLUMNS R"sql(
    FROM merchant_day_total FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND merchant_id BETWEEN ? AND ?
    ORDER BY merchant_id, slot, tax_class)sql"};
constexpr mysql::Query kSealedTotals{
    "day_chunk.totals", "SELECT totals FROM day_chunk WHERE business_date = ? AND chunk = ?"};
// A key that is there already means that somebody released twice: refused, and the chunk with it.
constexpr mysql::BulkTarget kReleases{"merchant_release.insert", "merchant_release",
                                      "merchant_id, tax_class, gross, fee, tax, net, item_count"};
constexpr mysql::Query kPutHolds{"merchant_hold.put", R"sql(
    INSERT INTO merchant_hold (business_date, merchant_id, reason, open_at_close, total_gross,
                               total_fee, total_count, recount_gross, recount_fee, recount_count,
                               note, held_at_us)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE reason = VALUES(reason), total_gross = VALUES(total_gross),
                            total_fee = VALUES(total_fee), total_count = VALUES(total_count),
                            recount_gross = VALUES(recount_gross),
                            recount_fee = VALUES(recount_fee),
                            recount_count = VALUES(recount_count), note = VALUES(note))sql"};
constexpr mysql::Query kFreeHold{"merchant_hold.free", R"sql(
    UPDATE merchant_hold SET released_round = ?, seal = ?
    WHERE business_date = ? AND merchant_id = ?)sql"};
constexpr mysql::Query kSumChunks{"release_chunk.sum", R"sql(
    SELECT COALESCE(SUM(done = 0), 0), COALESCE(SUM(merchant_count), 0), COALESCE(SUM(gross), 0),
           COALESCE(SUM(fee), 0), COALESCE(SUM(tax), 0), COALESCE(SUM(net), 0)
    FROM release_chunk WHERE business_date = ? AND round = ?)sql"};
constexpr mysql::Query kCountHeld{"merchant_hold.count", R"sql(
    SELECT COUNT(*) FROM merchant_hold
    WHERE business_date = ? AND released_round IS NULL AND merchant_id <> 0)sql"};
constexpr mysql::Query kFinishRound{"release_round.finish", R"sql(
    UPDATE release_round
    SET finished_at_us = ?, merchant_count = ?, held_back_count = ?, gross = ?, fee = ?, tax = ?,
        net = ?, told_date = ?
    WHERE business_date = ? AND round = ?)sql"};
constexpr mysql::Query kSumRounds{"release_round.sum", R"sql(
    SELECT COALESCE(SUM(merchant_count), 0), COALESCE(SUM(gross), 0), COALESCE(SUM(fee), 0),
           COALESCE(SUM(tax), 0), COALESCE(SUM(net), 0)
    FROM release_round WHERE business_date = ? AND finished_at_us IS NOT NULL)sql"};
// Bucket by bucket: a look-up by key, while the condition of a range is computed again for each
// row.
constexpr mysql::Query kScanAmounts{"accrual.scan_amounts", R"sql(
    SELECT merchant_id, tax_class, gross, fee FROM accrual FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND bucket = ?)sql"};
constexpr mysql::Query kScanAccruals{"accrual.scan", "SELECT " KESSAI_ACCRUAL_COLUMNS R"sql(
    FROM accrual FORCE INDEX (PRIMARY) WHERE business_date = ? AND bucket BETWEEN ? AND ?)sql"};

constexpr std::size_t kNoteMax = 255;
constexpr std::size_t kRowsPerStatement = 10'000;

int Number(DayState state) {
    return static_cast<int>(state);
}

Status Running() {
    return Status(Code::kAborted, domain::reason::kReleaseRunning, "another release is under way");
}

/// Who drives the other release renews its turn, and whoever died does not: in both cases it is
/// worth trying again at the named time.
Status TurnTaken(std::optional<Instant> until) {
    const std::string since = until ? "has the turn until " + FormatUtc(*until)
                                    : std::string("had the turn a moment ago");
    return Status(Code::kAborted, domain::reason::kReleaseRunning,
                  "another release " + since + ", and longer while it goes on; try again then");
}

/// The lease on releasing, renewed in the background. An owner of its own for each turn, so that
/// two threads of one process keep each other out too.
class LeasedTurn final : public app::ReleaseTurn {
 public:
    LeasedTurn(mysql::Pool& pool, lease::Grant grant, const Clock& clock)
        : pool_(pool),
          clock_(clock),
          grant_(std::move(grant)),
          thread_([this](std::stop_token s) { Renew(s); }) {}
    ~LeasedTurn() override {
        thread_.request_stop();
        thread_.join();
        if (auto session = pool_.Acquire(kAcquireTimeout); session.ok()) {
            // If it cannot be given back it expires.
            (void)lease::Release(**session, grant_);
        }
    }

 private:
    // Losing it is no danger: the checkpoints keep two runs from releasing anybody twice.
    void Renew(const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        while (!wake.wait_for(lock, stop, kTurnRenewEvery, [&] { return stop.stop_requested(); })) {
            auto session = pool_.Acquire(kAcquireTimeout);
            if (session.ok()) (void)lease::Renew(**session, grant_, kTurnDuration, clock_);
        }
    }

    mysql::Pool& pool_;
    const Clock& clock_;
    lease::Grant grant_;
    std::jthread thread_;
};

app::ReleaseChunk ReadChunk(const mysql::Rows& row) {
    return {static_cast<int>(row.Int(0)),
            {domain::MerchantId(row.Int(1)), domain::MerchantId(row.Int(2))},
            ReadSeal(row, 3)};
}

std::vector<app::ReleaseChunk> ReadChunks(mysql::Rows& rows) {
    std::vector<app::ReleaseChunk> chunks;
    while (rows.Next()) chunks.push_back(ReadChunk(rows));
    return chunks;
}

class MysqlChunkTransaction final : public app::ChunkTransaction {
 public:
    MysqlChunkTransaction(mysql::Session& session, const app::ReleaseRound& round,
                          const app::ReleaseChunk& chunk, Instant at)
        : session_(session), round_(round), chunk_(chunk), at_(at) {}

    Result<std::vector<app::Hold>> Holds() override {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kLockHolds, round_.day,
                                                           chunk_.range.first, chunk_.range.last));
        std::vector<app::Hold> holds;
        while (rows.Next()) {
            holds.push_back({domain::MerchantId(rows.Int(0)), rows.Bool(1), rows.Bool(2)});
        }
        return holds;
    }

    Result<std::vector<domain::SlotTotal>> Totals() override {
        std::vector<domain::SlotTotal> totals;
        KESSAI_RETURN_IF_ERROR(session_.Scan(
            kTotalsOfRange,
            [&](std::span<const std::int64_t> cells) {
                for (std::size_t i = 0; i < cells.size(); i += 6) {
                    totals.push_back(SlotTotalOf(cells.subspan(i, 6)));
                }
            },
            round_.day, chunk_.range.first, chunk_.range.last));
        return totals;
    }

    Result<std::optional<std::vector<domain::SlotTotal>>> SealedTotals() override {
        KESSAI_ASSIGN_OR_RETURN(auto rows,
                                session_.Select(kSealedTotals, round_.day, chunk_.number));
        std::optional<std::vector<domain::SlotTotal>> totals;
        if (!rows.Next() || rows.IsNull(0)) return totals;
        totals = domain::UnpackTotals(rows.Bytes(0));
        if (!totals) totals.emplace();
        return totals;
    }

    Result<std::vector<domain::RunningBalance>> BalancesBefore() override {
        KESSAI_ASSIGN_OR_RETURN(before_, LoadBalances(session_, chunk_.range));
        return before_;
    }

    Result<std::vector<domain::CycleSums>> CycleOf(
        std::span<const domain::MerchantId> merchants) override {
        return LoadCycleSums(session_, domain::CycleStart(round_.day), merchants);
    }

    Status Store(const app::ChunkOutcome& outcome, const app::EventEncoder& events) override {
        KESSAI_RETURN_IF_ERROR(StoreLines(outcome.lines));
        KESSAI_RETURN_IF_ERROR(StoreBalances(outcome.balances));
        KESSAI_RETURN_IF_ERROR(StoreHolds(outcome.held));
        KESSAI_RETURN_IF_ERROR(FreeHolds(outcome.freed));
        KESSAI_RETURN_IF_ERROR(TellOfHolds(outcome, events));
        const domain::ReleaseSums& sums = outcome.sums;
        return internal::TakeStatus(session_.Execute(kSetChunkDone, sums.merchant_count, sums.gross,
                                                     sums.fee, sums.tax, sums.net, round_.day,
                                                     round_.round, chunk_.number));
    }

    /// Shards of the outbox that have something to publish after the commit.
    unsigned shards() const { return shards_; }

 private:
    Status TellOfHolds(const app::ChunkOutcome& outcome, const app::EventEncoder& events) {
        std::vector<domain::MerchantId> released;
        for (const app::FreedMerchant& freed : outcome.freed) released.push_back(freed.merchant);
        HoldTeller teller(session_, events, round_.day, at_);
        KESSAI_RETURN_IF_ERROR(teller.Tell(outcome.held, released, round_.round));
        shards_ = teller.shards();
        return OkStatus();
    }

    Status StoreHolds(std::span<const domain::HeldBack> merchants) {
        mysql::RowList rows;
        for (std::size_t i = 0; i < merchants.size(); ++i) {
            const domain::HeldBack& held = merchants[i];
            rows.Add(round_.day, held.merchant, static_cast<int>(held.reason),
                     /*open_at_close=*/false, held.totals.gross, held.totals.fee,
                     held.totals.item_count, held.recounted.gross, held.recounted.fee,
                     held.recounted.item_count, CutText(held.note, kNoteMax), at_);
            if (rows.size() < kRowsPerStatement && i + 1 < merchants.size()) continue;
            KESSAI_RETURN_IF_ERROR(session_.Execute(kPutHolds, rows));
            rows.Clear();
        }
        return OkStatus();
    }

    Status FreeHolds(std::span<const app::FreedMerchant> merchants) {
        for (const app::FreedMerchant& freed : merchants) {
            std::optional<mysql::Bytes> seal;
            if (freed.seal) seal = AsBytes(*freed.seal);
            KESSAI_RETURN_IF_ERROR(
                session_.Execute(kFreeHold, round_.round, seal, round_.day, freed.merchant));
        }
        return OkStatus();
    }

    Status StoreLines(std::span<const domain::ReleaseLine> lines) {
        mysql::BulkRows rows = session_.NewBulkRows();
        rows.SetCommon("business_date", round_.day);
        rows.SetCommon("round", round_.round);
        rows.SetCommon("currency", domain::kBookCurrency.code());
        return StoreAll(kReleases, rows, lines, [&](const domain::ReleaseLine& line) {
            rows.Add(line.merchant, static_cast<int>(line.tax_class), line.sums.gross,
                     line.sums.fee, line.tax, line.net, line.sums.item_count);
        });
    }

    // Nobody else changes these merchants' balances: this transaction holds the checkpoint of the
    // only round.
    Status StoreBalances(std::span<const domain::RunningBalance> changed) {
        if (round_.round > 0) return UpdateBalances(session_, changed);
        return InsertBalances(session_, round_.day, chunk_.range,
                              domain::WithChanges(before_, changed));
    }

    template <class Item, class Add>
    Status StoreAll(const mysql::BulkTarget& target, mysql::BulkRows& rows,
                    std::span<const Item> items, const Add& add) {
        for (std::size_t i = 0; i < items.size(); ++i) {
            add(items[i]);
            if (rows.size() < kRowsPerStatement && i + 1 < items.size()) continue;
            KESSAI_RETURN_IF_ERROR(session_.StoreBulk(target, rows));
            rows.Clear();
        }
        return OkStatus();
    }

    mysql::Session& session_;
    const app::ReleaseRound& round_;
    const app::ReleaseChunk& chunk_;
    const Instant at_;
    /// Of BalancesBefore.
    std::vector<domain::RunningBalance> before_;
    unsigned shards_ = 0;
};

Result<std::int64_t> CountHeld(mysql::Session& session, BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kCountHeld, day));
    return rows.Next() ? rows.Int(0) : 0;
}

}  // namespace

MysqlReleaseStore::MysqlReleaseStore(mysql::Pool& pool, InboxName inbox, const Clock& clock,
                                     std::function<void(unsigned)> on_events)
    : pool_(pool), inbox_(std::move(inbox)), clock_(clock), on_events_(std::move(on_events)) {}

Result<std::unique_ptr<app::ReleaseTurn>> MysqlReleaseStore::TakeTurn() {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto grant, lease::TryAcquire(*session, kTurnName, lease::NewOwner(),
                                                          kTurnDuration, clock_));
    if (!grant) {
        KESSAI_ASSIGN_OR_RETURN(const auto until, lease::HeldUntil(*session, kTurnName));
        return TurnTaken(until);
    }
    return std::unique_ptr<app::ReleaseTurn>(
        std::make_unique<LeasedTurn>(pool_, *std::move(grant), clock_));
}

Result<DayState> MysqlReleaseStore::StateOf(BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    return LoadDayState(*session, day);
}

Result<std::int64_t> MysqlReleaseStore::MerchantCount(BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kMerchantCount, day));
    return rows.Next() ? rows.Int(0) : 0;
}

Result<std::optional<app::ReleaseRound>> MysqlReleaseStore::UnderWay() {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kUnderWay, static_cast<int>(Gate::kDays)));
    if (!rows.Next()) return std::optional<app::ReleaseRound>();
    return std::optional<app::ReleaseRound>(
        app::ReleaseRound{rows.Date(0), static_cast<int>(rows.Int(1)), rows.Bool(2)});
}

Result<std::vector<app::ReleaseChunk>> MysqlReleaseStore::SealedChunks(BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kSealedChunks, day));
    return ReadChunks(rows);
}

Result<std::vector<app::ReleaseChunk>> MysqlReleaseStore::HeldChunks(BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kHeldChunks, day));
    return ReadChunks(rows);
}

Result<app::ReleaseRound> MysqlReleaseStore::Begin(BusinessDate day, bool deep,
                                                   std::span<const app::ReleaseChunk> chunks,
                                                   Instant at) {
    app::ReleaseRound round{day, 0, deep};
    mysql::RetryPolicy policy;
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
            const int gate = static_cast<int>(Gate::kDays);
            KESSAI_ASSIGN_OR_RETURN(auto running, session.Select(kLockGate, gate));
            if (!running.Next() || !running.IsNull(0)) return Running();
            KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kLockDay, day));
            if (!rows.Next() || rows.Int(0) == Number(DayState::kOpen)) {
                return Status(Code::kFailedPrecondition, domain::reason::kDayOpen,
                              day.ToString() + " is not closed");
            }
            round.round = static_cast<int>(rows.Int(1));
            KESSAI_RETURN_IF_ERROR(session.Execute(kSetReleasing, day, round.round, gate));
            // Rounds begin one after the other, whatever the replicas' clocks say: what a day's tax
            // grows from is what rounds before released.
            KESSAI_ASSIGN_OR_RETURN(auto latest, session.Select(kLatestRound));
            latest.Next();
            const Instant begun = std::max(at, latest.At(0) + std::chrono::microseconds(1));
            KESSAI_RETURN_IF_ERROR(session.Execute(kInsertRound, day, round.round, deep, begun));
            if (round.round > 0) {
                mysql::RowList rows_of_chunks;
                for (const app::ReleaseChunk& chunk : chunks) {
                    rows_of_chunks.Add(day, round.round, chunk.number);
                }
                return internal::TakeStatus(session.Execute(kInsertChunks, rows_of_chunks));
            }
            KESSAI_RETURN_IF_ERROR(session.Execute(kInsertAllChunks, day));
            return internal::TakeStatus(
                session.Execute(kSetDay, Number(DayState::kReleasing), 0, day));
        }));
    return round;
}

Result<std::vector<app::ReleaseChunk>> MysqlReleaseStore::PendingChunks(
    const app::ReleaseRound& round) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kPendingChunks, round.day, round.round));
    return ReadChunks(rows);
}

Status MysqlReleaseStore::InChunk(const app::ReleaseRound& round, const app::ReleaseChunk& chunk,
                                  const std::function<Status(app::ChunkTransaction&)>& work) {
    mysql::RetryPolicy policy;
    policy.acquire_timeout = kAcquireTimeout;
    policy.rerun_unknown = true;  // Found done, it is done.
    unsigned shards = 0;
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
            KESSAI_ASSIGN_OR_RETURN(
                auto rows, session.Select(kLockChunk, round.day, round.round, chunk.number));
            if (!rows.Next() || rows.Bool(0)) return OkStatus();
            MysqlChunkTransaction transaction(session, round, chunk, clock_.Now());
            KESSAI_RETURN_IF_ERROR(work(transaction));
            shards = transaction.shards();
            return OkStatus();
        }));
    if (shards != 0 && on_events_) on_events_(shards);
    return OkStatus();
}

Status MysqlReleaseStore::InspectChunk(BusinessDate day, const app::ReleaseChunk& chunk,
                                       const std::function<Status(app::ChunkTransaction&)>& work) {
    mysql::RetryPolicy policy;
    policy.acquire_timeout = kAcquireTimeout;
    return mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
        const app::ReleaseRound round{day, 0, false};
        MysqlChunkTransaction transaction(session, round, chunk, clock_.Now());
        return work(transaction);
    });
}

Status MysqlReleaseStore::Finish(const app::ReleaseRound& round, const app::EventEncoder& events,
                                 Instant at) {
    outbox::BatchWriter writer;
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;  // Found ended, it is done.
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
            writer.Clear();
            const int gate = static_cast<int>(Gate::kDays);
            KESSAI_ASSIGN_OR_RETURN(auto running, session.Select(kLockGate, gate));
            if (!running.Next() || running.IsNull(0) || running.Date(0) != round.day ||
                running.Int(1) != round.round) {
                return OkStatus();
            }
            KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kSumChunks, round.day, round.round));
            rows.Next();
            if (rows.Int(0) != 0) {
                return Status(Code::kInternal, "CHUNKS_PENDING", "the round has chunks left");
            }
            domain::ReleaseSums sums{rows.Int(1), 0,           rows.Int(2),
                                     rows.Int(3), rows.Int(4), rows.Int(5)};
            KESSAI_ASSIGN_OR_RETURN(sums.held_back_count, CountHeld(session, round.day));
            // Of a day whose mark is still to come, so that the mark keeps its word.
            const BusinessDate marked = running.IsNull(2) ? round.day : running.Date(2);
            const BusinessDate event_day = std::max(marked, round.day).Next();
            const bool is_told = round.round == 0 || sums.merchant_count > 0;
            const auto told = is_told ? std::optional(event_day) : std::nullopt;
            KESSAI_RETURN_IF_ERROR(session.Execute(
                kFinishRound, at, sums.merchant_count, sums.held_back_count, sums.gross, sums.fee,
                sums.tax, sums.net, told, round.day, round.round));
            KESSAI_RETURN_IF_ERROR(
                session.Execute(kSetDay, Number(DayState::kReleased), round.round + 1, round.day));
            KESSAI_RETURN_IF_ERROR(
                session.Execute(kSetReleasing, std::nullopt, std::nullopt, gate));
            if (round.round == 0) KESSAI_RETURN_IF_ERROR(TurnToBalancesOf(session, round.day));
            if (!is_told) return OkStatus();

            KESSAI_ASSIGN_OR_RETURN(
                const std::string envelope,
                events.DayReleased({round.day, round.round, sums, event_day, at}));
            KESSAI_RETURN_IF_ERROR(
                writer.Add({.object_id = round.day.ToNumber(), .envelope = envelope}));
            KESSAI_ASSIGN_OR_RETURN(const std::int64_t row_id, NextOutboxRow(session, Gate::kDays));
            return writer.Store(session, row_id, event_day);
        }));
    if (on_events_) on_events_(writer.shards());
    return OkStatus();
}

Result<domain::ReleaseSums> MysqlReleaseStore::Summary(BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kSumRounds, day));
    rows.Next();
    domain::ReleaseSums sums{rows.Int(0), 0, rows.Int(1), rows.Int(2), rows.Int(3), rows.Int(4)};
    KESSAI_ASSIGN_OR_RETURN(sums.held_back_count, CountHeld(*session, day));
    return sums;
}

Result<std::vector<app::BlockedEvent>> MysqlReleaseStore::Blocked(BusinessDate day, int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    return LoadBlocked(*session, inbox_, day, limit);
}

Result<std::optional<domain::MerchantId>> MysqlReleaseStore::MerchantOfPayment(
    domain::PaymentId payment) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    return LoadMerchantOfPayment(*session, payment);
}

Result<domain::PlanUpdates> MysqlReleaseStore::PlansAfter(std::int64_t revision) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    return LoadPlansAfter(*session, revision);
}

Status MysqlReleaseStore::ScanAmounts(BusinessDate day, int first_bucket, int last_bucket,
                                      const TakeAmounts& take) {
    KESSAI_ASSIGN_OR_RETURN(const auto session, pool_.ConnectScan());
    std::vector<domain::AccruedAmount> amounts;
    const auto take_cells = [&](std::span<const std::int64_t> cells) {
        amounts.clear();
        for (std::size_t i = 0; i < cells.size(); i += 4) {
            amounts.push_back({domain::MerchantId(cells[i]),
                               static_cast<domain::TaxClass>(cells[i + 1]), cells[i + 2],
                               cells[i + 3]});
        }
        take(amounts);
    };
    for (int bucket = first_bucket; bucket <= last_bucket; ++bucket) {
        KESSAI_RETURN_IF_ERROR(session->Scan(kScanAmounts, take_cells, day, bucket));
    }
    return OkStatus();
}

Status MysqlReleaseStore::ScanAccruals(BusinessDate day, int first_bucket, int last_bucket,
                                       const TakeAccrual& take) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(const auto details,
                            AccrualDetails::Load(*session, day, first_bucket, last_bucket));
    KESSAI_ASSIGN_OR_RETURN(auto rows,
                            session->SelectStreamed(kScanAccruals, day, first_bucket, last_bucket));
    while (rows.Next()) {
        domain::Accrual accrual = ReadAccrual(rows);
        details.AddTo(accrual);
        take(accrual);
    }
    return rows.status();
}

}  // namespace kessai::payout::storage
