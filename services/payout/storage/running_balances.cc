#include "storage/running_balances.h"

#include <algorithm>
#include <string>
#include <utility>

#include "domain/tax.h"
#include "kessai/mysql/query.h"
#include "storage/gate.h"
#include "storage/row_mapping.h"

namespace kessai::payout::storage {
namespace {

using domain::CycleSums;
using domain::MerchantId;
using domain::MerchantRange;
using domain::RunningBalance;

constexpr std::size_t kMerchantsPerStatement = 500;
constexpr BusinessDate kBeginningOfTime;
constexpr BusinessDate kEndOfTime(std::chrono::sys_days(std::chrono::year(9999) / 12 / 31));
constexpr std::size_t kBytesPerStatement = std::size_t{1} << 20;

constexpr mysql::Query kDays{"payout_gate.balances", R"sql(
    SELECT balances_date, IF(releasing_round = 0, releasing_date, NULL) FROM payout_gate
    WHERE id = ?)sql"};
constexpr mysql::Query kTurn{"payout_gate.turn_balances",
                             "UPDATE payout_gate SET balances_date = ? WHERE id = ?"};
constexpr mysql::Query kPieceOf{"running_balance.of_merchant", R"sql(
    SELECT merchant_first, merchant_last, balances FROM running_balance FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND merchant_first <= ? ORDER BY merchant_first DESC LIMIT 1)sql"};
constexpr mysql::Query kLockPieceOf{"running_balance.lock_of_merchant", R"sql(
    SELECT merchant_first, merchant_last, balances FROM running_balance FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND merchant_first <= ? ORDER BY merchant_first DESC LIMIT 1
    FOR UPDATE)sql"};
// Behind the piece in which the range begins.
constexpr mysql::Query kPiecesWithin{"running_balance.of_range", R"sql(
    SELECT merchant_first, merchant_last, balances FROM running_balance FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND merchant_first > ? AND merchant_first <= ?
    ORDER BY merchant_first)sql"};
constexpr mysql::Query kInsert{"running_balance.insert", R"sql(
    INSERT INTO running_balance (business_date, merchant_first, merchant_last, balances)
    VALUES {rows})sql"};
constexpr mysql::Query kUpdate{"running_balance.update", R"sql(
    UPDATE running_balance SET balances = ? WHERE business_date = ? AND merchant_first = ?)sql"};

#define KESSAI_CYCLE_SUMS_COLUMNS                           \
    "r.merchant_id, r.tax_class, DATE_ADD(r.business_date," \
    " INTERVAL 1 - DAYOFMONTH(r.business_date) DAY) AS cycle_start, SUM(r.fee), SUM(r.net)"
#define KESSAI_CYCLE_SUMS_ORDER                         \
    " GROUP BY r.merchant_id, r.tax_class, cycle_start" \
    " ORDER BY r.merchant_id, r.tax_class, cycle_start"
// Days are some hundreds a year, and each is a look-up by key. A list of merchants comes as a table
// of its own: as a condition it would have every row of the day read.
constexpr mysql::Query kSumsOfMerchant{"merchant_release.sum_merchant",
                                       "SELECT " KESSAI_CYCLE_SUMS_COLUMNS R"sql(
    FROM payout_day d STRAIGHT_JOIN merchant_release r FORCE INDEX (PRIMARY)
        ON r.business_date = d.business_date AND r.merchant_id = ?)sql" KESSAI_CYCLE_SUMS_ORDER};
constexpr mysql::Query kSumsOfMerchants{
    "merchant_release.sum_merchants",
    "WITH m (merchant_id) AS (VALUES {rows}) SELECT " KESSAI_CYCLE_SUMS_COLUMNS R"sql(
    FROM payout_day d STRAIGHT_JOIN m STRAIGHT_JOIN merchant_release r FORCE INDEX (PRIMARY)
        ON r.business_date = d.business_date AND r.merchant_id = m.merchant_id
    WHERE d.business_date BETWEEN ? AND ?)sql" KESSAI_CYCLE_SUMS_ORDER};
// Days are given one by one, so that each is a range of the key.
constexpr mysql::Query kReleasedDays{"payout_day.with_releases",
                                     "SELECT business_date FROM payout_day WHERE state > 2"};
constexpr mysql::Query kSumsOfRange{"merchant_release.sum_range",
                                    "SELECT " KESSAI_CYCLE_SUMS_COLUMNS R"sql(
    FROM merchant_release r FORCE INDEX (PRIMARY)
    WHERE r.business_date IN ({keys}) AND r.merchant_id BETWEEN ? AND ?)sql" KESSAI_CYCLE_SUMS_ORDER};

/// The days whose pieces there are.
struct KeptDays {
    /// With pieces of every merchant.
    std::optional<BusinessDate> in_force;
    /// With pieces of what is done.
    std::optional<BusinessDate> under_way;
};

struct Piece {
    MerchantRange range;
    std::vector<RunningBalance> balances;

