#include "storage/mysql_payout_reader.h"

#include <limits>
#include <map>
#include <utility>

#include "domain/reason.h"
#include "kessai/digest/store.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"
#include "storage/accrual_details.h"
#include "storage/mysql_day_store.h"
#include "storage/plan_rows.h"
#include "storage/row_mapping.h"
#include "storage/running_balances.h"

namespace kessai::payout::storage {
namespace {

using domain::DayState;
using domain::MerchantId;
using domain::TaxClass;

constexpr Duration kAcquireTimeout = std::chrono::seconds(1);

constexpr mysql::Query kFindAccrual{"accrual.find", "SELECT " KESSAI_ACCRUAL_COLUMNS R"sql(
    FROM accrual FORCE INDEX (accrual_effect) WHERE payment_id = ? AND version = ?)sql"};
// Days are some hundreds a year, and each is a look-up by key in the larger tables.
constexpr mysql::Query kUnreleased{"merchant_day_total.unreleased", R"sql(
    SELECT d.business_date, t.tax_class, SUM(t.gross), SUM(t.fee)
    FROM payout_day d
    JOIN merchant_day_total t ON t.business_date = d.business_date AND t.merchant_id = ?
    LEFT JOIN merchant_release r ON r.business_date = d.business_date AND r.merchant_id = ?
        AND r.tax_class = t.tax_class
    WHERE r.merchant_id IS NULL
    GROUP BY d.business_date, t.tax_class
    ORDER BY d.business_date, t.tax_class)sql"};
constexpr mysql::Query kMoved{"merchant_account.moved", R"sql(
    SELECT moved_available, in_transit FROM merchant_account WHERE merchant_id = ?)sql"};
constexpr mysql::Query kTotalsOfMerchant{"merchant_day_total.of_merchant", R"sql(
    SELECT tax_class, SUM(gross), SUM(fee), SUM(item_count) FROM merchant_day_total
    WHERE business_date = ? AND merchant_id = ? GROUP BY tax_class ORDER BY tax_class)sql"};
constexpr mysql::Query kReleasesOfMerchant{"merchant_release.of_merchant", R"sql(
    SELECT tax_class, gross, fee, tax, net, item_count FROM merchant_release
    WHERE business_date = ? AND merchant_id = ?)sql"};
constexpr mysql::Query kHoldOfMerchant{"merchant_hold.of_merchant", R"sql(
    SELECT reason FROM merchant_hold
    WHERE business_date = ? AND merchant_id = ? AND released_round IS NULL)sql"};
// Behind all that there are.
constexpr std::int64_t kNoRevision = std::numeric_limits<std::int64_t>::max();
// With the revision that is the last of a full page in one of the lists, the page ends in all of
// them.
#define KESSAI_PAGE_END(table)              \
    "COALESCE((SELECT revision FROM " table \
    " WHERE merchant_id = ? AND revision > ? ORDER BY revision LIMIT 1 OFFSET ?), "
constexpr mysql::Query kPlanPageEnd{
    "fee_plan.page_end", "SELECT LEAST(" KESSAI_PAGE_END("fee_plan") "?), " KESSAI_PAGE_END(
                             "plan_assignment") "?), " KESSAI_PAGE_END("merchant_volume") "?))"};
constexpr mysql::Query kListPlans{"fee_plan.list", "SELECT " KESSAI_PLAN_COLUMNS
                                                   R"sql(, put_at_us, put_by
    FROM fee_plan WHERE merchant_id = ? AND revision > ? AND revision <= ?
    ORDER BY revision)sql"};
constexpr mysql::Query kListAssignments{"plan_assignment.list",
                                        "SELECT " KESSAI_ASSIGNMENT_COLUMNS R"sql(,
    put_at_us, put_by FROM plan_assignment
    WHERE merchant_id = ? AND revision > ? AND revision <= ? ORDER BY revision)sql"};
constexpr mysql::Query kListVolumes{"merchant_volume.list", "SELECT " KESSAI_VOLUME_COLUMNS R"sql(
    FROM merchant_volume WHERE merchant_id = ? AND revision > ? AND revision <= ?
    ORDER BY revision, month_start)sql"};
constexpr mysql::Query kFindDay{"payout_day.find", R"sql(
    SELECT d.state, d.seal,
           (SELECT COUNT(*) FROM merchant_hold h WHERE h.business_date = d.business_date
                AND h.released_round IS NULL AND h.merchant_id <> 0)
    FROM payout_day d WHERE d.business_date = ?)sql"};
constexpr mysql::Query kLastRound{"release_round.last", R"sql(
    SELECT round, deep, started_at_us, finished_at_us,
           CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)
    FROM release_round WHERE business_date = ? ORDER BY round DESC LIMIT 1)sql"};
constexpr mysql::Query kChunksOfRound{"release_chunk.of_round", R"sql(
    SELECT r.chunk, c.merchant_count, r.done, r.merchant_count, r.gross, r.net
    FROM release_chunk r JOIN day_chunk c
        ON c.business_date = r.business_date AND c.chunk = r.chunk
    WHERE r.business_date = ? AND r.round = ? ORDER BY r.chunk)sql"};
constexpr mysql::Query kListHeld{"merchant_hold.list", R"sql(
    SELECT merchant_id, reason, total_gross, total_fee, total_count, recount_gross, recount_fee,
           recount_count, note
    FROM merchant_hold WHERE business_date = ? AND released_round IS NULL
    ORDER BY merchant_id)sql"};
constexpr mysql::Query kDigestRows{"accrual.digest_rows", R"sql(
    SELECT payment_id, version, merchant_id, gross, bucket FROM accrual FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND bucket >= ? AND bucket < ?)sql"};
constexpr std::size_t kRowCells = 5;
constexpr std::size_t kFeeRowCells = 6;
constexpr mysql::Query kBucketRows{"accrual.bucket_rows", R"sql(
    SELECT payment_id, version, merchant_id, gross, fee, tax_class FROM accrual FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND bucket = ? ORDER BY payment_id, version)sql"};

Status MerchantUnknown(MerchantId merchant) {
    return Status(Code::kNotFound, domain::reason::kMerchantUnknown,
                  "nothing was accrued for merchant " + merchant.ToString());
}

Status CheckClosed(mysql::Session& session, BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(const DayState state, LoadDayState(session, day));
    if (state != DayState::kOpen) return OkStatus();
    return Status(Code::kFailedPrecondition, domain::reason::kDayOpen,
                  day.ToString() + " is not closed");
}

domain::HoldReason ReadReason(const mysql::Rows& row, int column) {
    return static_cast<domain::HoldReason>(row.Int(column));
}

app::Put ReadPut(const mysql::Rows& row, int column) {
    return {row.At(column), row.Text(column + 1)};
}

/// Gives `take` the rows of a scan of kDigestRows, each with the bucket that it stands in.
template <class Take>
auto TakeDayRows(Take take) {
    return [take = std::move(take)](std::span<const std::int64_t> cells) {
        for (std::size_t at = 0; at < cells.size(); at += kRowCells) {
            take(app::DayRow{{domain::PaymentId(cells[at]),
                              static_cast<std::uint32_t>(cells[at + 1])},
                             MerchantId(cells[at + 2]),
                             cells[at + 3]},
                 static_cast<int>(cells[at + 4]));
        }
    };
}

/// Gives `take` the rows of a scan of kBucketRows, with their fees.
template <class Take>
auto TakeFeeRows(Take take) {
    return [take = std::move(take)](std::span<const std::int64_t> cells) {
        for (std::size_t at = 0; at < cells.size(); at += kFeeRowCells) {
            take(app::DayRow{
                {domain::PaymentId(cells[at]), static_cast<std::uint32_t>(cells[at + 1])},
                MerchantId(cells[at + 2]),
                cells[at + 3],
                cells[at + 4],
                static_cast<domain::TaxClass>(cells[at + 5])});
        }
    };
}

/// Runs `read` in one transaction, so that what it reads fits each other as far as READ COMMITTED
/// lets it, and nothing else runs on the session.
template <class T>
Result<T> Read(mysql::Pool& pool, const std::function<Result<T>(mysql::Session&)>& read) {
    std::optional<T> found;
    mysql::RetryPolicy policy;
    policy.attempts_max = 3;
    policy.acquire_timeout = kAcquireTimeout;
    KESSAI_RETURN_IF_ERROR(mysql::InTransaction(pool, policy, [&](mysql::Session& session) {
        Result<T> result = read(session);
        if (!result.ok()) return std::move(result).status();
        found = std::move(result).value();
        return OkStatus();
    }));
    return *std::move(found);
}

}  // namespace

