#include "source/hold_tables.h"

#include "kessai/mysql/query.h"
#include "source/columns.h"

namespace kessai::audit {
namespace {

constexpr mysql::Query kSteps{"merchant_hold_step.page", R"sql(
    SELECT s.hold_number, s.version, s.business_date + 0, s.merchant_id, s.reason, s.total_gross,
           s.total_fee, s.total_count, s.recount_gross, s.recount_fee, s.recount_count, s.note,
           s.released_round, s.at_us, h.merchant_id IS NOT NULL, COALESCE(h.reason, 0),
           COALESCE(h.total_gross, 0), COALESCE(h.total_fee, 0), COALESCE(h.total_count, 0),
           COALESCE(h.recount_gross, 0), COALESCE(h.recount_fee, 0),
           COALESCE(h.recount_count, 0), h.released_round
    FROM merchant_hold_step s FORCE INDEX (merchant_hold_step_event)
    LEFT JOIN merchant_hold h
        ON h.business_date = s.business_date AND h.merchant_id = s.merchant_id
    WHERE s.hold_number > ? OR (s.hold_number = ? AND s.version > ?)
    ORDER BY s.hold_number, s.version LIMIT ?)sql"};

constexpr mysql::Query kNoted{"noted_hold.page", R"sql(
    SELECT object_id, version FROM noted_hold FORCE INDEX (PRIMARY)
    WHERE object_id > ? OR (object_id = ? AND version > ?)
    ORDER BY object_id, version LIMIT ?)sql"};
// Those of the kind are of no change, book or bucket.
constexpr mysql::Query kHeldDiscrepancies{"discrepancy.held_page", R"sql(
    SELECT business_date + 0, held_merchant, state, discrepancy_id
    FROM discrepancy FORCE INDEX (discrepancy_subject)
    WHERE kind = 12 AND payment_id = 0 AND version = 0 AND book = 0 AND bucket = 0
      AND (business_date > ? OR (business_date = ? AND held_merchant > ?))
    ORDER BY business_date, held_merchant LIMIT ?)sql"};
constexpr mysql::Query kAnyStep{"merchant_hold_step.any_of", R"sql(
    SELECT 1 FROM merchant_hold_step FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND merchant_id = ? LIMIT 1)sql"};

HoldSums ReadSums(const mysql::Rows& from, int first) {
    return {from.Int(first), from.Int(first + 1), from.Int(first + 2)};
}
std::optional<int> ReadRound(const mysql::Rows& from, int column) {
    if (from.IsNull(column)) return std::nullopt;
    return SmallInt(from, column);
}

}  // namespace

Result<mysql::Rows> HoldStepTable::Fetch(mysql::Session& session, const Row* after,
                                         int limit) const {
    const std::int64_t number = after == nullptr ? INT64_MIN : after->hold_number;
    return session.Select(kSteps, number, number, after == nullptr ? 0u : after->version, limit);
}

void HoldStepTable::Read(const mysql::Rows& from, Row& row) const {
    row.hold_number = from.Int(0);
    row.version = Uint32(from, 1);
    row.business_date = Day(from, 2);
    row.merchant_id = from.Int(3);
    row.reason = SmallInt(from, 4);
    row.totals = ReadSums(from, 5);
    row.recounted = ReadSums(from, 8);
    row.note = from.Text(11);
    row.released_round = ReadRound(from, 12);
    row.at_us = from.Int(13);
    row.hold_is_there = from.Bool(14);
    row.hold_reason = SmallInt(from, 15);
    row.hold_totals = ReadSums(from, 16);
    row.hold_recounted = ReadSums(from, 19);
    row.hold_released_round = ReadRound(from, 22);
}

Result<mysql::Rows> NotedHoldTable::Fetch(mysql::Session& session, const Row* after,
                                          int limit) const {
    const std::int64_t object = after == nullptr ? INT64_MIN : after->object_id;
    return session.Select(kNoted, object, object, after == nullptr ? 0u : after->version, limit);
}

void NotedHoldTable::Read(const mysql::Rows& from, Row& row) const {
    row.object_id = from.Int(0);
    row.version = Uint32(from, 1);
}

Result<mysql::Rows> HeldDiscrepancyTable::Fetch(mysql::Session& session, const Row* after,
                                                int limit) const {
    const DayNumber day = after == nullptr ? 0 : after->business_date;
    return session.Select(kHeldDiscrepancies, day, day,
                          after == nullptr ? INT64_MIN : after->merchant_id, limit);
}

void HeldDiscrepancyTable::Read(const mysql::Rows& from, Row& row) const {
    row.business_date = Day(from, 0);
    row.merchant_id = from.Int(1);
    row.state = SmallInt(from, 2);
    row.discrepancy_id = from.Int(3);
}

Result<bool> HasHoldStep(mysql::Session& payout, DayNumber day, std::int64_t merchant_id) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, payout.Select(kAnyStep, day, merchant_id));
    return rows.Next();
}

}  // namespace kessai::audit