    bool Covers(MerchantId merchant) const {
        return range.first <= merchant && merchant <= range.last;
    }
};

Status Broken(BusinessDate day, MerchantId merchant) {
    return Status(Code::kDataLoss, "BALANCES_BROKEN",
                  "the running balances of " + day.ToString() + " can't be read at merchant " +
                      merchant.ToString());
}

Result<KeptDays> LoadDays(mysql::Session& session) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kDays, static_cast<int>(Gate::kDays)));
    KeptDays days;
    if (!rows.Next()) return Status(Code::kInternal, "GATE_MISSING", "payout_gate lacks a row");
    if (!rows.IsNull(0)) days.in_force = rows.Date(0);
    if (!rows.IsNull(1)) days.under_way = rows.Date(1);
    return days;
}

Result<Piece> ReadPiece(BusinessDate day, const mysql::Rows& row) {
    Piece piece{{MerchantId(row.Int(0)), MerchantId(row.Int(1))}, {}};
    auto balances = domain::UnpackBalances(row.Bytes(2));
    if (!balances) return Broken(day, piece.range.first);
    piece.balances = *std::move(balances);
    return piece;
}

/// The piece that covers the merchant, if there is one.
Result<std::optional<Piece>> FindPiece(mysql::Session& session, const mysql::Query& query,
                                       BusinessDate day, MerchantId merchant) {
    std::optional<Piece> found;
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(query, day, merchant));
    if (!rows.Next() || MerchantId(rows.Int(1)) < merchant) return found;
    KESSAI_ASSIGN_OR_RETURN(found, ReadPiece(day, rows));
    return found;
}

std::vector<CycleSums> ReadCycleSums(mysql::Rows& rows) {
    std::vector<CycleSums> cycles;
    cycles.reserve(rows.size());
    while (rows.Next()) {
        cycles.push_back({MerchantId(rows.Int(0)), ReadTaxClass(rows, 1), rows.Date(2), rows.Int(3),
                          rows.Int(4)});
    }
    return cycles;
}

Result<std::vector<CycleSums>> SumsOfMerchants(mysql::Session& session,
                                               std::span<const MerchantId> merchants,
                                               BusinessDate first, BusinessDate last) {
    std::vector<CycleSums> sums;
    while (!merchants.empty()) {
        const std::size_t count = std::min(merchants.size(), kMerchantsPerStatement);
        mysql::RowList list;
        for (const MerchantId merchant : merchants.first(count)) list.Add(merchant);
        KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kSumsOfMerchants, list, first, last));
        const auto some = ReadCycleSums(rows);
        sums.insert(sums.end(), some.begin(), some.end());
        merchants = merchants.subspan(count);
    }
    return sums;
}

Result<std::vector<RunningBalance>> FromRows(mysql::Session& session, const MerchantRange& range) {
    KESSAI_ASSIGN_OR_RETURN(auto days, session.Select(kReleasedDays));
    mysql::KeyList keys;
    while (days.Next()) keys.Add(days.Date(0));
    if (keys.empty()) return std::vector<RunningBalance>();
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kSumsOfRange, keys, range.first, range.last));
    return domain::Fold(ReadCycleSums(rows));
}

void AppendOf(std::span<const RunningBalance> balances, const MerchantRange& range,
              std::vector<RunningBalance>& to) {
    const auto before = [](const RunningBalance& balance, MerchantId merchant) {
        return balance.merchant < merchant;
    };
    const auto behind = [](MerchantId merchant, const RunningBalance& balance) {
        return merchant < balance.merchant;
    };
    to.insert(to.end(), std::lower_bound(balances.begin(), balances.end(), range.first, before),
              std::upper_bound(balances.begin(), balances.end(), range.last, behind));
}

}  // namespace