Result<app::RecordedAccrual> MysqlPayoutReader::FindAccrual(domain::EffectKey key) {
    return Read<app::RecordedAccrual>(
        pool_, [&](mysql::Session& session) -> Result<app::RecordedAccrual> {
            KESSAI_ASSIGN_OR_RETURN(auto rows,
                                    session.Select(kFindAccrual, key.payment, key.version));
            if (!rows.Next()) {
                return Status(Code::kNotFound, domain::reason::kAccrualUnknown,
                              "no accrual of payment " + key.payment.ToString() + " version " +
                                  std::to_string(key.version));
            }
            app::RecordedAccrual found{ReadAccrual(rows), ReadRecordedAt(rows)};
            KESSAI_ASSIGN_OR_RETURN(
                const auto details,
                AccrualDetails::LoadOne(session, found.accrual.business_date, key));
            details.AddTo(found.accrual);
            return found;
        });
}

Result<app::MerchantBalance> MysqlPayoutReader::FindBalance(MerchantId merchant) {
    return Read<app::MerchantBalance>(
        pool_, [&](mysql::Session& session) -> Result<app::MerchantBalance> {
            app::MerchantBalance balance{domain::kBookCurrency, 0, 0, 0};
            bool known = false;
            // Before the releases: what was taken of one is never seen without it.
            KESSAI_ASSIGN_OR_RETURN(auto moved, session.Select(kMoved, merchant));
            if (moved.Next()) {
                known = true;
                balance.available = moved.Int(0);
                balance.in_transit = moved.Int(1);
            }
            std::map<std::pair<BusinessDate, TaxClass>, std::int64_t> fees;
            KESSAI_ASSIGN_OR_RETURN(const auto cycles, LoadCycleSums(session, merchant));
            for (const domain::CycleSums& cycle : cycles) {
                known = true;
                fees[{cycle.cycle_start, cycle.tax_class}] = cycle.fee;
                KESSAI_ASSIGN_OR_RETURN(balance.available,
                                        CheckedAdd(balance.available, cycle.net));
            }
            KESSAI_ASSIGN_OR_RETURN(auto days, session.Select(kUnreleased, merchant, merchant));
            while (days.Next()) {
                known = true;
                const TaxClass tax_class = ReadTaxClass(days, 1);
                std::int64_t& before = fees[{domain::CycleStart(days.Date(0)), tax_class}];
                KESSAI_ASSIGN_OR_RETURN(
                    const domain::ReleaseLine line,
                    domain::MakeReleaseLine({merchant, tax_class, {days.Int(2), days.Int(3), 0}},
                                            before, taxes_));
                before += days.Int(3);
                KESSAI_ASSIGN_OR_RETURN(balance.pending, CheckedAdd(balance.pending, line.net));
            }
            if (!known) return MerchantUnknown(merchant);
            return balance;
        });
}

