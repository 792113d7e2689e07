#include "storage/mysql_repair_books.h"

#include <limits>
#include <map>
#include <utility>

#include "app/books.h"
#include "kessai/digest/store.h"
#include "storage/matched_totals.h"
#include "storage/row_mapping.h"

namespace kessai::reconciliation::storage {

namespace {

using domain::DiscrepancyId;
using domain::Repair;

constexpr mysql::Query kOf{"repair.of", "SELECT " KESSAI_REPAIR_COLUMNS R"sql(
    FROM repair FORCE INDEX (PRIMARY) WHERE discrepancy_id = ? ORDER BY number)sql"};

#define KESSAI_REPAIR_NEWEST_FIRST                                     \
    " AND (discrepancy_id < ? OR (discrepancy_id = ? AND number < ?))" \
    " ORDER BY discrepancy_id DESC, number DESC LIMIT ?"
constexpr mysql::Query kList{"repair.list", "SELECT " KESSAI_REPAIR_COLUMNS R"sql(
    FROM repair FORCE INDEX (PRIMARY)
    WHERE discrepancy_id <= ?)sql" KESSAI_REPAIR_NEWEST_FIRST};
constexpr mysql::Query kListOf{"repair.list_of", "SELECT " KESSAI_REPAIR_COLUMNS R"sql(
    FROM repair FORCE INDEX (PRIMARY)
    WHERE discrepancy_id = ?)sql" KESSAI_REPAIR_NEWEST_FIRST};
constexpr mysql::Query kListByState{"repair.list_by_state", "SELECT " KESSAI_REPAIR_COLUMNS R"sql(
    FROM repair FORCE INDEX (repair_by_state)
    WHERE state = ? AND discrepancy_id <= ?)sql" KESSAI_REPAIR_NEWEST_FIRST};
constexpr mysql::Query kListOfByState{"repair.list_of_by_state",
                                      "SELECT " KESSAI_REPAIR_COLUMNS R"sql(
    FROM repair FORCE INDEX (PRIMARY)
    WHERE discrepancy_id = ? AND state = ?)sql" KESSAI_REPAIR_NEWEST_FIRST};

// 3 pending, 4 to be verified (domain::RepairState): what the worker carries on.
constexpr mysql::Query kUnfinished{"repair.unfinished", "SELECT " KESSAI_REPAIR_COLUMNS R"sql(
    FROM repair FORCE INDEX (repair_by_state)
    WHERE state IN (3, 4) AND (discrepancy_id > ? OR (discrepancy_id = ? AND number > ?))
    ORDER BY discrepancy_id, number
    LIMIT ?)sql"};
constexpr mysql::Query kCountOpen{"repair.count_open", R"sql(
    SELECT kind, COUNT(*) FROM repair FORCE INDEX (repair_by_state)
    WHERE state IN (1, 3, 4) GROUP BY kind)sql"};
// Open ones are few: the index is by state.
constexpr mysql::Query kOpenOf{"discrepancy.open_of", R"sql(
    SELECT discrepancy_id, step_count
    FROM discrepancy FORCE INDEX (discrepancy_by_state)
    WHERE state = 1 AND discrepancy_id > ? AND kind = ? AND open_repair = 0
    ORDER BY discrepancy_id
    LIMIT ?)sql"};
constexpr mysql::Query kFindTotalRepair{"matched_total_repair.find", R"sql(
    SELECT tax_class FROM matched_total_repair WHERE repair_key = ? LIMIT 1)sql"};
constexpr mysql::Query kInsertTotalRepair{"matched_total_repair.insert", R"sql(
    INSERT INTO matched_total_repair (repair_key, tax_class, business_date, merchant_id, currency,
                                      gross_before, fee_before, count_before, gross_after,
                                      fee_after, count_after, repaired_at_us)
    VALUES {rows})sql"};
/// Where corrections of totals stand, a slot a tax class, behind those of the writers of matches
/// (mysql_match_books.cc): who corrects has the day locked.
constexpr int kCorrectionSlots = 10 * 256;
constexpr mysql::Query kMatchesOfBucket{"change_match.of_bucket", R"sql(
    SELECT )sql" KESSAI_MATCH_COLUMNS R"sql(
    FROM change_match FORCE INDEX (change_match_by_day)
    WHERE business_date = ? AND bucket = ?)sql"};

constexpr mysql::Query kBeginDay{"automatic_repair_day.begin", R"sql(
    INSERT INTO automatic_repair_day (day, ordered) VALUES (?, 0)
    ON DUPLICATE KEY UPDATE day = VALUES(day))sql"};
constexpr mysql::Query kTakeOne{"automatic_repair_day.take", R"sql(
    UPDATE automatic_repair_day SET ordered = ordered + 1 WHERE day = ? AND ordered < ?)sql"};

// What somebody put into totals may be any number.
std::int64_t Minus(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

Repair ReadRepair(const mysql::Rows& row) {
    return {.discrepancy = DiscrepancyId(row.Int(0)),
            .number = static_cast<std::uint32_t>(row.Uint(1)),
            .kind = static_cast<domain::RepairKind>(row.Int(2)),
            .state = static_cast<domain::RepairState>(row.Int(3)),
            .requested_by = row.Text(4),
            .decided_by = row.Text(5),
            .reason = row.Text(6),
            .outcome = row.Text(7),
            .leg = {domain::MerchantId(row.Int(8)), row.Int(9)},
            .other_leg = {domain::MerchantId(row.Int(10)), row.Int(11)},
            .requested_at = row.At(12),
            .decided_at = row.At(13),
            .carried_out_at = row.At(14),
            .ended_at = row.At(15)};
}

Result<std::vector<Repair>> ReadAll(Result<mysql::Rows> rows) {
    KESSAI_RETURN_IF_ERROR(rows.status());
    std::vector<Repair> repairs;
    while (rows->Next()) repairs.push_back(ReadRepair(*rows));
    return repairs;
}

}  // namespace

void AddRepair(const Repair& repair, mysql::RowList& rows) {
    rows.Add(repair.discrepancy, repair.number, static_cast<int>(repair.kind),
             static_cast<int>(repair.state), repair.requested_by, repair.decided_by, repair.reason,
             repair.outcome, repair.leg.merchant, repair.leg.amount, repair.other_leg.merchant,
             repair.other_leg.amount, repair.requested_at, repair.decided_at, repair.carried_out_at,
             repair.ended_at);
}

Result<std::vector<Repair>> MysqlRepairBooks::Of(DiscrepancyId id) {
    return ReadAll(session_.Select(kOf, id));
}

Result<std::vector<Repair>> MysqlRepairBooks::ListRepairs(const app::RepairFilter& filter) {
    const bool from_newest = filter.before.discrepancy.is_none();
    const std::int64_t before =
        from_newest ? std::numeric_limits<std::int64_t>::max() : filter.before.discrepancy.value();
    const std::uint32_t number =
        from_newest ? std::numeric_limits<std::uint32_t>::max() : filter.before.number;
    if (!filter.discrepancy.is_none() && filter.state) {
        return ReadAll(session_.Select(kListOfByState, filter.discrepancy,
                                       static_cast<int>(*filter.state), before, before, number,
                                       filter.limit));
    }
    if (!filter.discrepancy.is_none()) {
        return ReadAll(
            session_.Select(kListOf, filter.discrepancy, before, before, number, filter.limit));
    }
    if (filter.state) {
        return ReadAll(session_.Select(kListByState, static_cast<int>(*filter.state), before,
                                       before, before, number, filter.limit));
    }
    return ReadAll(session_.Select(kList, before, before, before, number, filter.limit));
}

Result<std::vector<Repair>> MysqlRepairBooks::Unfinished(app::RepairName after, int limit) {
    return ReadAll(
        session_.Select(kUnfinished, after.discrepancy, after.discrepancy, after.number, limit));
}

Result<std::vector<app::OpenRepairs>> MysqlRepairBooks::CountOpen() {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kCountOpen));
    std::vector<app::OpenRepairs> counts;
    while (rows.Next()) {
        counts.push_back({static_cast<domain::RepairKind>(rows.Int(0)), rows.Int(1)});
    }
    return counts;
}