Result<std::vector<RunningBalance>> LoadBalances(mysql::Session& session,
                                                 const MerchantRange& range) {
    KESSAI_ASSIGN_OR_RETURN(const KeptDays days, LoadDays(session));
    if (!days.in_force) return FromRows(session, range);
    const BusinessDate day = *days.in_force;
    KESSAI_ASSIGN_OR_RETURN(const auto first, FindPiece(session, kPieceOf, day, range.first));
    if (!first) return Broken(day, range.first);
    std::vector<RunningBalance> balances;
    AppendOf(first->balances, range, balances);
    MerchantId covered = first->range.last;
    KESSAI_ASSIGN_OR_RETURN(auto rows,
                            session.Select(kPiecesWithin, day, first->range.first, range.last));
    while (rows.Next()) {
        KESSAI_ASSIGN_OR_RETURN(const Piece piece, ReadPiece(day, rows));
        if (covered.value() + 1 != piece.range.first.value()) return Broken(day, covered);
        AppendOf(piece.balances, range, balances);
        covered = piece.range.last;
    }
    if (covered < range.last) return Broken(day, covered);
    return balances;
}

Result<std::vector<RunningBalance>> LoadNewestBalances(mysql::Session& session,
                                                       std::span<const MerchantId> merchants) {
    KESSAI_ASSIGN_OR_RETURN(const KeptDays days, LoadDays(session));
    std::vector<RunningBalance> balances;
    std::vector<MerchantId> kept_nowhere;
    std::optional<Piece> piece;
    for (const MerchantId merchant : merchants) {
        // A piece of the day in force may reach into what is done of the day under way.
        if (days.under_way || !piece || !piece->Covers(merchant)) {
            piece.reset();
            if (days.under_way) {
                KESSAI_ASSIGN_OR_RETURN(piece,
                                        FindPiece(session, kPieceOf, *days.under_way, merchant));
            }
            if (!piece && days.in_force) {
                KESSAI_ASSIGN_OR_RETURN(piece,
                                        FindPiece(session, kPieceOf, *days.in_force, merchant));
                if (!piece) return Broken(*days.in_force, merchant);
            }
        }
        if (piece) {
            AppendOf(piece->balances, {merchant, merchant}, balances);
        } else {
            kept_nowhere.push_back(merchant);
        }
    }
    if (kept_nowhere.empty()) return balances;
    KESSAI_ASSIGN_OR_RETURN(const auto sums,
                            SumsOfMerchants(session, kept_nowhere, kBeginningOfTime, kEndOfTime));
    KESSAI_ASSIGN_OR_RETURN(const auto others, domain::Fold(sums));
    return domain::WithChanges(balances, others);
}

Result<std::vector<CycleSums>> LoadCycleSums(mysql::Session& session, MerchantId merchant) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kSumsOfMerchant, merchant));
    return ReadCycleSums(rows);
}

Result<std::vector<CycleSums>> LoadCycleSums(mysql::Session& session, BusinessDate cycle_start,
                                             std::span<const MerchantId> merchants) {
    return SumsOfMerchants(session, merchants, cycle_start, domain::CycleEnd(cycle_start));
}

Status InsertBalances(mysql::Session& session, BusinessDate day, const MerchantRange& range,
                      std::span<const RunningBalance> balances) {
    mysql::RowList rows;
    for (const domain::BalancePiece& piece : domain::CutIntoPieces(range, balances)) {
        rows.Add(day, piece.range.first, piece.range.last, mysql::Bytes{piece.packed});
        if (rows.bytes() < kBytesPerStatement) continue;
        KESSAI_RETURN_IF_ERROR(session.Execute(kInsert, rows));
        rows.Clear();
    }
    return rows.empty() ? OkStatus() : internal::TakeStatus(session.Execute(kInsert, rows));
}

Status UpdateBalances(mysql::Session& session, std::span<const RunningBalance> changed) {
    KESSAI_ASSIGN_OR_RETURN(const KeptDays days, LoadDays(session));
    // Then all balances follow from the rows still.
    if (!days.in_force) return OkStatus();
    const BusinessDate day = *days.in_force;
    while (!changed.empty()) {
        const MerchantId merchant = changed.front().merchant;
        // Locked before it is read: another chunk's merchants may be in it.
        KESSAI_ASSIGN_OR_RETURN(const auto piece, FindPiece(session, kLockPieceOf, day, merchant));
        if (!piece) return Broken(day, merchant);
        std::size_t count = 0;
        while (count < changed.size() && piece->Covers(changed[count].merchant)) ++count;
        const std::string packed =
            domain::Pack(domain::WithChanges(piece->balances, changed.first(count)));
        KESSAI_RETURN_IF_ERROR(
            session.Execute(kUpdate, mysql::Bytes{packed}, day, piece->range.first));
        changed = changed.subspan(count);
    }
    return OkStatus();
}

Status TurnToBalancesOf(mysql::Session& session, BusinessDate day) {
    return internal::TakeStatus(session.Execute(kTurn, day, static_cast<int>(Gate::kDays)));
}

}  // namespace kessai::payout::storage
