#include "storage/mysql_digest_repairs.h"

#include "kessai/digest/store.h"
#include "kessai/mysql/transaction.h"
#include "storage/day_rows.h"

namespace kessai::payment::storage {

Result<digest::RecomputedBucket> MysqlDigestRepairs::Recompute(BusinessDate date, int bucket,
                                                               std::string_view key) {
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;  // What was done is found by its key.
    digest::RecomputedBucket digests;
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
            const auto of_rows = [&]() -> Result<digest::BucketDigest> {
                digest::Accumulator sums(hasher_);
                // A row that stands in another's bucket is a difference of rows, not of the digest.
                const auto add = [&](const app::DayRow& row, int) {
                    sums.Add({row.object, row.version, date, row.merchant.value(), row.gross});
                };
                KESSAI_RETURN_IF_ERROR(
                    ReadDayRows(session, date, {.first = bucket, .count = 1}, add));
                return sums.Day(date)[static_cast<std::size_t>(bucket)];
            };
            KESSAI_ASSIGN_OR_RETURN(digests, digest::RecomputeBucket(session, date, bucket, key,
                                                                     clock_.Now(), of_rows));
            return OkStatus();
        }));
    return digests;
}

}  // namespace kessai::payment::storage
