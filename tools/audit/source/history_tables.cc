#include "source/history_tables.h"

#include <cstdint>

#include "kessai/mysql/query.h"
#include "source/columns.h"

namespace kessai::audit {
namespace {

constexpr mysql::Query kSteps{"discrepancy_step.page", R"sql(
    SELECT discrepancy_id, number, state, actor, note, at_us, event_id, merchant_id, currency,
           payment_gross, payout_gross, owner, repair_number, repair_hash, evidence_hash, chain_hash
    FROM discrepancy_step FORCE INDEX (PRIMARY)
    WHERE discrepancy_id > ? OR (discrepancy_id = ? AND number > ?)
    ORDER BY discrepancy_id, number LIMIT ?)sql"};
constexpr mysql::Query kDiscrepancies{"discrepancy.page", R"sql(
    SELECT discrepancy_id, business_date + 0, kind, payment_id, version, book, bucket,
           held_merchant, found_at_us, merchant_id, currency, payment_gross, payout_gross, evidence,
           state, step_count, last_event_id, owner, open_repair,
           corrected_by
    FROM discrepancy FORCE INDEX (PRIMARY)
    WHERE discrepancy_id > ? ORDER BY discrepancy_id LIMIT ?)sql"};
constexpr mysql::Query kRepairs{"repair.page", R"sql(
    SELECT discrepancy_id, number, kind, state, requested_by, decided_by, reason, outcome,
           merchant_id, amount, other_merchant_id, other_amount, requested_at_us, decided_at_us,
           carried_out_at_us, ended_at_us
    FROM repair FORCE INDEX (PRIMARY)
    WHERE discrepancy_id > ? OR (discrepancy_id = ? AND number > ?)
    ORDER BY discrepancy_id, number LIMIT ?)sql"};
constexpr mysql::Query kAnchors{"audit_anchor.page", R"sql(
    SELECT slot, number, at_us, steps, hash
    FROM audit_anchor FORCE INDEX (PRIMARY)
    WHERE slot > ? OR (slot = ? AND number > ?)
    ORDER BY slot, number LIMIT ?)sql"};
constexpr mysql::Query kHeads{"audit_head.all",
                              "SELECT slot, number, hash FROM audit_head ORDER BY slot"};

}  // namespace

Result<mysql::Rows> HistoryStepTable::Fetch(mysql::Session& session, const Row* after,
                                            int limit) const {
    const std::int64_t id = after == nullptr ? INT64_MIN : after->discrepancy_id;
    return session.Select(kSteps, id, id, after == nullptr ? 0u : after->number, limit);
}

void HistoryStepTable::Read(const mysql::Rows& from, Row& row) const {
    row.discrepancy_id = from.Int(0);
    row.number = Uint32(from, 1);
    row.state = SmallInt(from, 2);
    row.actor = from.Text(3);
    row.note = from.Text(4);
    row.at_us = from.Int(5);
    row.event_id = from.Int(6);
    row.merchant_id = from.Int(7);
    row.currency = from.Text(8);
    row.payment_gross = from.OptionalInt(9);
    row.payout_gross = from.OptionalInt(10);
    row.owner = from.Text(11);
    row.repair_number = Uint32(from, 12);
    row.repair_hash = Hash32Of(from.Bytes(13));
    row.evidence_hash = Hash32Of(from.Bytes(14));
    row.chain_hash = Hash32Of(from.Bytes(15));
}

Result<mysql::Rows> DiscrepancyTable::Fetch(mysql::Session& session, const Row* after,
                                            int limit) const {
    return session.Select(kDiscrepancies, after == nullptr ? INT64_MIN : after->discrepancy_id,
                          limit);
}

void DiscrepancyTable::Read(const mysql::Rows& from, Row& row) const {
    row.discrepancy_id = from.Int(0);
    row.business_date = Day(from, 1);
    row.kind = SmallInt(from, 2);
    row.payment_id = from.Int(3);
    row.version = from.Int(4);
    row.book = SmallInt(from, 5);
    row.bucket = SmallInt(from, 6);
    row.held_merchant = from.Int(7);
    row.found_at_us = from.Int(8);
    row.merchant_id = from.Int(9);
    row.currency = from.Text(10);
    row.payment_gross = from.OptionalInt(11);
    row.payout_gross = from.OptionalInt(12);
    row.evidence = from.Text(13);
    row.state = SmallInt(from, 14);
    row.step_count = Uint32(from, 15);
    row.last_event_id = from.Int(16);
    row.owner = from.Text(17);
    row.open_repair = Uint32(from, 18);
    row.corrected_by = Uint32(from, 19);
}

Result<mysql::Rows> RepairTable::Fetch(mysql::Session& session, const Row* after, int limit) const {
    const std::int64_t id = after == nullptr ? INT64_MIN : after->discrepancy_id;
    return session.Select(kRepairs, id, id, after == nullptr ? 0u : after->number, limit);
}

void RepairTable::Read(const mysql::Rows& from, Row& row) const {
    row.discrepancy_id = from.Int(0);
    row.number = Uint32(from, 1);
    row.kind = SmallInt(from, 2);
    row.state = SmallInt(from, 3);
    row.requested_by = from.Text(4);
    row.decided_by = from.Text(5);
    row.reason = from.Text(6);
    row.outcome = from.Text(7);
    row.merchant_id = from.Int(8);
    row.amount = from.Int(9);
    row.other_merchant_id = from.Int(10);
    row.other_amount = from.Int(11);
    row.requested_at_us = from.Int(12);
    row.decided_at_us = from.Int(13);
    row.carried_out_at_us = from.Int(14);
    row.ended_at_us = from.Int(15);
}

Result<mysql::Rows> AnchorTable::Fetch(mysql::Session& session, const Row* after, int limit) const {
    const int slot = after == nullptr ? -1 : after->slot;
    return session.Select(kAnchors, slot, slot, after == nullptr ? std::uint64_t{0} : after->number,
                          limit);
}

void AnchorTable::Read(const mysql::Rows& from, Row& row) const {
    row.slot = SmallInt(from, 0);
    row.number = from.Uint(1);
    row.at_us = from.Int(2);
    row.steps = from.Bytes(3);
    row.hash = Hash32Of(from.Bytes(4));
}

Result<std::vector<AuditHeadRow>> ReadAuditHeads(mysql::Session& session) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kHeads));
    std::vector<AuditHeadRow> heads;
    while (rows.Next()) {
        heads.push_back({SmallInt(rows, 0), rows.Uint(1), Hash32Of(rows.Bytes(2))});
    }
    return heads;
}

}  // namespace kessai::audit