Result<app::MerchantDay> MysqlPayoutReader::FindMerchantDay(MerchantId merchant, BusinessDate day) {
    return Read<app::MerchantDay>(pool_, [&](mysql::Session& session) -> Result<app::MerchantDay> {
        app::MerchantDay found{domain::kBookCurrency, {}, 0, 0, false, std::nullopt};
        KESSAI_ASSIGN_OR_RETURN(auto releases, session.Select(kReleasesOfMerchant, day, merchant));
        while (releases.Next()) {
            found.released = true;
            found.sums =
                found.sums + domain::Sums{releases.Int(1), releases.Int(2), releases.Int(5)};
            found.tax += releases.Int(3);
            found.net += releases.Int(4);
        }
        if (found.released) return found;

        std::map<TaxClass, std::int64_t> fees;
        KESSAI_ASSIGN_OR_RETURN(const auto cycle, LoadCycleSums(session, domain::CycleStart(day),
                                                                std::span(&merchant, 1)));
        for (const domain::CycleSums& sums : cycle) fees[sums.tax_class] = sums.fee;
        KESSAI_ASSIGN_OR_RETURN(auto totals, session.Select(kTotalsOfMerchant, day, merchant));
        bool known = false;
        while (totals.Next()) {
            known = true;
            const domain::MerchantSums part{
                merchant, ReadTaxClass(totals, 0), {totals.Int(1), totals.Int(2), totals.Int(3)}};
            KESSAI_ASSIGN_OR_RETURN(const domain::ReleaseLine line,
                                    domain::MakeReleaseLine(part, fees[part.tax_class], taxes_));
            found.sums = found.sums + part.sums;
            found.tax += line.tax;
            found.net += line.net;
        }
        KESSAI_ASSIGN_OR_RETURN(auto hold, session.Select(kHoldOfMerchant, day, merchant));
        if (hold.Next()) found.held_back = ReadReason(hold, 0);
        if (!known && !found.held_back) return MerchantUnknown(merchant);
        return found;
    });
}

