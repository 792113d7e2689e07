#include "storage/mysql_digest_repairs.h"

#include "kessai/digest/store.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"
#include "storage/row_mapping.h"

namespace kessai::payment::storage {
namespace {

constexpr mysql::Query kRowsOfBucket{"journal.of_bucket", "SELECT " KESSAI_JOURNAL_COLUMNS R"sql(
    FROM journal FORCE INDEX (by_day) WHERE business_date = ? AND bucket = ?)sql"};

}  // namespace

Result<digest::RecomputedBucket> MysqlDigestRepairs::Recompute(BusinessDate date, int bucket,
                                                               std::string_view key) {
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;  // What was done is found by its key.
    digest::RecomputedBucket digests;
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
            const auto of_rows = [&]() -> Result<digest::BucketDigest> {
                KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kRowsOfBucket, date, bucket));
                digest::Accumulator sums(hasher_);
                while (rows.Next()) {
                    const domain::Change change = ReadChange(rows);
                    if (change.merchant.is_none()) continue;
                    sums.Add({change.object, change.version, change.business_date,
                              change.merchant.value(), domain::MerchantGross(change)});
                }
                return sums.Day(date)[static_cast<std::size_t>(bucket)];
            };
            KESSAI_ASSIGN_OR_RETURN(digests, digest::RecomputeBucket(session, date, bucket, key,
                                                                     clock_.Now(), of_rows));
            return OkStatus();
        }));
    return digests;
}

}  // namespace kessai::payment::storage
