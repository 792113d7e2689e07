#pragma once

#include <functional>
#include <string_view>

#include "kessai/digest/accumulator.h"
#include "kessai/mysql/migration.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

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

/// Puts what `of_rows` computes in the place of a bucket's kept digest, and keeps both under `key`
/// (1 to 48 letters of ASCII) in table digest_repair, in the caller's transaction. The same key
/// again gives what was kept. Empty: changes nothing, only says what it would do. Whoever adds rows
/// adds to the digest in the same transaction and behind them: while the digest is locked here,
/// none is added that `of_rows` could see. Refusals: those of `of_rows` and mysql; ABORTED
/// DIGEST_MOVED (a slot was added meanwhile: run the transaction again); ALREADY_EXISTS
/// REPAIR_KEY_REUSED (for another bucket); INVALID_ARGUMENT REPAIR_KEY_INVALID.
Result<RecomputedBucket> RecomputeBucket(mysql::Session& session, BusinessDate business_date,
                                         int bucket, std::string_view key, Instant now,
                                         const std::function<Result<BucketDigest>()>& of_rows);

/// Removes a day's digest, for the deep run that writes it again from the rows.
Status RemoveDay(mysql::Session& session, BusinessDate business_date);

}  // namespace kessai::digest
