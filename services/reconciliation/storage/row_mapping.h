#pragma once

#include <cstdint>
#include <string_view>

#include "domain/claim.h"
#include "domain/day_run.h"
#include "domain/discrepancy.h"
#include "domain/match.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/rows.h"

namespace kessai::reconciliation::storage {

// Column lists that the readers and adders below take, in their order.
#define KESSAI_MATCH_COLUMNS                                                                   \
    "payment_id, version, state, differences, overdue, business_date, currency, merchant_id, " \
    "gross, payment_event_id, payment_content, payout_event_id, payout_content, "              \
    "matched_at_us, kind, tax_class, fee"
#define KESSAI_DISCREPANCY_COLUMNS                                                          \
    "discrepancy_id, business_date, kind, payment_id, version, book, bucket, merchant_id, " \
    "currency, payment_gross, payout_gross, evidence, state, step_count, last_event_id, "   \
    "found_at_us, found_by_run, found_by_deep_run, held_merchant, owner, open_repair, "     \
    "corrected_by"
#define KESSAI_DAY_RUN_COLUMNS                                                                   \
    "business_date, run_number, deep, state, buckets_compared, buckets_different, rows_listed, " \
    "discrepancies_found, started_at_us, finished_at_us, failure"

domain::Match ReadMatch(const mysql::Rows& row);
/// The columns and `bucket` behind them.
void AddMatch(const domain::Match& match, mysql::RowList& rows);

/// The discrepancy's columns up to held_merchant, then actor, note and at_us of its latest step,
/// the columns behind held_merchant, and chain_hash and repair_number of that step.
domain::Discrepancy ReadDiscrepancy(const mysql::Rows& row);
/// What column held_merchant holds: the transfer of kinds that are about one, else the merchant.
std::int64_t HeldObject(const domain::Subject& subject);
/// Of a finding's evidence what the column holds.
std::string_view StoredEvidence(const domain::Finding& finding);
void AddDiscrepancy(const domain::Discrepancy& discrepancy, mysql::RowList& rows);

domain::DayRun ReadDayRun(const mysql::Rows& row);
/// The columns and `event_id` behind them.
void AddDayRun(const domain::DayRun& run, domain::EventId event, mysql::RowList& rows);

domain::ContentHash ReadHash(const mysql::Rows& row, int column);
/// View of the hash, for a binary column.
mysql::Bytes BytesOf(const domain::ContentHash& hash);

}  // namespace kessai::reconciliation::storage
