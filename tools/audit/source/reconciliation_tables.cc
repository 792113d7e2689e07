#include "source/reconciliation_tables.h"

#include "kessai/mysql/query.h"
#include "source/columns.h"

namespace kessai::audit {
namespace {

#define KESSAI_AUDIT_MATCH                                                                  \
    "SELECT payment_id, version, state, bucket, business_date + 0, currency, merchant_id, " \
    "gross, payment_event_id, payment_content, payout_event_id, payout_content "            \
    "FROM change_match FORCE INDEX (PRIMARY) "
constexpr mysql::Query kMatchesFirst{"change_match.first_page",
                                     KESSAI_AUDIT_MATCH "ORDER BY payment_id, version LIMIT ?"};
constexpr mysql::Query kMatchesNext{"change_match.next_page", KESSAI_AUDIT_MATCH R"sql(
    WHERE payment_id > ? OR (payment_id = ? AND version > ?)
    ORDER BY payment_id, version LIMIT ?)sql"};

#define KESSAI_AUDIT_MATCHED                                                    \
    "SELECT business_date + 0, merchant_id, currency, slot, gross, item_count " \
    "FROM matched_day_total FORCE INDEX (PRIMARY) "
#define KESSAI_AUDIT_MATCHED_ORDER " ORDER BY business_date, merchant_id, currency, slot LIMIT ?"
constexpr mysql::Query kMatchedFirst{"matched_day_total.first_page",
                                     KESSAI_AUDIT_MATCHED KESSAI_AUDIT_MATCHED_ORDER};
constexpr mysql::Query kMatchedNext{"matched_day_total.next_page", KESSAI_AUDIT_MATCHED R"sql(
    WHERE business_date > ? OR (business_date = ? AND merchant_id > ?)
       OR (business_date = ? AND merchant_id = ? AND currency > ?)
       OR (business_date = ? AND merchant_id = ? AND currency = ? AND slot > ?)
    )sql" KESSAI_AUDIT_MATCHED_ORDER};

// 1 open, 2 explained, 3 repairing (proto/kessai/reconciliation/v1, Discrepancy.State). Not kind
// 12, merchants held back: that payout holds somebody is no fault of the books, and why is checked
// by itself; nor 24: that a bank's result is late.
constexpr mysql::Query kOpenDiscrepancies{"discrepancy.unsettled", R"sql(
    SELECT discrepancy_id, business_date + 0, kind, payment_id, version, state
    FROM discrepancy FORCE INDEX (discrepancy_by_state) WHERE state IN (1, 2, 3) AND kind NOT IN (12, 24)
    ORDER BY state, discrepancy_id LIMIT ?)sql"};

}  // namespace

Result<mysql::Rows> MatchTable::Fetch(mysql::Session& session, const Row* after, int limit) const {
    if (after == nullptr) return session.Select(kMatchesFirst, limit);
    return session.Select(kMatchesNext, after->key.object, after->key.object, after->key.version,
                          limit);
}

void MatchTable::Read(const mysql::Rows& from, Row& row) const {
    row.key = {from.Int(0), Uint32(from, 1)};
    row.state = SmallInt(from, 2);
    row.bucket = SmallInt(from, 3);
    row.business_date = Day(from, 4);
    row.currency = CurrencyCode(from.Text(5));
    row.merchant_id = from.Int(6);
    row.gross = from.Int(7);
    row.payment_event_id = from.Int(8);
    row.payment_content = Hash16Of(from.Bytes(9));
    row.payout_event_id = from.Int(10);
    row.payout_content = Hash16Of(from.Bytes(11));
}

Result<mysql::Rows> MatchedTotalTable::Fetch(mysql::Session& session, const Row* after,
                                             int limit) const {
    if (after == nullptr) return session.Select(kMatchedFirst, limit);
    const DayNumber day = after->business_date;
    const std::int64_t merchant = after->merchant_id;
    const std::string currency = after->currency.ToString();
    return session.Select(kMatchedNext, day, day, merchant, day, merchant, currency, day, merchant,
                          currency, after->slot, limit);
}

void MatchedTotalTable::Read(const mysql::Rows& from, Row& row) const {
    row.business_date = Day(from, 0);
    row.merchant_id = from.Int(1);
    row.currency = CurrencyCode(from.Text(2));
    row.slot = SmallInt(from, 3);
    row.gross = from.Int(4);
    row.item_count = from.Int(5);
}

Result<std::vector<OpenDiscrepancyRow>> ReadOpenDiscrepancies(mysql::Session& session, int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kOpenDiscrepancies, limit));
    std::vector<OpenDiscrepancyRow> found;
    while (rows.Next()) {
        OpenDiscrepancyRow& row = found.emplace_back();
        row.discrepancy_id = rows.Int(0);
        row.business_date = Day(rows, 1);
        row.kind = SmallInt(rows, 2);
        row.payment_id = rows.Int(3);
        row.version = rows.Int(4);
        row.state = SmallInt(rows, 5);
    }
    return found;
}

}  // namespace kessai::audit
