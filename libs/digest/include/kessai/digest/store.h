#pragma once

#include "kessai/digest/accumulator.h"
#include "kessai/mysql/migration.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::mysql {
class Session;
}  // namespace kessai::mysql

namespace kessai::digest {

/// Table day_digest(business_date, bucket, slot, …).
mysql::MigrationSet Migrations();

/// Adds the accumulator's cells to the table, in the caller's transaction: one multi-row upsert per
/// some hundred cells, in key order. `slot` is one per writer (payout: the Kafka partition;
/// payment: the outbox shard), so that two writers share no row. Does not clear the accumulator.
/// Refusals: those of mysql.
Status AddToDay(mysql::Session& session, const Accumulator& accumulator, int slot);

/// The digest of a day over all slots; days without rows give empty buckets.
Result<DayDigest> LoadDay(mysql::Session& session, BusinessDate business_date);

/// Removes a day's digest, for the deep run that writes it again from the rows.
Status RemoveDay(mysql::Session& session, BusinessDate business_date);

}  // namespace kessai::digest