Result<app::MerchantPlans> MysqlPayoutReader::ListPlans(MerchantId merchant, std::int64_t after,
                                                        int limit) {
    return Read<app::MerchantPlans>(
        pool_, [&](mysql::Session& session) -> Result<app::MerchantPlans> {
            app::MerchantPlans found;
            const int offset = limit - 1;
            KESSAI_ASSIGN_OR_RETURN(
                auto end,
                session.Select(kPlanPageEnd, merchant, after, offset, kNoRevision, merchant, after,
                               offset, kNoRevision, merchant, after, offset, kNoRevision));
            const std::int64_t last = end.Next() ? end.Int(0) : kNoRevision;
            if (last != kNoRevision) found.last = last;
            std::vector<app::Put> puts;
            KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kListPlans, merchant, after, last));
            KESSAI_ASSIGN_OR_RETURN(auto plans,
                                    ReadPlans(session, rows, [&](const mysql::Rows& row) {
                                        puts.push_back(ReadPut(row, kPlanColumns));
                                    }));
            for (std::size_t i = 0; i < plans.size(); ++i) {
                found.plans.emplace_back(std::move(plans[i]), std::move(puts[i]));
            }
            KESSAI_ASSIGN_OR_RETURN(auto assignments,
                                    session.Select(kListAssignments, merchant, after, last));
            while (assignments.Next()) {
                found.assignments.emplace_back(ReadAssignment(assignments),
                                               ReadPut(assignments, kAssignmentColumns));
            }
            KESSAI_ASSIGN_OR_RETURN(auto volumes,
                                    session.Select(kListVolumes, merchant, after, last));
            while (volumes.Next()) found.volumes.push_back(ReadVolume(volumes));
            return found;
        });
}

Result<app::DayView> MysqlPayoutReader::FindDay(BusinessDate day) {
    return Read<app::DayView>(pool_, [&](mysql::Session& session) -> Result<app::DayView> {
        app::DayView view;
        KESSAI_ASSIGN_OR_RETURN(view.state, LoadDayState(session, day));
        KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kFindDay, day));
        if (!rows.Next()) return view;
        view.state = static_cast<DayState>(rows.Int(0));
        if (!rows.IsNull(1)) view.seal = ReadSeal(rows, 1);
        view.held_back_count = rows.Int(2);
        return view;
    });
}