Result<std::vector<app::OpenDiscrepancy>> MysqlRepairBooks::OpenOf(domain::DiscrepancyKind kind,
                                                                   DiscrepancyId after, int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto rows,
                            session_.Select(kOpenOf, after, static_cast<int>(kind), limit));
    std::vector<app::OpenDiscrepancy> found;
    while (rows.Next()) {
        found.push_back({DiscrepancyId(rows.Int(0)), static_cast<std::uint32_t>(rows.Uint(1))});
    }
    return found;
}

Result<bool> MysqlRepairBooks::WereTotalsCorrected(std::string_view key) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kFindTotalRepair, key));
    return rows.Next();
}

Status MysqlRepairBooks::CorrectMatchedTotals(const app::MatchedTotals& kept,
                                              const app::MatchedTotals& of_rows,
                                              std::string_view key) {
    KESSAI_ASSIGN_OR_RETURN(const bool done, WereTotalsCorrected(key));
    if (done) return OkStatus();
    std::map<domain::TaxClass, std::pair<domain::LineSums, domain::LineSums>> lines;
    for (const auto& [tax_class, sums] : kept.sums) lines[tax_class].first = sums;
    for (const auto& [tax_class, sums] : of_rows.sums) lines[tax_class].second = sums;
    const std::string_view currency = kept.currency.code();
    mysql::RowList changes;
    mysql::RowList repairs;
    for (const auto& [tax_class, line] : lines) {
        const auto& [before, after] = line;
        if (before == after) continue;
        const int number = static_cast<int>(tax_class);
        changes.Add(kept.business_date, kept.merchant, currency, kCorrectionSlots + number, number,
                    Minus(after.gross, before.gross), Minus(after.fee, before.fee),
                    Minus(after.item_count, before.item_count));
        repairs.Add(key, number, kept.business_date, kept.merchant, currency, before.gross,
                    before.fee, before.item_count, after.gross, after.fee, after.item_count,
                    clock_.Now());
    }
    if (changes.empty()) return OkStatus();
    KESSAI_RETURN_IF_ERROR(session_.Execute(kInsertTotalRepair, repairs).status());
    return session_.Execute(kAddMatchedTotals, changes).status();
}

Result<digest::RecomputedBucket> MysqlRepairBooks::RecomputeMatched(
    BusinessDate business_date, int bucket, std::string_view key, const digest::RowHasher& hasher) {
    return digest::RecomputeBucket(
        session_, business_date, bucket, key, clock_.Now(), [&]() -> Result<digest::BucketDigest> {
            KESSAI_ASSIGN_OR_RETURN(auto rows,
                                    session_.Select(kMatchesOfBucket, business_date, bucket));
            app::MatchedSums sums(hasher);
            while (rows.Next()) {
                const domain::Match match = ReadMatch(rows);
                if (match.state == domain::MatchState::kMatched) sums.Add(match);
            }
            return sums.digest().Day(business_date)[static_cast<std::size_t>(bucket)];
        });
}

Result<bool> MysqlRepairBooks::TakeAutomatic(BusinessDate today, int max) {
    KESSAI_RETURN_IF_ERROR(session_.Execute(kBeginDay, today).status());
    KESSAI_ASSIGN_OR_RETURN(const std::uint64_t taken, session_.Execute(kTakeOne, today, max));
    return taken == 1;
}

}  // namespace kessai::reconciliation::storage