Result<app::ReleaseProgress> MysqlPayoutReader::FindProgress(BusinessDate day) {
    return Read<app::ReleaseProgress>(
        pool_, [&](mysql::Session& session) -> Result<app::ReleaseProgress> {
            app::ReleaseProgress progress;
            KESSAI_ASSIGN_OR_RETURN(progress.state, LoadDayState(session, day));
            KESSAI_ASSIGN_OR_RETURN(auto round, session.Select(kLastRound, day));
            if (!round.Next()) return progress;
            progress.round = static_cast<int>(round.Int(0));
            progress.deep = round.Bool(1);
            progress.started_at = round.At(2);
            if (!round.IsNull(3)) progress.finished_at = round.At(3);
            progress.read_at = round.At(4);
            KESSAI_ASSIGN_OR_RETURN(auto chunks,
                                    session.Select(kChunksOfRound, day, progress.round));
            while (chunks.Next()) {
                progress.chunks.push_back({.number = static_cast<int>(chunks.Int(0)),
                                           .merchant_count = chunks.Int(1),
                                           .done = chunks.Bool(2),
                                           .released_count = chunks.Int(3),
                                           .gross = chunks.Int(4),
                                           .net = chunks.Int(5)});
            }
            return progress;
        });
}

Result<std::vector<domain::HeldBack>> MysqlPayoutReader::ListHeldBack(BusinessDate day) {
    return Read<std::vector<domain::HeldBack>>(
        pool_, [&](mysql::Session& session) -> Result<std::vector<domain::HeldBack>> {
            KESSAI_RETURN_IF_ERROR(LoadDayState(session, day));
            KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kListHeld, day));
            std::vector<domain::HeldBack> held;
            held.reserve(rows.size());
            while (rows.Next()) {
                held.push_back({MerchantId(rows.Int(0)),
                                ReadReason(rows, 1),
                                {rows.Int(2), rows.Int(3), rows.Int(4)},
                                {rows.Int(5), rows.Int(6), rows.Int(7)},
                                rows.Text(8)});
            }
            return held;
        });
}

Result<digest::DayDigest> MysqlPayoutReader::Digests(BusinessDate day, bool deep,
                                                     digest::BucketRange range) {
    KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
    KESSAI_RETURN_IF_ERROR(CheckClosed(*session, day));
    if (!deep) {
        KESSAI_ASSIGN_OR_RETURN(digest::DayDigest kept, digest::LoadDay(*session, day));
        return digest::OnlyOf(range, std::move(kept));
    }
    digest::Accumulator sums(hasher_);
    const auto add = [&](const app::DayRow& row, int bucket) {
        sums.Add({row.key.payment.value(), row.key.version, day, row.merchant.value(), row.gross},
                 bucket);
    };
    KESSAI_RETURN_IF_ERROR(
        session->Scan(kDigestRows, TakeDayRows(add), day, range.first, range.end()));
    return sums.Day(day);
}

Status MysqlPayoutReader::StreamRows(BusinessDate day, int bucket,
                                     const std::function<bool(const app::DayRow&)>& take) {
    // Buffered, so that a slow reader holds no session: a bucket is a thousandth of a day.
    std::vector<app::DayRow> found;
    {
        KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
        KESSAI_RETURN_IF_ERROR(CheckClosed(*session, day));
        KESSAI_RETURN_IF_ERROR(session->Scan(
            kBucketRows, TakeFeeRows([&](const app::DayRow& row) { found.push_back(row); }), day,
            bucket));
    }
    for (const app::DayRow& row : found) {
        if (!take(row)) break;
    }
    return OkStatus();
}

}  // namespace kessai::payout::storage
